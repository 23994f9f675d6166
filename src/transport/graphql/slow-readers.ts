// Owns the patience with sockets that do not take what they are sent: memory for them is bounded, and so is their time.
import type { WebSocket } from 'ws';

interface SlowReadersOptions {
  readonly sockets: ReadonlySet<WebSocket>;
  /** How long what was sent may lie unread. */
  readonly patienceMs: number;
  /** How much of it may lie there at all. */
  readonly maxBufferedBytes: number;
}

/** Outside the codes that graphql-ws takes for final, so that its client comes back. */
export const TOO_SLOW = 4410;
const REASON = 'Too slow: what was sent lies unread. Connect again and go on behind the last event';
const LOOKS_PER_PATIENCE = 4;
const TERMINATE_AFTER_MS = 2_000;

interface Stuck {
  readonly bytes: number;
  readonly sinceMs: number;
}

/** Watches until the returned function is called. */
export function watchSlowReaders({ sockets, patienceMs, maxBufferedBytes }: SlowReadersOptions): () => void {
  const stuck = new WeakMap<WebSocket, Stuck>();
  const look = () => {
    const now = performance.now();
    for (const socket of sockets) {
      const bytes = socket.bufferedAmount;
      const before = stuck.get(socket);
      if (bytes === 0) {
        stuck.delete(socket);
        continue;
      }
      // Bytes that leave make room for others: as long as they do, the reader reads.
      const sinceMs = before && bytes >= before.bytes ? before.sinceMs : now;
      stuck.set(socket, { bytes, sinceMs });
      if (now - sinceMs >= patienceMs || bytes > maxBufferedBytes) dismiss(socket);
    }
  };
  const timer = setInterval(look, Math.max(50, patienceMs / LOOKS_PER_PATIENCE)).unref();
  return () => clearInterval(timer);
}

function dismiss(socket: WebSocket): void {
  socket.close(TOO_SLOW, REASON);
  // Its close frame lies behind what it does not read.
  setTimeout(() => socket.terminate(), TERMINATE_AFTER_MS).unref();
}
