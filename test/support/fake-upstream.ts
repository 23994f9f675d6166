// Owns the fake provider of the tests: a node:http server on a free port that replays raw bytes with chosen cuts, pauses and faults.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { deferred } from '../../src/kernel/async.ts';

export interface ReceivedRequest {
  readonly method: string;
  /** The path with its query. */
  readonly path: string;
  /** Lower-case names; repeated headers joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  json(): unknown;
  /** Resolves when the client disconnects before the answer is complete. */
  readonly aborted: Promise<void>;
}

export interface Reply {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An array is written piece by piece, and each piece arrives as a separate read. */
  readonly body: string | Uint8Array | readonly (string | Uint8Array)[];
  /** Cuts the body further: into single bytes, or into writes of this many bytes. */
  readonly cut?: 'every-byte' | number;
  /** Wait between writes. */
  readonly pauseMs?: number;
  readonly fault?: ReplyFault;
}

export type ReplyFault =
  | 'reset-before-headers'
  | 'silent'
  | 'silent-after-headers'
  | { readonly cutAfterBytes: number }
  | { readonly stallAfterBytes: number };

export type Answer = (request: ReceivedRequest, index: number) => Reply | Promise<Reply>;

export interface FakeUpstream {
  /** `http://127.0.0.1:<port>`, without a trailing slash. */
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** Resolves when `count` requests have been received in all. */
  waitForRequests(count: number): Promise<void>;
  openConnections(): number;
  close(): Promise<void>;
}

export async function startFakeUpstream(answer: Answer): Promise<FakeUpstream> {
  const requests: ReceivedRequest[] = [];
  const waiting: { count: number; resolve(): void }[] = [];
  const sockets = new Set<Socket>();

  const server = createServer({ keepAlive: true, noDelay: true }, async (incoming, outgoing) => {
    const request = await receive(incoming, outgoing);
    const index = requests.push(request) - 1;
    for (const { count, resolve } of waiting) if (requests.length >= count) resolve();
    try {
      await send(outgoing, await answer(request, index));
    } catch (error) {
      if (!outgoing.headersSent) outgoing.writeHead(500);
      outgoing.end(`the test's answer raised: ${error}`);
    }
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await listen(server);

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    waitForRequests(count) {
      if (requests.length >= count) return Promise.resolve();
      const { promise, resolve } = deferred();
      waiting.push({ count, resolve });
      return promise;
    },
    openConnections: () => sockets.size,
    close() {
      const { promise, resolve } = deferred();
      server.close(() => resolve());
      server.closeAllConnections();
      return promise;
    },
  };
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
}

async function receive(incoming: IncomingMessage, outgoing: ServerResponse): Promise<ReceivedRequest> {
  const aborted = deferred();
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) aborted.resolve();
  });
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString('utf8');
  const headers = Object.fromEntries(
    Object.entries(incoming.headersDistinct).map(([name, values = []]) => [name, values.join(', ')]),
  );
  return {
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    headers,
    body,
    json: () => JSON.parse(body),
    aborted: aborted.promise,
  };
}

async function send(outgoing: ServerResponse, reply: Reply): Promise<void> {
  const { fault } = reply;
  if (fault === 'silent') return;
  if (fault === 'reset-before-headers') {
    outgoing.socket?.resetAndDestroy();
    return;
  }
  outgoing.writeHead(reply.status ?? 200, reply.headers);
  outgoing.flushHeaders();
  if (fault === 'silent-after-headers') return;
  await nextTurn();

  const limit = endOf(fault);
  let written = 0;
  for (const piece of piecesOf(reply)) {
    if (outgoing.destroyed) return;
    const allowed = piece.subarray(0, limit - written);
    if (written > 0) await (reply.pauseMs ? pause(reply.pauseMs) : nextTurn());
    if (allowed.length > 0) await flushed(outgoing, allowed);
    written += allowed.length;
    if (written >= limit) break;
  }
  if (fault === undefined) outgoing.end();
  else if ('cutAfterBytes' in fault) outgoing.destroy();
}

function endOf(fault: ReplyFault | undefined): number {
  if (typeof fault !== 'object') return Number.POSITIVE_INFINITY;
  return 'cutAfterBytes' in fault ? fault.cutAfterBytes : fault.stallAfterBytes;
}

function* piecesOf(reply: Reply): Iterable<Uint8Array> {
  const size = reply.cut === 'every-byte' ? 1 : (reply.cut ?? Number.POSITIVE_INFINITY);
  const bodies = Array.isArray(reply.body) ? reply.body : [reply.body];
  for (const body of bodies) {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
}

/** Resolves when the operating system has the bytes, so that the client receives the next write as another read. */
function flushed(outgoing: ServerResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    outgoing.write(bytes, () => resolve());
  });
}
