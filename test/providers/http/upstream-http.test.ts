import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ProviderError } from '../../../src/kernel/errors.ts';
import { silentLogger } from '../../../src/kernel/logger.ts';
import type { TelemetryEvent } from '../../../src/kernel/telemetry.ts';
import type { UpstreamRequest, UpstreamResponse } from '../../../src/providers/contract/http.ts';
import { createUpstreamHttp, type UpstreamHttpOptions } from '../../../src/providers/http/upstream-http.ts';
import { type Answer, type Reply, startFakeUpstream } from '../../support/fake-upstream.ts';
import { startTlsUpstream, testAuthorityPem } from '../../support/fake-upstream-tls.ts';

async function start(answer: Answer | Reply, options: Partial<UpstreamHttpOptions> = {}) {
  const upstream = await startFakeUpstream(typeof answer === 'function' ? answer : () => answer);
  const http = createUpstreamHttp({ logger: silentLogger, ...options });
  return {
    upstream,
    http,
    async [Symbol.asyncDispose]() {
      await http.close();
      await upstream.close();
    },
  };
}

function requestTo(url: string, over: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json' },
    body: '{"a":1}',
    signal: new AbortController().signal,
    connectTimeoutMs: 2000,
    ...over,
  };
}

async function faultOf(promise: Promise<unknown>): Promise<ProviderError> {
  const fault = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(fault).toBeInstanceOf(ProviderError);
  return fault as ProviderError;
}

async function readAll(response: UpstreamResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('a request to an upstream arrives as it was given, and its answer comes back with status, headers and text', async () => {
  await using side = await start({ status: 201, headers: { 'X-Request-Id': 'r1' }, body: 'žluť' });
  const response = await side.http.send(requestTo(`${side.upstream.url}/v1/chat?q=1`));
  expect(response.status).toBe(201);
  expect(response.headers['x-request-id']).toBe('r1');
  expect(await response.text()).toBe('žluť');
  const [received] = side.upstream.requests;
  expect(received?.method).toBe('POST');
  expect(received?.path).toBe('/v1/chat?q=1');
  expect(received?.json()).toEqual({ a: 1 });
  expect(received?.headers['accept-encoding']).toBe('identity');
});

test('the connection to an upstream is used again once a body was read', async () => {
  await using side = await start({ body: 'ok' });
  for (let round = 0; round < 3; round++) {
    await readAll(await side.http.send(requestTo(side.upstream.url)));
    // undici lets a whole turn pass before it trusts a connection again.
    await nextTurn();
  }
  expect(side.upstream.openConnections()).toBe(1);
});

test('each upstream read is one chunk, and is not joined with the next', async () => {
  const frames = ['first', 'second', 'third'];
  await using side = await start({ body: frames });
  const response = await side.http.send(requestTo(side.upstream.url));
  const chunks: string[] = [];
  for await (const chunk of response.body) chunks.push(Buffer.from(chunk).toString());
  expect(chunks).toEqual(frames);
});

test('several frames of an upstream in one packet are one chunk', async () => {
  const server = createServer((socket) => {
    socket.once('data', () => {
      socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const http = createUpstreamHttp({ logger: silentLogger });
  const response = await http.send(requestTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`));
  const chunks: string[] = [];
  for await (const chunk of response.body) chunks.push(Buffer.from(chunk).toString());
  expect(chunks).toEqual(['abcdef']);
  await http.close();
  server.close();
});

test('a large upstream body passes whole while its reader lags behind', async () => {
  const body = 'x'.repeat(3_000_000);
  await using side = await start({ body, cut: 100_000 });
  const response = await side.http.send(requestTo(side.upstream.url));
  await nextTurn();
  expect((await readAll(response)).length).toBe(body.length);
});

test('text of an upstream is cut at its limit, and the rest of the body is not fetched', async () => {
  await using side = await start({ body: 'abcdef', cut: 2, fault: { stallAfterBytes: 4 } });
  const response = await side.http.send(requestTo(side.upstream.url));
  expect(await response.text(3)).toBe('abc');
  await side.upstream.requests[0]?.aborted;
});

test('leaving an upstream body stops the upstream request at once', async () => {
  await using side = await start({ body: 'abcdef', fault: { stallAfterBytes: 3 } });
  const response = await side.http.send(requestTo(side.upstream.url));
  for await (const _chunk of response.body) break;
  await side.upstream.requests[0]?.aborted;
});

test.each([
  ['before the headers', 'silent'],
  ['before the first byte', 'silent-after-headers'],
  ['within the body', { stallAfterBytes: 2 }],
] as const)(
  'an abort %s rejects with the very reason of the signal and stops the upstream request',
  async (_place, fault) => {
    await using side = await start({ body: 'abcdef', fault });
    const stop = new AbortController();
    const reason = new Error('the first token took too long');
    const reading = side.http
      .send(requestTo(side.upstream.url, { signal: stop.signal }))
      .then((response) => readAll(response));
    await side.upstream.waitForRequests(1);
    stop.abort(reason);
    await expect(reading).rejects.toBe(reason);
    await side.upstream.requests[0]?.aborted;
  },
);

test('a signal that was aborted before sends nothing to the upstream', async () => {
  await using side = await start({ body: 'x' });
  const signal = AbortSignal.abort('gone');
  await expect(side.http.send(requestTo(side.upstream.url, { signal }))).rejects.toBe('gone');
  expect(side.upstream.requests).toEqual([]);
});

test('an abort while connecting to an upstream rejects at once', async () => {
  const http = createUpstreamHttp({ logger: silentLogger });
  const stop = new AbortController();
  const sending = http.send(
    requestTo('http://10.255.255.1/', { signal: stop.signal, connectTimeoutMs: 60_000 }),
  );
  stop.abort('enough');
  await expect(sending).rejects.toBe('enough');
  await http.close();
});

test('a refused connection is PROVIDER_UNAVAILABLE, names the host and may pass', async () => {
  await using side = await start({ body: '' });
  await side.upstream.close();
  const fault = await faultOf(side.http.send(requestTo(side.upstream.url)));
  expect(fault).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', phase: 'connect', transient: true });
  expect(fault.message).toContain(new URL(side.upstream.url).host);
  expect(fault.message).toContain('ECONNREFUSED');
});

test('an unknown host is PROVIDER_UNAVAILABLE and does not pass by itself', async () => {
  const http = createUpstreamHttp({ logger: silentLogger });
  const fault = await faultOf(http.send(requestTo('http://nowhere.invalid/')));
  expect(fault).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', phase: 'connect' });
  expect(fault.message).toContain('nowhere.invalid could not be resolved');
  await http.close();
});

test('a reset of the connection before the headers is PROVIDER_UNAVAILABLE and may pass', async () => {
  await using side = await start({ body: '', fault: 'reset-before-headers' });
  const fault = await faultOf(side.http.send(requestTo(side.upstream.url)));
  expect(fault).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', phase: 'headers', transient: true });
});

test('an upstream body that breaks off gives what had arrived and then PROVIDER_UNAVAILABLE', async () => {
  await using side = await start({ body: 'abcdef', fault: { cutAfterBytes: 4 } });
  const response = await side.http.send(requestTo(side.upstream.url));
  const seen: string[] = [];
  const reading = (async () => {
    for await (const chunk of response.body) seen.push(Buffer.from(chunk).toString());
  })();
  const fault = await faultOf(reading);
  expect(fault).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', phase: 'stream', transient: true });
  expect(seen.join('')).toBe('abcd');
});

test('an upstream body shorter than its content-length is not taken for a whole one', async () => {
  await using side = await start({
    headers: { 'content-length': '6' },
    body: 'abcdef',
    fault: { cutAfterBytes: 2 },
  });
  const response = await side.http.send(requestTo(side.upstream.url));
  expect(await faultOf(response.text())).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', phase: 'stream' });
});

test('an upstream answer that is not HTTP is PROVIDER_PROTOCOL', async () => {
  const server = createServer((socket) => socket.once('data', () => socket.end('+PONG\r\n')));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const http = createUpstreamHttp({ logger: silentLogger });
  const { port } = server.address() as AddressInfo;
  const fault = await faultOf(http.send(requestTo(`http://127.0.0.1:${port}/`)));
  expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL', phase: 'headers' });
  await http.close();
  server.close();
});

test("a header that cannot be sent is the request's fault", async () => {
  await using side = await start({ body: '' });
  const fault = await faultOf(side.http.send(requestTo(side.upstream.url, { headers: { 'x-a': 'a\nb' } })));
  expect(fault.code).toBe('PROVIDER_INVALID_REQUEST');
});

test.each(['', 'api.example/v1', 'ftp://api.example/'])(
  'the address "%s" is the request\'s fault',
  async (url) => {
    const http = createUpstreamHttp({ logger: silentLogger });
    const fault = await faultOf(http.send(requestTo(url)));
    expect(fault).toMatchObject({ code: 'PROVIDER_INVALID_REQUEST' });
    expect(fault.message).toContain('base URL');
  },
);

test('a server that does not complete the handshake within the limit is PROVIDER_TIMEOUT', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const http = createUpstreamHttp({ logger: silentLogger });
  const { port } = server.address() as AddressInfo;
  const fault = await faultOf(http.send(requestTo(`https://127.0.0.1:${port}/`, { connectTimeoutMs: 150 })));
  expect(fault).toMatchObject({ code: 'PROVIDER_TIMEOUT', phase: 'connect', transient: true });
  expect(fault.message).toContain(`127.0.0.1:${port} took too long to connect`);
  await http.close();
  server.close();
});

test.each([
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
] as const)(
  'an upstream answer that is compressed by %s all the same is read',
  async (encoding, compress) => {
    const body = compress('data: žluť\n\n');
    await using side = await start({ headers: { 'content-encoding': encoding }, body, cut: 3 });
    const response = await side.http.send(requestTo(side.upstream.url));
    expect(response.headers).not.toHaveProperty('content-encoding');
    expect(await readAll(response)).toBe('data: žluť\n\n');
    const again = await side.http.send(requestTo(side.upstream.url));
    expect(await again.text()).toBe('data: žluť\n\n');
  },
);

test('a compressed upstream answer that is left while a read of it is under way is given up at once', async () => {
  const body = gzipSync('x'.repeat(1000));
  await using side = await start({
    headers: { 'content-encoding': 'gzip' },
    body,
    fault: { stallAfterBytes: body.length - 9 },
  });
  const response = await side.http.send(requestTo(side.upstream.url));
  const reads = response.body[Symbol.asyncIterator]();
  const first = await reads.next();
  expect(first.done).toBe(false);
  const pending = reads.next().catch(() => undefined);
  await reads.return?.();
  await pending;
  await side.upstream.requests[0]?.aborted;
});

test('an upstream list or short answer that is longer than any could be is refused', async () => {
  const body = Buffer.alloc(16 * 1024 * 1024 + 1, ' ');
  await using side = await start((_request, index) => ({ status: index === 0 ? 200 : 302, body }));
  const list = await side.http.send(requestTo(side.upstream.url));
  expect(await faultOf(list.text())).toMatchObject({ code: 'PROVIDER_PROTOCOL', transient: false });
  const redirect = await side.http.send(requestTo(side.upstream.url));
  expect(await redirect.text()).toHaveLength(1024 * 1024);
});

test('an interim answer 100 that nobody asked for is told in words that help', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const http = createUpstreamHttp({ logger: silentLogger });
  const { port } = server.address() as AddressInfo;
  const fault = await faultOf(http.send(requestTo(`http://127.0.0.1:${port}`)));
  expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL', transient: false });
  expect(fault.message).toContain('"100 Continue" that nobody had asked for');
  await http.close();
  server.close();
});

test('ways to connect to upstreams that are used no more do not pile up, and one that is given up ends its request first', async () => {
  await using side = await start({ body: ['o', 'k'], pauseMs: 20 });
  const first = await side.http.send(requestTo(side.upstream.url, { connectTimeoutMs: 1 + 5000 }));
  for (let way = 2; way <= 300; way += 1) {
    const response = await side.http.send(requestTo(side.upstream.url, { connectTimeoutMs: way + 5000 }));
    await response.text();
  }
  expect(await first.text()).toBe('ok');
  await expect.poll(() => side.upstream.openConnections()).toBeLessThanOrEqual(256);
}, 30_000);

test.each([
  ['gzip', 'no gzip at all'],
  ['snappy', 'x'],
])(
  'an upstream answer that claims to be %s and cannot be read is PROVIDER_PROTOCOL',
  async (encoding, body) => {
    await using side = await start({ headers: { 'content-encoding': encoding }, body });
    const response = await side.http.send(requestTo(side.upstream.url));
    expect(await faultOf(response.text())).toMatchObject({ code: 'PROVIDER_PROTOCOL', phase: 'stream' });
  },
);

test('a compressed upstream answer that breaks off, or is left, is like any other', async () => {
  const body = gzipSync('x'.repeat(1000));
  const headers = { 'content-encoding': 'gzip' };
  await using side = await start((_request, index) => ({
    headers,
    body,
    fault: index === 0 ? { cutAfterBytes: 20 } : { stallAfterBytes: body.length },
  }));
  const broken = await side.http.send(requestTo(side.upstream.url));
  expect(await faultOf(readAll(broken))).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', phase: 'stream' });
  const left = await side.http.send(requestTo(side.upstream.url));
  for await (const _chunk of left.body) break;
  await side.upstream.requests[1]?.aborted;
});

test('a redirect of an upstream is an answer, and is not followed', async () => {
  await using side = await start({
    status: 307,
    headers: { location: 'http://elsewhere.example/' },
    body: '',
  });
  const response = await side.http.send(requestTo(side.upstream.url));
  expect(response.status).toBe(307);
  expect(side.upstream.requests).toHaveLength(1);
});

test('a certificate of an unknown authority is PROVIDER_UNAVAILABLE, never authentication', async () => {
  await using upstream = await startTlsUpstream();
  const http = createUpstreamHttp({ logger: silentLogger });
  const fault = await faultOf(http.send(requestTo(`https://localhost:${upstream.port}/`)));
  expect(fault).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', phase: 'connect', transient: false });
  expect(fault.message).toContain(`localhost:${upstream.port} has no certificate that can be trusted`);
  await http.close();
});

test('a CA bundle makes its authority trusted, for the requests that carry it only', async () => {
  await using upstream = await startTlsUpstream();
  const http = createUpstreamHttp({ logger: silentLogger });
  const url = `https://localhost:${upstream.port}/`;
  const response = await http.send(requestTo(url, { caPem: testAuthorityPem }));
  expect(await response.text()).toBe('{"ok":true}');
  expect((await faultOf(http.send(requestTo(url)))).code).toBe('PROVIDER_UNAVAILABLE');
  await http.close();
});

test('a CA bundle that is no PEM is said to be that', async () => {
  const http = createUpstreamHttp({ logger: silentLogger });
  const fault = await faultOf(http.send(requestTo('https://localhost:1/', { caPem: 'nonsense' })));
  expect(fault.message).toContain('CA bundle');
  await http.close();
});

test('plain text on a TLS port is a failed handshake', async () => {
  await using side = await start({ body: '' });
  const fault = await faultOf(side.http.send(requestTo(side.upstream.url.replace('http:', 'https:'))));
  expect(fault).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', phase: 'connect' });
  expect(fault.message).toContain('did not complete the TLS handshake');
});

test.each([
  ['a literal address', '127.0.0.1'],
  ['a name that resolves to it', 'localhost'],
  ['its decimal form', '2130706433'],
  ['its IPv6-mapped form', '[::ffff:127.0.0.1]'],
])(
  'an internal destination is refused by the address that would be connected to: %s',
  async (_form, host) => {
    const asked: string[] = [];
    await using side = await start(
      { body: 'secret' },
      {
        allowAddress: (ip) => {
          asked.push(ip);
          return ip !== '127.0.0.1' && ip !== '::1';
        },
      },
    );
    const { port } = new URL(side.upstream.url);
    const fault = await faultOf(side.http.send(requestTo(`http://${host}:${port}/`)));
    expect(fault).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', phase: 'connect', transient: false });
    expect(fault.message).toContain('does not allow (ADDRESS_REFUSED: see PRIVATE_UPSTREAMS)');
    expect(asked).toContain('127.0.0.1');
    expect(side.upstream.requests).toEqual([]);
  },
);

test('a name that means another address at its second look-up is judged by that one', async () => {
  const answers = [
    [{ address: '127.0.0.1', family: 4 }],
    [{ address: '127.0.0.2', family: 4 }],
    [
      { address: '127.0.0.2', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ],
  ];
  await using side = await start(
    { body: 'ok', headers: { connection: 'close' } },
    {
      allowAddress: (ip) => ip === '127.0.0.1',
      resolve: (_hostname, _options, callback) => callback(null, answers.shift() ?? []),
    },
  );
  const url = `http://rebinding.test:${new URL(side.upstream.url).port}/`;
  expect(await (await side.http.send(requestTo(url))).text()).toBe('ok');
  const fault = await faultOf(side.http.send(requestTo(url)));
  expect(fault.message).toContain('does not allow (ADDRESS_REFUSED');
  // Of several only what is allowed is tried.
  expect(await (await side.http.send(requestTo(url))).text()).toBe('ok');
  expect(side.upstream.requests).toHaveLength(2);
});

test('an allowed address is connected to, by number and by name', async () => {
  await using side = await start({ body: 'ok' }, { allowAddress: (ip) => ip === '127.0.0.1' });
  const { port } = new URL(side.upstream.url);
  for (const host of ['127.0.0.1', 'localhost']) {
    const response = await side.http.send(requestTo(`http://${host}:${port}/`));
    expect(await response.text()).toBe('ok');
  }
});

test('telemetry is told of an upstream request once, without headers, query or body', async () => {
  const told: TelemetryEvent[] = [];
  const telemetry = { isHeard: true, emit: (event: TelemetryEvent) => void told.push(event) };
  await using side = await start({ status: 429, body: 'slow down' }, { telemetry });
  const url = `${side.upstream.url}/v1/chat?key=sk-secret`;
  await side.http.send(requestTo(url, { headers: { authorization: 'Bearer sk-secret' } }));
  await side.upstream.close();
  await faultOf(side.http.send(requestTo(url)));
  const { host } = new URL(side.upstream.url);
  const request = {
    type: 'upstream-answered',
    method: 'POST',
    host,
    path: '/v1/chat',
    ms: expect.any(Number),
  };
  expect(told).toEqual([
    { ...request, outcome: { status: 429 } },
    { ...request, outcome: { fault: 'PROVIDER_UNAVAILABLE' } },
  ]);
});

test('closing the upstream client breaks off what is under way and lets go of every connection', async () => {
  await using side = await start({ body: 'abc', fault: { stallAfterBytes: 1 } });
  const response = await side.http.send(requestTo(side.upstream.url));
  const reading = faultOf(readAll(response));
  await side.http.close();
  expect(await reading).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', phase: 'stream' });
  await side.upstream.requests[0]?.aborted;
});

test('the connection pools that configs ask for are bounded: the ones unused for longest close, once their answers are read', async () => {
  const begun = { body: ['first', 'second'], pauseMs: 200 };
  await using up = await start((_request, index) => (index === 0 ? begun : { body: 'x' }));
  const slow = await up.http.send(requestTo(up.upstream.url, { connectTimeoutMs: 999 }));
  for (let connectTimeoutMs = 1_000; connectTimeoutMs < 1_080; connectTimeoutMs += 1) {
    expect(await readAll(await up.http.send(requestTo(up.upstream.url, { connectTimeoutMs })))).toBe('x');
  }
  expect(await readAll(slow)).toBe('firstsecond');
  await expect.poll(() => up.upstream.openConnections()).toBeLessThanOrEqual(64);
});
