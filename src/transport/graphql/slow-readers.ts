// Owns the bounds on sockets whose clients do not read: on the memory for what they have not read, and on the time.
import type { WebSocket } from 'ws';

interface SlowReadersOptions {
  readonly sockets: ReadonlySet<WebSocket>;
  /** How long, in milliseconds, sent data may stay unread. */
  readonly patienceMs: number;
  /** How many bytes may stay unread at any time. */
  readonly maxBufferedBytes: number;
}

/** Not one of the codes after which graphql-ws gives up, so that its client reconnects. */
export const TOO_SLOW = 4410;
const REASON = 'Too slow: what was sent lies unread. Connect again and go on behind the last event';
const LOOKS_PER_PATIENCE = 4;
const TERMINATE_AFTER_MS = 2_000;

interface Stuck {
  readonly bytes: number;
  readonly sinceMs: number;
}

/** Checks the sockets until the returned function is called. */
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
      // If the number of unread bytes falls, the client reads, so its time begins again.
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
  // The close frame lies behind the data that the client does not read, so the connection is ended without waiting for an answer.
  setTimeout(() => socket.terminate(), TERMINATE_AFTER_MS).unref();
}
