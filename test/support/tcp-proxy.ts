// Owns a small TCP proxy before a real server, which a test can cut, slow down and mend.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** As the URL of a Redis. */
  readonly redisUrl: string;
  /** Breaks all connections, and refuses new ones. */
  cut(): void;
  /** Holds all bytes back in both directions without closing a connection; `mend` passes them on. */
  stall(): void;
  mend(): void;
  /** Delays everything that the server sends by this many milliseconds. */
  delay(ms: number): void;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let refusing = false;
  let delayMs = 0;
  let stalled = false;
  const held: (() => void)[] = [];
  const pass = (write: () => void) => {
    if (stalled) held.push(write);
    else write();
  };
  const server = createServer((client) => {
    if (refusing) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(targetPort, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (bytes) => pass(() => upstream.destroyed || upstream.write(bytes)));
    upstream.on('data', (bytes) => {
      if (delayMs === 0) pass(() => client.destroyed || client.write(bytes));
      else setTimeout(() => pass(() => client.destroyed || client.write(bytes)), delayMs);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    redisUrl: `redis://127.0.0.1:${port}`,
    cut() {
      refusing = true;
      for (const socket of sockets) socket.resetAndDestroy();
    },
    stall() {
      stalled = true;
    },
    mend() {
      refusing = false;
      stalled = false;
      for (const write of held.splice(0)) write();
    },
    delay(ms) {
      delayMs = ms;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
