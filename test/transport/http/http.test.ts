import { beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { post, startTestApp, type TestApp } from '../../support/app.ts';

describe('doors', () => {
  let app: TestApp;
  const logged: string[] = [];
  beforeAll(async () => {
    app = await startTestApp('embedded', {
      environment: { MAX_BODY_MB: '1', LOG_LEVEL: 'debug', INTROSPECTION: 'off' },
      overrides: { logDestination: { write: (line) => logged.push(line) } },
    });
  });
  const graphqlUrl = () => `${app.url}/graphql`;

  test.each([
    ['no key', undefined],
    ['an unknown key', 'mg_unknown'],
  ])('the doors answer 401 to %s, and say how to sign in', async (_what, key) => {
    for (const url of [graphqlUrl(), `${app.url}/graphql/stream`]) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(key ? { authorization: `Bearer ${key}` } : {}) },
        body: JSON.stringify({ query: '{ viewer { caller } }' }),
      });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(response.headers.get('x-request-id')).toBeTruthy();
      expect(((await response.json()) as any).errors[0].extensions.code).toBe('UNAUTHENTICATED');
    }
  });

  test.each([
    ['an unknown key', { authorization: 'Bearer mg_unknown' }, 4401],
    ['no key', {}, 4401],
  ])('the doors close a socket that brings %s', async (_what, payload, code) => {
    const socket = new WebSocket(graphqlUrl().replace('http', 'ws'), 'graphql-transport-ws');
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload })));
    const closed = await new Promise<number>((resolve) => socket.on('close', resolve));
    expect(closed).toBe(code);
  });

  test('the doors refuse a subscription before the socket has signed in', async () => {
    const socket = new WebSocket(graphqlUrl().replace('http', 'ws'), 'graphql-transport-ws');
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: 'subscription { x }' } })),
    );
    expect(await new Promise<number>((resolve) => socket.on('close', resolve))).toBe(4401);
  });

  test('the doors give a request the id that it brings, in the answer, the error and the log', async () => {
    const response = await fetch(graphqlUrl(), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${app.adminKey}`,
        'x-request-id': 'from-the-client-1',
      },
      body: JSON.stringify({ query: '{ completion(id: "x") { id } }' }),
    });
    expect(response.headers.get('x-request-id')).toBe('from-the-client-1');
    expect(((await response.json()) as any).errors[0].extensions.requestId).toBe('from-the-client-1');
  });

  test('the doors tell what is wrong with a document or its variables', async () => {
    const answers = await Promise.all([
      app.graph('{ viewer { '),
      app.graph('{ viewer { nonsense } }'),
      app.graph('{ viewer { caller { x } } }'),
      app.graph('query ($id: ID!) { node(id: $id) { id } }'),
      app.graph(
        'mutation ($i: CreateWorkspaceInput!) { createWorkspace(input: $i) { userErrors { code } } }',
        { i: { slug: 3 } },
      ),
    ]);
    expect(answers.map(({ errors }) => errors?.[0]?.extensions.code)).toEqual([
      'GRAPHQL_PARSE_FAILED',
      'GRAPHQL_VALIDATION_FAILED',
      'GRAPHQL_VALIDATION_FAILED',
      'BAD_USER_INPUT',
      'BAD_USER_INPUT',
    ]);
    for (const { errors } of answers) expect(errors?.[0]?.extensions.requestId).toBeTruthy();
  });

  test('the doors run no mutation by GET', async () => {
    const query = encodeURIComponent(
      'mutation { createWorkspace(input: {slug: "by-get"}) { userErrors { code } } }',
    );
    const response = await fetch(`${graphqlUrl()}?query=${query}`, {
      headers: { authorization: `Bearer ${app.adminKey}`, 'apollo-require-preflight': '1' },
    });
    expect(response.status).toBe(405);
    expect((await app.graph('{ workspaces { slug } }')).data.workspaces).toEqual([{ slug: 'default' }]);
  });

  test('the doors refuse a body that is too large, or no JSON', async () => {
    const large = await post<unknown>(graphqlUrl(), { query: ' '.repeat(1_100_000) }, app.adminKey);
    expect(large.status).toBe(413);
    const broken = await fetch(graphqlUrl(), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${app.adminKey}` },
      body: '{',
    });
    expect(broken.status).toBe(400);
  });

  test('the doors keep introspection to themselves where it is off', async () => {
    const { errors } = await app.graph('{ __schema { queryType { name } } }');
    expect(errors?.[0]?.message).toContain('introspection');
  });

  test('the doors tell a load balancer that the node lives and is ready', async () => {
    const [live, ready] = await Promise.all([
      fetch(`${app.url}/health/live`),
      fetch(`${app.url}/health/ready`),
    ]);
    expect([live.status, ready.status]).toEqual([200, 200]);
  });

  test('the doors log no key', async () => {
    await app.graph('{ viewer { caller } }');
    await fetch(`${app.url}/nowhere`, { headers: { authorization: `Bearer ${app.adminKey}` } });
    expect(logged.join('')).not.toContain(app.adminKey);
  });
});
