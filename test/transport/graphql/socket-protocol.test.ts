import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ExecutionResult } from 'graphql';
import { buildSchema, parse } from 'graphql';
import { expect, onTestFinished, test, vi } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { deferred } from '../../../src/kernel/async.ts';
import type { Logger } from '../../../src/kernel/logger.ts';
import { serveSockets } from '../../../src/transport/graphql/socket-protocol.ts';

const schema = buildSchema('type Query { a: String } type Subscription { text: String }');

/** A door whose subscription sends texts of a megabyte until it is left. */
async function openDoor() {
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  const logged: string[] = [];
  const left = deferred();
  const raw: Socket[] = [];
  async function* texts(): AsyncGenerator<ExecutionResult> {
    try {
      for (;;) yield { data: { text: 'x'.repeat(1_000_000) } };
    } finally {
      left.resolve();
    }
  }
  const note = (_fields: object, message: string) => logged.push(message);
  const sendAllAway = serveSockets({
    sockets,
    keepAliveMs: 10_000,
    logger: { debug: () => {}, warn: note, error: note } as unknown as Logger,
    hooks: {
      onSubscribe: () => ({ schema, document: parse('subscription { text }') }),
      subscribe: async () => texts(),
      onError: (_context, _id, _payload, errors) => void logged.push(...errors.map(({ message }) => message)),
    },
  });
  server.on('upgrade', (request, socket, head) => {
    raw.push(socket as Socket);
    sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(async () => {
    await sendAllAway();
    server.close();
  });
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, logged, left, raw };
}

test('a client that breaks its connection in the middle of a stream ends its stream, and is no line in the log', async () => {
  const complained = vi.spyOn(console, 'error');
  const { url, logged, left, raw } = await openDoor();
  const socket = new WebSocket(url, 'graphql-transport-ws');
  socket.on('error', () => {});
  await once(socket, 'open');
  socket.send('{"type":"connection_init"}');
  await once(socket, 'message');
  socket.send('{"type":"subscribe","id":"1","payload":{"query":"subscription { text }"}}');
  await once(socket, 'message');
  // What the kernel says when the other side has gone, in the middle of a write.
  raw[0]?.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  await left.promise;
  expect(logged).toEqual([]);
  expect(complained).not.toHaveBeenCalled();
});

test('a message that is no message of the protocol closes the socket, in words', async () => {
  const { url } = await openDoor();
  const socket = new WebSocket(url, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send('{"type":"nonsense"}');
  const [code, reason] = await once(socket, 'close');
  expect([code, String(reason)]).toEqual([4400, 'Invalid message received']);
});
