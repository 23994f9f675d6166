import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { startTestApp, type TestApp } from '../../support/app.ts';

const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';

describe('before a credential is known', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp('postgresql', { environment: { MAX_BODY_MB: '1' } });
  });
  const openSocket = async (path = '/graphql') => {
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}${path}`, 'graphql-transport-ws');
    await once(socket, 'open');
    return socket;
  };

  /** Sends the head of a request and no body, and gives the status that it is answered with. */
  const statusWithoutBody = async (path: string, headers: Record<string, string>) => {
    const request = httpRequest(`${app.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
    });
    request.flushHeaders();
    const [response] = await once(request, 'response');
    request.on('error', () => {});
    request.destroy();
    return response.statusCode;
  };

  test('an upgrade on a wrong path that is reset by its client does not end the process', async () => {
    const { hostname, port } = new URL(app.url);
    const socket = connect(Number(port), hostname);
    socket.write(`GET /wrong HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n\r\n`);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 404 /);
    socket.resetAndDestroy();
    await once(socket, 'close');
    for (let look = 0; look < 3; look += 1) expect((await fetch(`${app.url}/health/live`)).status).toBe(200);
  });

  test('a refused upgrade is ended by the server, though its client keeps its side open', async () => {
    const { hostname, port } = new URL(app.url);
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    socket.write(`GET /wrong HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n\r\n`);
    socket.resume();
    await once(socket, 'end');
    // Whoever writes to a connection that is gone gets a reset.
    const failed = once(socket, 'error');
    const writing = setInterval(() => socket.write('x'), 10);
    const [error] = await failed;
    clearInterval(writing);
    expect(error.code).toMatch(/ECONNRESET|EPIPE/);
  });

  test('a WebSocket is opened with a slash behind the path too, as requests are', async () => {
    const socket = await openSocket('/graphql/');
    socket.terminate();
  });

  test.each(['/graphql', '/graphql/stream', '/nowhere'])(
    'before a credential is known, no body is read at %s',
    async (path) => {
      const expected = path === '/nowhere' ? 404 : 401;
      expect(await statusWithoutBody(path, { 'content-length': '900000' })).toBe(expected);
      expect(await statusWithoutBody(path, { 'transfer-encoding': 'chunked' })).toBe(expected);
      expect(
        await statusWithoutBody(path, { 'content-length': '900000', authorization: 'Bearer mg_wrong' }),
      ).toBe(expected);
    },
  );

  test('before a credential is known, a broken body is not told from a good one', async () => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{',
    });
    expect(response.status).toBe(401);
  });

  test('a WebSocket that sends much before its sign-in is closed, in one message or in many pieces', async () => {
    const payload = { authorization: `Bearer ${'x'.repeat(100_000)}` };
    const whole = await openSocket();
    const closedWhole = once(whole, 'close');
    whole.send(JSON.stringify({ type: 'connection_init', payload }));
    expect((await closedWhole)[0]).toBe(1009);
    const pieces = await openSocket();
    const closedPieces = once(pieces, 'close');
    for (let piece = 0; piece < 10; piece += 1) pieces.send('x'.repeat(5_000), { fin: false });
    expect((await closedPieces)[0]).toBe(1009);
  });

  test('what a WebSocket sends after the sign-in may be as large as a body', async () => {
    const socket = await openSocket();
    socket.send(
      JSON.stringify({ type: 'connection_init', payload: { Authorization: `Bearer ${app.adminKey}` } }),
    );
    expect(JSON.parse(String((await once(socket, 'message'))[0]))).toEqual({ type: 'connection_ack' });
    const query =
      'query ($text: [String!]) { viewer { caller } modelSpecs(filter: {tags: $text}) { totalCount } }';
    const payload = { query, variables: { text: ['x'.repeat(500_000)] } };
    socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload }));
    expect(JSON.parse(String((await once(socket, 'message'))[0]))).toMatchObject({ id: '1' });
    socket.terminate();
  });
});
