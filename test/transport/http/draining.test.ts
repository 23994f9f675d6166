import { once } from 'node:events';
import { connect } from 'node:net';
import { print } from 'graphql';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import {
  CompleteDocument,
  StartCompletionDocument,
  StreamCompletionDocument,
} from '../../__generated__/documents.ts';
import { post, startTestApp, type TestApp } from '../../support/app.ts';
import { createDatabase, postgresUsable } from '../../support/databases.ts';
import { openSse, sandboxInput } from '../../support/run-calls.ts';
import { sandboxCatalogue } from '../../support/sandbox-catalogue.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';

/** Far below what a socket, a kept connection or a database that is away would make it wait. */
const BOUND_MS = 20_000;
const SLOW = { tokens: 5_000, tokensPerSecond: 20 };
const STREAM = print(StreamCompletionDocument);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const begin = async (app: TestApp) =>
  post<any>(
    `${app.url}/graphql`,
    { query: print(StartCompletionDocument), variables: { input: sandboxInput(SLOW) } },
    app.adminKey,
  );

async function start(environment: Record<string, string> = {}): Promise<TestApp> {
  return startTestApp('embedded', {
    environment: { SANDBOX: 'on', ...environment },
    overrides: { catalogueData: await sandboxCatalogue() },
  });
}

/** On a PostgreSQL that the test can slow down and cut. */
async function startBehindProxy(environment: Record<string, string>) {
  const real = await createDatabase('postgresql');
  const url = new URL(real.url ?? '');
  const postgres = await startTcpProxy(Number(url.port || 5432));
  url.port = String(postgres.port);
  const app = await startTestApp('postgresql', {
    database: { ...real, url: url.href },
    environment: { SANDBOX: 'on', ...environment },
    overrides: { catalogueData: await sandboxCatalogue() },
  });
  onTestFinished(async () => {
    await app.close();
    await postgres[Symbol.asyncDispose]();
    await real.drop();
  });
  return { app, postgres, databaseUrl: real.url ?? '' };
}

async function statusesIn(databaseUrl: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query('select status from completion_run order by created_at');
  await client.end();
  return rows.map(({ status }) => status);
}

async function closed(app: TestApp): Promise<number> {
  const begun = performance.now();
  await app.close();
  return performance.now() - begun;
}

describe('nodes that shut down', { timeout: 90_000 }, () => {
  test('a node that shuts down waits for no client that leaves its close frame unanswered, and begins nothing meanwhile', async () => {
    const app = await start({ DRAIN_GRACE_MS: '300' });
    const frozen = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(frozen, 'open');
    frozen.pause();
    onTestFinished(() => frozen.terminate());
    await begin(app);
    const closing = closed(app);
    const refused = await begin(app);
    expect(refused.errors?.[0]?.extensions.code).toBe('NODE_DRAINING');
    expect(await closing).toBeLessThan(BOUND_MS);
  });

  test('a node that shuts down tells it as 503 with Retry-After at every door, also to connections that are kept open', async () => {
    const app = await start({ DRAIN_GRACE_MS: '60000' });
    const { data } = await begin(app);
    const closing = app.close();
    const answers = await Promise.all([
      fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${app.adminKey}` },
        body: JSON.stringify({ query: print(CompleteDocument), variables: { input: sandboxInput() } }),
      }),
      openSse(app, app.adminKey, {
        query: STREAM,
        variables: { input: { ...sandboxInput(), idempotencyKey: 'k' } },
      }).then(({ response }) => response),
      openSse(app, app.adminKey, { query: 'subscription { completionEvents(id: "x") { seq } }' }).then(
        ({ response }) => response,
      ),
    ]);
    for (const answer of answers) {
      expect([answer.status, answer.headers.get('retry-after'), answer.headers.get('connection')]).toEqual([
        503,
        '1',
        'close',
      ]);
      expect(((await answer.json()) as any).errors[0].extensions).toMatchObject({
        code: 'NODE_DRAINING',
        retryAfterMs: 1_000,
        requestId: expect.any(String),
      });
    }
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    socket.on('error', () => {});
    const [, handshake] = await once(socket, 'unexpected-response');
    expect([handshake.statusCode, handshake.headers['retry-after']]).toEqual([503, '1']);
    expect((await fetch(`${app.url}/health/ready`)).status).toBe(503);
    // Who is there still can ask, and stop, what runs here.
    const { id } = data.startCompletion.completion;
    const cancel = 'mutation ($id: ID!) { cancelCompletion(input: { id: $id }) { completion { status } } }';
    const stopped = await app.graph(cancel, { id });
    expect([stopped.status, stopped.data.cancelCompletion.completion.status]).toEqual([200, 'CANCELLED']);
    await closing;
  });

  test('a node that shuts down answers what comes over a kept connection while it closes in the form of GraphQL', async () => {
    const app = await start({ DRAIN_GRACE_MS: '0' });
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    await once(socket, 'connect');
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.on('error', () => {});
    const body = '{"query":"{ viewer { caller } }"}';
    const head = `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer ${app.adminKey}\r\n`;
    // A request whose body is still on its way keeps the connection from being idle; the next one comes right behind it.
    socket.write(`${head}content-length: ${body.length}\r\n\r\n${body.slice(0, 5)}`);
    await pause(100);
    const closing = closed(app);
    await pause(100);
    socket.write(`${body.slice(5)}GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n`);
    expect(await closing).toBeLessThan(BOUND_MS);
    expect(received).not.toContain('"message":"Service Unavailable"');
  });

  test('a node that shuts down is not kept up by connections that are idle', async () => {
    const app = await start({ DRAIN_GRACE_MS: '200' });
    const input = sandboxInput(SLOW);
    const waiting = post<any>(
      `${app.url}/graphql`,
      { query: print(CompleteDocument), variables: { input } },
      app.adminKey,
    );
    await expect
      .poll(async () => (await app.graph('{ completions { totalCount } }')).data.completions.totalCount)
      .toBe(1);
    const time = closed(app);
    const { status, errors } = await waiting;
    expect([status, errors?.[0]?.extensions.code]).toEqual([503, 'NODE_DRAINING']);
    expect(await time).toBeLessThan(BOUND_MS);
  });

  test.skipIf(!postgresUsable())(
    'a node that shuts down ends a run that was being begun when it was told to, and answers its caller',
    async () => {
      const { app, postgres, databaseUrl } = await startBehindProxy({ DRAIN_GRACE_MS: '100' });
      postgres.delay(500);
      const waiting = post<any>(
        `${app.url}/graphql`,
        { query: print(CompleteDocument), variables: { input: sandboxInput(SLOW) } },
        app.adminKey,
      );
      await pause(150);
      const time = closed(app);
      const { errors } = await waiting;
      expect(errors?.[0]?.extensions.code).toBe('NODE_DRAINING');
      expect(await time).toBeLessThan(BOUND_MS);
      expect(await statusesIn(databaseUrl)).toEqual(['INTERRUPTED']);
    },
  );

  test.skipIf(!postgresUsable())(
    'a node that shuts down ends in bounded time while its database is away, and tells no end that was not written',
    async () => {
      const { app, postgres, databaseUrl } = await startBehindProxy({ DRAIN_GRACE_MS: '100' });
      const waiting = post<any>(
        `${app.url}/graphql`,
        { query: print(CompleteDocument), variables: { input: sandboxInput(SLOW) } },
        app.adminKey,
      );
      await expect.poll(() => statusesIn(databaseUrl), { timeout: BOUND_MS }).toEqual(['RUNNING']);
      postgres.cut();
      const time = closed(app);
      const { status, errors } = await waiting;
      expect([status, errors?.[0]?.extensions.code]).toEqual([503, 'NODE_DRAINING']);
      expect(await time).toBeLessThan(BOUND_MS);
      expect(await statusesIn(databaseUrl)).toEqual(['RUNNING']);
    },
  );
});
