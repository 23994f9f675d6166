// Owns a small round-robin proxy before several gateways: each connection goes to the next one that answers, without sticky sessions.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface RoundRobin {
  readonly url: string;
  /** Ports to hand connections to, in turn. */
  use(ports: readonly number[]): void;
  /** Breaks every connection, as a network fault would. */
  cut(): void;
  close(): Promise<void>;
}

export async function startRoundRobin(ports: readonly number[], listenPort = 0): Promise<RoundRobin> {
  let targets = ports;
  let turn = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => {});
    client.once('close', () => sockets.delete(client));
    handOn(client, targets.length);
  });

  /** Connects to the next target, or to the one after it if that does not answer. */
  function handOn(client: Socket, triesLeft: number): void {
    const port = targets[turn++ % targets.length];
    if (port === undefined || triesLeft === 0) {
      client.destroy();
      return;
    }
    const upstream = connect(port, '127.0.0.1');
    sockets.add(upstream);
    upstream.once('close', () => sockets.delete(upstream));
    upstream.once('error', () => handOn(client, triesLeft - 1));
    upstream.once('connect', () => {
      upstream.removeAllListeners('error');
      upstream.on('error', () => client.destroy());
      upstream.once('close', () => client.destroy());
      client.once('close', () => upstream.destroy());
      client.pipe(upstream).pipe(client);
    });
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listenPort, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    use(next) {
      targets = next;
    },
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
