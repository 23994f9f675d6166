// Owns Unix sockets in a folder, as signs that the process which made them is alive; nothing is ever sent over them.
import { closeSync, openSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

export interface ClaimSocket {
  close(): void;
}

/** The longest path that every system accepts; a longer one is refused, or silently cut short. */
const MAX_PATH_BYTES = 100;
const CONNECT_WITHIN_MS = 2_000;

/** A socket that listens until it is closed or the process ends; `undefined` if the folder allows no sockets. */
export async function openClaimSocket(folder: string, name: string): Promise<ClaimSocket | undefined> {
  const reached = reach(folder, name);
  if (!reached) return undefined;
  const server = createServer((socket) => socket.on('error', () => {}).destroy());
  const listening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ path: reached.path, exclusive: true }, () => resolve(true));
  });
  server.on('error', () => {});
  server.unref();
  if (listening) return { close: () => server.close(reached.leave) };
  reached.leave();
  return undefined;
}

/** True if a process listens there; `undefined` if that cannot be found out. */
export async function listensAt(folder: string, name: string): Promise<boolean | undefined> {
  const reached = reach(folder, name);
  if (!reached) return undefined;
  const code = await new Promise<string>((resolve) => {
    const socket = connect(reached.path);
    socket.setTimeout(CONNECT_WITHIN_MS, () => resolve('ETIMEDOUT'));
    socket.once('connect', () => resolve('connected'));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
    socket.once('connect', () => socket.destroy());
    socket.once('timeout', () => socket.destroy());
  });
  reached.leave();
  if (code === 'ECONNREFUSED') return false;
  // `EAGAIN` means that a process listens, but accepts no connection at this moment.
  return code === 'connected' || code === 'EAGAIN' ? true : undefined;
}

/** A path to the file that is short enough: in the folder itself, or, on systems with /proc, by the folder as this process has it open. */
function reach(folder: string, name: string): { readonly path: string; leave(): void } | undefined {
  const path = join(folder, name);
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return { path, leave: () => {} };
  if (process.platform !== 'linux') return undefined;
  const descriptor = openSync(folder, 'r');
  return { path: `/proc/self/fd/${descriptor}/${name}`, leave: () => closeSync(descriptor) };
}
