import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { beforeAll, describe, expect, test } from 'vitest';
import { CallerErrors } from '../../../src/kernel/caller-errors.ts';
import { GatewayError } from '../../../src/kernel/errors.ts';
import { silentLogger } from '../../../src/kernel/logger.ts';
import type { Door } from '../../../src/transport/http/door.ts';
import { signIn } from '../../../src/transport/http/http-auth.ts';
import { type RunningServer, startServer } from '../../../src/transport/http/server.ts';

/** A door that signs in, answers at two paths and notes what the server asks of it. */
function doorAt(path: string, told: string[], over: Partial<Door> = {}): Door {
  return {
    name: path.slice(1),
    paths: [path],
    addresses: { [path.slice(1)]: path },
    spell: ({ code, message }, requestId) => ({ body: { [path.slice(1)]: code, message, requestId } }),
    open(routes, { desk, closing }) {
      routes.addHook('onRequest', async (_request, reply) => void reply.header('x-hook-of', path));
      routes.post(path, { onRequest: signIn(desk) }, async () => ({ ok: path }));
      routes.get(`${path}/fault`, async () => {
        throw new GatewayError('PROVIDER_UNAVAILABLE', 'Overloaded', { retryAfterMs: 2_500 });
      });
      closing.addEventListener('abort', () => told.push(`${path} closing`));
      return {
        upgrade: {
          path: `${path}/socket`,
          accept: (_request, socket) =>
            void socket.end(`HTTP/1.1 101 Switching Protocols\r\nx-door: ${path}\r\n\r\n`),
        },
        detachReaders: async () => void told.push(`${path} detached`),
        close: async () => void told.push(`${path} closed`),
      };
    },
    ...over,
  };
}

function start(told: string[] = []): Promise<RunningServer> {
  const authenticator = {
    signIn: (authorization: string | undefined) => {
      if (authorization === 'Bearer good') return { viewer: () => ({}) };
      throw new GatewayError('UNAUTHENTICATED', 'A credential is required');
    },
  };
  const second = doorAt('/second', told, {
    spell: ({ code }) => ({
      body: { second: code },
      ...(code === 'PROVIDER_UNAVAILABLE' ? { status: 529, headers: { 'x-overloaded': 'yes' } } : {}),
    }),
  });
  return startServer({
    host: '127.0.0.1',
    port: 0,
    doors: [doorAt('/first', told), second],
    signIn: {
      authenticator: authenticator as any,
      failuresPerMinute: 0,
      trustProxy: false,
      logger: silentLogger,
    },
    readiness: { check: async () => ({}) },
    callerErrors: new CallerErrors(silentLogger),
    logger: silentLogger,
    maxBodyBytes: 10_000,
    slowReaderMs: 1_000,
    corsOrigins: '*',
    maxConnections: 100,
  });
}

async function upgrade(url: string): Promise<IncomingMessage> {
  const request = httpRequest(url, { headers: { connection: 'upgrade', upgrade: 'websocket' } });
  request.on('error', () => {}).end();
  const [answer] = (await Promise.race([once(request, 'upgrade'), once(request, 'response')])) as [
    IncomingMessage,
  ];
  return answer;
}

describe('servers with two doors', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await start();
    return () => server.close();
  });
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${server.url}${path}`, init);
    return { status: response.status, headers: response.headers, body: (await response.json()) as any };
  };

  test('a server with two doors refuses a bad credential in the words of the door that it was brought to', async () => {
    const first = await ask('/first', { method: 'POST' });
    const second = await ask('/second', { method: 'POST' });
    expect([first.status, first.body.first]).toEqual([401, 'UNAUTHENTICATED']);
    expect([second.status, second.body]).toEqual([401, { second: 'UNAUTHENTICATED' }]);
    expect(second.headers.get('www-authenticate')).toBe('Bearer');
  });

  test('a server with two doors refuses a path below a door in its words, and one of no door in those of the first', async () => {
    expect((await ask('/second/nothing')).body).toEqual({ second: 'NOT_FOUND' });
    const { status, body } = await ask('/secondary');
    expect([status, body.first]).toEqual([404, 'NOT_FOUND']);
    expect(body.message).toBe('There is nothing at GET /secondary; first is at /first, second is at /second');
  });

  test('a server with two doors refuses a body that is no JSON in the words of the door, under the status of HTTP', async () => {
    const { status, body } = await ask('/second', {
      method: 'POST',
      headers: { authorization: 'Bearer good', 'content-type': 'application/json' },
      body: '{',
    });
    expect([status, body]).toEqual([400, { second: 'BAD_REQUEST' }]);
  });

  test('a server with two doors lets a door choose the status of a fault, which otherwise follows from its code', async () => {
    const first = await ask('/first/fault');
    const second = await ask('/second/fault');
    expect([first.status, first.headers.get('retry-after')]).toEqual([503, '3']);
    expect([second.status, second.headers.get('retry-after')]).toEqual([529, '3']);
    expect(second.headers.get('x-overloaded')).toBe('yes');
  });

  test('a server with two doors holds the hooks of a door to its own routes', async () => {
    const { headers, body } = await ask('/second', {
      method: 'POST',
      headers: { authorization: 'Bearer good' },
    });
    expect([body, headers.get('x-hook-of')]).toEqual([{ ok: '/second' }, '/second']);
  });

  test('a server with two doors shows at its front page where each door is', async () => {
    expect((await ask('/')).body).toEqual({
      name: 'Modelgraph',
      first: '/first',
      second: '/second',
      health: ['/health/live', '/health/ready'],
    });
  });

  test('a server with two doors hands an upgrade to the door of its path, and refuses one that no door takes', async () => {
    expect((await upgrade(`${server.url}/second/socket/?x=1`)).headers['x-door']).toBe('/second');
    expect((await upgrade(`${server.url}/second`)).statusCode).toBe(404);
  });
});

test('a server that closes tells every door that it closes, has its readers detached, and closes it last', async () => {
  const told: string[] = [];
  const server = await start(told);
  await server.close();
  expect(told).toEqual([
    '/first closing',
    '/second closing',
    '/first detached',
    '/second detached',
    '/first closed',
    '/second closed',
  ]);
});
