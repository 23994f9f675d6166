// Owns how much a WebSocket may send: little before it has signed in, and afterwards within the bound on unfinished requests of the node.
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { IntakeBudget } from '../http/intake-budget.ts';

/** Twice the size of the largest credential that is accepted. */
const BYTES_BEFORE_SIGN_IN = 32_768;
const TOO_BIG = 1009;
const TRY_AGAIN_LATER = 1013;
const TERMINATE_AFTER_MS = 1_000;
/** Bytes of a client's ping or pong beside its payload: two of the frame's head and four of its mask. */
const CONTROL_FRAME_BYTES = 6;

/**
 * Counts the bytes on the raw socket, since `ws` reports a message only after the whole of it is in memory. Returns a function to call when the socket
 * has signed in.
 */
export function boundIntake(socket: WebSocket, raw: Duplex, budget: IntakeBudget): () => void {
  const share = budget.openShare();
  let signedIn = false;
  let received = 0;
  raw.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (!signedIn && received > BYTES_BEFORE_SIGN_IN) {
      dismiss(socket, TOO_BIG, `Before the sign-in at most ${BYTES_BEFORE_SIGN_IN} bytes are read`);
    } else if (!share.add(chunk.length)) {
      share.release();
      dismiss(socket, TRY_AGAIN_LATER, 'This node is receiving as much as it can hold; connect again');
    }
  });
  socket.on('message', () => share.release());
  const onControlFrame = (payload: Buffer) => share.release(payload.length + CONTROL_FRAME_BYTES);
  socket.on('ping', onControlFrame);
  socket.on('pong', onControlFrame);
  socket.on('close', () => share.release());
  return () => {
    signedIn = true;
  };
}

/** Closes a socket and stops reading it, even if the client goes on sending. */
export function dismiss(socket: WebSocket, code: number, reason: string): void {
  if (socket.readyState !== socket.OPEN) return;
  socket.pause();
  socket.close(code, reason);
  setTimeout(() => socket.terminate(), TERMINATE_AFTER_MS).unref();
}
