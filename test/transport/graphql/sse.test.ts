import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient } from 'graphql-sse';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { browserMissing, explainMissingBrowser, launchBrowser } from '../../support/browser.ts';
import { createDatabase, postgresUsable } from '../../support/databases.ts';
import { collect, openSse, sandboxInput } from '../../support/run-calls.ts';
import { sandboxCatalogue } from '../../support/sandbox-catalogue.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';

const STREAM =
  'subscription ($input: CompletionInput!) { streamCompletion(input: $input) { seq ... on TextDelta { text } } }';
const EVENTS = 'subscription ($id: String!) { completionEvents(id: $id) { seq } }';
const input = (over: object = {}) => ({
  ...sandboxInput({ text: 'All is well.' }),
  idempotencyKey: crypto.randomUUID(),
  ...over,
});

describe('server-sent events', { timeout: 60_000 }, () => {
  let app: TestApp;
  let page: { readonly origin: string; close(): void };

  beforeAll(async () => {
    page = await servePage();
    app = await startTestApp('embedded', {
      environment: { SANDBOX: 'on', CORS_ORIGINS: page.origin, MAX_BODY_MB: '1' },
      overrides: { catalogueData: await sandboxCatalogue() },
    });
  }, 90_000);
  afterAll(() => page.close());

  const streamUrl = () => `${app.url}/graphql/stream`;
  const client = (requests: string[], key = app.adminKey) =>
    createClient({
      url: streamUrl(),
      headers: { authorization: `Bearer ${key}` },
      on: { connecting: () => requests.push('request') },
    });

  test('the door for server-sent events answers a page of an allowed origin with the headers that its browser asks for', async () => {
    const asked = await openSse(
      app,
      app.adminKey,
      { query: STREAM, variables: { input: input() } },
      { origin: page.origin },
    );
    expect(asked.response.status).toBe(200);
    expect(asked.response.headers.get('access-control-allow-origin')).toBe(page.origin);
    expect(asked.response.headers.get('access-control-expose-headers')).toContain('x-request-id');
    expect(asked.response.headers.get('vary')).toContain('Origin');
    expect((await collect(asked.events)).at(-1)?.event).toBe('complete');
    const refused = await openSse(app, app.adminKey, { query: '{' }, { origin: page.origin });
    expect(refused.response.headers.get('access-control-allow-origin')).toBe(page.origin);
    const foreign = await openSse(
      app,
      app.adminKey,
      { query: STREAM, variables: { input: input() } },
      { origin: 'https://evil.example' },
    );
    expect(foreign.response.headers.get('access-control-allow-origin')).toBeNull();
    foreign.abort();
  });

  explainMissingBrowser();
  test.skipIf(browserMissing)(
    'the door for server-sent events streams to a page of an allowed origin in a browser',
    async () => {
      const browser = await launchBrowser();
      onTestFinished(() => browser.close());
      const tab = await browser.newPage();
      await tab.goto(page.origin);
      const body = JSON.stringify({ query: STREAM, variables: { input: input() } });
      const answer = await tab.evaluate(
        async ([url, key, body]) => {
          const response = await fetch(url, {
            method: 'POST',
            headers: {
              accept: 'text/event-stream',
              'content-type': 'application/json',
              authorization: `Bearer ${key}`,
            },
            body,
          });
          return { text: await response.text(), requestId: response.headers.get('x-request-id') };
        },
        [streamUrl(), app.adminKey, body] as const,
      );
      expect(answer.text).toContain('event: complete');
      expect(answer.requestId).toBeTruthy();
    },
  );

  test.each([
    ['an input without a key', STREAM, () => ({ input: sandboxInput() }), 'BAD_USER_INPUT', 'idempotencyKey'],
    [
      'an unknown model',
      STREAM,
      () => ({ input: input({ model: 'nothing' }) }),
      'MODEL_NOT_FOUND',
      'nothing',
    ],
    ['a run that is not there', EVENTS, () => ({ id: 'x' }), 'NOT_FOUND', 'Completion'],
    ['a document that is not valid', 'subscription { x }', () => ({}), 'GRAPHQL_VALIDATION_FAILED', '"x"'],
    ['a query', '{ viewer { caller } }', () => ({}), 'BAD_REQUEST', 'POST /graphql'],
    ['a body that is too large', STREAM, () => ({ x: 'x'.repeat(1_100_000) }), 'BAD_REQUEST', 'large'],
  ])(
    'the door for server-sent events shows the words of a refusal of %s to an unmodified graphql-sse, which asks once',
    async (_what, query, variables, code, words) => {
      const requests: string[] = [];
      const [result, ...more] = await collect(client(requests).iterate({ query, variables: variables() }));
      expect([requests.length, more]).toEqual([1, []]);
      const [error] = result?.errors ?? [];
      expect(error?.extensions?.code).toBe(code);
      expect(error?.message).toContain(words);
      expect(error?.extensions?.requestId).toBeTruthy();
    },
  );

  test.each([
    ['an input without a key', STREAM, () => ({ input: sandboxInput() }), 400],
    ['an unknown model', STREAM, () => ({ input: input({ model: 'nothing' }) }), 404],
    ['a run that is not there', EVENTS, () => ({ id: 'x' }), 404],
    ['a query', '{ viewer { caller } }', () => ({}), 405],
  ])(
    'the door for server-sent events refuses %s by a status to clients that take JSON too',
    async (_what, query, variables, status) => {
      for (const accept of ['*/*', 'text/event-stream, application/json']) {
        const { response } = await openSse(app, app.adminKey, { query, variables: variables() }, { accept });
        expect([response.status, response.headers.get('content-type')]).toEqual([
          status,
          'application/json; charset=utf-8',
        ]);
      }
    },
  );

  test('the door for server-sent events keeps 401 a status, whatever the client takes', async () => {
    const { response } = await openSse(app, 'mg_unknown', { query: STREAM });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });
});

test.skipIf(!postgresUsable())(
  'an outage is told as 503 with Retry-After at the doors over HTTP, and a graphql-sse that tries again gets its stream',
  { timeout: 90_000 },
  async () => {
    const real = await createDatabase('postgresql');
    const url = new URL(real.url ?? '');
    const postgres = await startTcpProxy(Number(url.port || 5432));
    url.port = String(postgres.port);
    const app = await startTestApp('postgresql', {
      database: { ...real, url: url.href },
      environment: { SANDBOX: 'on' },
      overrides: { catalogueData: await sandboxCatalogue() },
    });
    onTestFinished(async () => {
      postgres.mend();
      await app.close();
      await postgres[Symbol.asyncDispose]();
      await real.drop();
    });
    postgres.cut();
    const complete = 'mutation ($input: CompletionInput!) { complete(input: $input) { completion { id } } }';
    const answers = [
      (await openSse(app, app.adminKey, { query: STREAM, variables: { input: input() } })).response,
      await fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${app.adminKey}` },
        body: JSON.stringify({ query: complete, variables: { input: input() } }),
      }),
    ];
    for (const answer of answers) {
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
      expect(((await answer.json()) as any).errors[0].extensions.code).toBe('STORAGE_UNAVAILABLE');
    }
    let requests = 0;
    const client = createClient({
      url: `${app.url}/graphql/stream`,
      headers: { authorization: `Bearer ${app.adminKey}` },
      retry: async () => postgres.mend(),
      on: {
        connecting: () => {
          requests += 1;
        },
      },
    });
    const results: any[] = await collect(client.iterate({ query: STREAM, variables: { input: input() } }));
    expect(requests).toBeGreaterThan(1);
    expect(results.map(({ data }) => data.streamCompletion.text ?? '').join('')).toBe('All is well.');
  },
);

/** A page of its own origin. */
async function servePage() {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<title>A page</title>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => void server.close(),
  };
}
