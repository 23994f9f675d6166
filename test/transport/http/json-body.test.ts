import { once } from 'node:events';
import { type ClientRequest, request as httpRequest } from 'node:http';
import { beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { startTestApp, type TestApp } from '../../support/app.ts';

const ROUTE_PLAN = 'query ($input: CompletionInput!) { routePlan(input: $input) { explanation } }';

describe('what signed-in clients send', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp('postgresql', { environment: { MAX_BODY_MB: '1', BATCHING: 'on' } });
  });
  const sendText = async (body: string, path = '/graphql') => {
    const response = await fetch(`${app.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${app.adminKey}` },
      body,
    });
    return { status: response.status, answer: (await response.json()) as any };
  };
  /** JSON text of a request whose metadata nest so deep. */
  const deepVariables = (levels: number) => {
    const nested = `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
    return `{"input":{"model":"auto","messages":[{"role":"USER","text":"x"}],"metadata":${nested}}}`;
  };

  test('JSON that nests too deep is refused at every door, in words', async () => {
    const body = `{"query":${JSON.stringify(ROUTE_PLAN)},"variables":${deepVariables(5_000)}}`;
    for (const path of ['/graphql', '/graphql/stream']) {
      const { status, answer } = await sendText(body, path);
      expect(status).toBe(400);
      expect(answer.errors[0]).toMatchObject({
        message: 'The JSON nests deeper than 128 levels; send it flatter',
        extensions: { code: 'BAD_REQUEST' },
      });
    }
    const search = new URLSearchParams({ query: ROUTE_PLAN, variables: deepVariables(500) });
    const byGet = await fetch(`${app.url}/graphql?${search}`, {
      headers: { authorization: `Bearer ${app.adminKey}` },
    });
    expect([byGet.status, await byGet.text()]).toEqual([400, expect.stringContaining('variables: The JSON')]);
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(socket, 'open');
    const closed = once(socket, 'close');
    socket.send(`{"type":"connection_init","payload":${'['.repeat(500)}${']'.repeat(500)}}`);
    const [code, reason] = await closed;
    expect([code, String(reason)]).toEqual([4400, 'The JSON nests deeper than 128 levels; send it flatter']);
  });

  test('JSON of too many values is refused before it is parsed', async () => {
    const { status, answer } = await sendText(
      `{"query":"{ viewer { caller } }","variables":{"a":[${'0,'.repeat(210_000)}0]}}`,
    );
    expect([status, answer.errors[0].message]).toEqual([
      400,
      'The JSON has more than 200000 values; send fewer at once',
    ]);
  });

  test('literals of a document may nest as deep as the parser lets them', async () => {
    const nested = `${'{a: '.repeat(480)}1${'}'.repeat(480)}`;
    const { errors } = await app.graph(
      `{ routePlan(input: {model: "auto", messages: [{role: USER, text: "x"}], metadata: ${nested}}) { explanation } }`,
    );
    expect(errors?.[0]?.extensions.code).not.toBe('INTERNAL');
  });

  test.each([
    ['[null]'],
    ['[{"query":"{ viewer { caller } }"},null]'],
    ['[[null]]'],
    ['5'],
    ['"x"'],
    ['null'],
  ])('the body %s of a signed-in client is a bad request, not a fault of the gateway', async (body) => {
    const { status, answer } = await sendText(body);
    expect(status).toBe(400);
    expect(JSON.stringify(answer)).not.toContain('INTERNAL');
  });

  test('a batch of operations has a bounded number of them', async () => {
    const { status, answer } = await sendText(
      JSON.stringify(Array(101).fill({ query: '{ viewer { caller } }' })),
    );
    expect([status, answer.errors[0].message]).toEqual([400, 'A batch has 101 operations, of at most 100']);
  });

  test('a body of another kind than JSON is refused unread', async () => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain', authorization: `Bearer ${app.adminKey}` },
      body: '{"query":"{ viewer { caller } }"}',
    });
    expect(response.status).toBe(415);
  });

  test('uploads that together are more than the node holds are told to come again, and small requests pass', async () => {
    const uploads: ClientRequest[] = [];
    const upload = () => {
      const request = httpRequest(`${app.url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': '1000000',
          authorization: `Bearer ${app.adminKey}`,
        },
      });
      request.on('error', () => {});
      uploads.push(request);
      request.write('x'.repeat(900_000));
      return once(request, 'response').then(([response]) => response);
    };
    // Two bodies of the largest size may be under way: 2,097,152 bytes.
    const refused = await Promise.race([upload(), upload(), upload()]);
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '1']);
    expect(JSON.parse(String((await once(refused, 'data'))[0])).errors[0].extensions.code).toBe('NODE_BUSY');
    expect((await app.graph('{ viewer { caller } }')).status).toBe(200);
    for (const request of uploads) request.destroy();
    const body = JSON.stringify({ query: '{ viewer { caller } }', variables: { text: 'x'.repeat(900_000) } });
    await expect.poll(async () => (await sendText(body)).status).toBe(200);
  });
});
