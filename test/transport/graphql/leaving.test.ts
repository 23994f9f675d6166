import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { print } from 'graphql';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { deferred } from '../../../src/kernel/async.ts';
import { openWebSockets } from '../../../src/transport/graphql/web-sockets.ts';
import { IntakeBudget } from '../../../src/transport/http/intake-budget.ts';
import {
  CompleteDocument,
  type CompletionInput,
  StreamCompletionDocument,
} from '../../__generated__/documents.ts';
import { post, startTestApp, type TestApp } from '../../support/app.ts';
import { createDatabase, postgresUsable } from '../../support/databases.ts';
import { sandboxInput } from '../../support/run-calls.ts';
import { sandboxCatalogue } from '../../support/sandbox-catalogue.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';
import { describeTwoNodes, startTwoNodes, type TwoNodes } from '../../support/two-nodes.ts';

const GRACE_MS = 300;
const BEGIN_MS = 400;

/** Far longer than a test: such a run ends because it is cancelled, or not at all. */
function endless(over: Partial<CompletionInput> = {}): CompletionInput {
  return sandboxInput(
    { tokens: 5_000, tokensPerSecond: 20 },
    { onDetach: 'CANCEL', detachGraceMs: GRACE_MS, idempotencyKey: crypto.randomUUID(), ...over },
  );
}

const QUERIES = { stream: print(StreamCompletionDocument), complete: print(CompleteDocument) };

/** A caller that sends one operation and can leave at any time, by whichever door. */
const CALLERS = {
  'a stream over SSE': (app: TestApp, input: CompletionInput) =>
    byHttp(app, '/graphql/stream', { query: QUERIES.stream, variables: { input } }),
  '`complete` over HTTP': (app: TestApp, input: CompletionInput) =>
    byHttp(app, '/graphql', { query: QUERIES.complete, variables: { input } }),
  'a stream over WebSocket': (app: TestApp, input: CompletionInput) =>
    bySocket(app, { query: QUERIES.stream, variables: { input } }, (socket) => socket.terminate()),
  '`complete` over WebSocket': (app: TestApp, input: CompletionInput) =>
    bySocket(app, { query: QUERIES.complete, variables: { input } }, (socket) => socket.terminate()),
  '`complete` over WebSocket, by unsubscribing': (app: TestApp, input: CompletionInput) =>
    bySocket(app, { query: QUERIES.complete, variables: { input } }, (socket, id) =>
      socket.send(JSON.stringify({ id, type: 'complete' })),
    ),
};

async function byHttp(app: TestApp, path: string, body: object): Promise<() => void> {
  const text = JSON.stringify(body);
  const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer ${app.adminKey}\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
  return () => socket.destroy();
}

async function bySocket(
  app: TestApp,
  payload: object,
  leave: (socket: WebSocket, id: string) => void,
): Promise<() => void> {
  const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  socket.send(
    JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${app.adminKey}` } }),
  );
  await once(socket, 'message');
  const id = crypto.randomUUID();
  socket.send(JSON.stringify({ id, type: 'subscribe', payload }));
  return () => leave(socket, id);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function statuses(app: TestApp): Promise<string[]> {
  const { data } = await app.graph('{ completions(first: 10) { nodes { status } } }');
  return data.completions.nodes.map(({ status }: { status: string }) => status);
}

describe.skipIf(!postgresUsable()).each(Object.entries(CALLERS))('a caller that leaves %s', (_what, call) => {
  let app: TestApp;
  let postgres: TcpProxy;

  beforeAll(async () => {
    const real = await createDatabase('postgresql');
    const url = new URL(real.url ?? '');
    postgres = await startTcpProxy(Number(url.port || 5432));
    url.port = String(postgres.port);
    app = await startTestApp('postgresql', {
      database: { ...real, url: url.href },
      environment: { SANDBOX: 'on' },
      overrides: { catalogueData: await sandboxCatalogue() },
    });
    return async () => {
      await app.close();
      await postgres[Symbol.asyncDispose]();
      await real.drop();
    };
  });

  test('a caller that leaves while its run is being begun has the run cancelled once the grace is over', async () => {
    const before = (await statuses(app)).length;
    postgres.delay(BEGIN_MS);
    const leave = await call(app, endless());
    await pause(BEGIN_MS / 4);
    leave();
    await pause(BEGIN_MS * 2);
    postgres.delay(0);
    await expect.poll(() => statuses(app), { timeout: 8_000 }).toHaveLength(before + 1);
    await expect.poll(async () => (await statuses(app))[0], { timeout: 8_000 }).toBe('CANCELLED');
  });

  test('a caller that leaves while its run goes on has the run cancelled once the grace is over', async () => {
    const before = (await statuses(app)).length;
    const leave = await call(app, endless());
    await expect.poll(() => statuses(app), { timeout: 8_000 }).toHaveLength(before + 1);
    await pause(GRACE_MS * 2);
    expect((await statuses(app))[0]).toBe('RUNNING');
    leave();
    await expect.poll(async () => (await statuses(app))[0], { timeout: 8_000 }).toBe('CANCELLED');
  });
});

describeTwoNodes('leaving a run on another node', () => {
  let nodes: TwoNodes;
  beforeAll(async () => {
    nodes = await startTwoNodes({ SANDBOX: 'on' });
  });

  test('a caller that leaves a run on another node attends it no longer, so that the run is cancelled by its own node', async () => {
    const { a, b } = nodes;
    const input = endless({ detachGraceMs: 1_000 });
    const started = await post<any>(
      `${a.url}/graphql`,
      {
        query: 'mutation ($input: CompletionInput!) { startCompletion(input: $input) { completion { id } } }',
        variables: { input },
      },
      a.adminKey,
    );
    const { id } = started.data.startCompletion.completion;
    const leave = await CALLERS['`complete` over HTTP'](b, input);
    await pause(3_000);
    const statusOf = async () =>
      (await a.graph('query ($id: String!) { completion(id: $id) { status } }', { id })).data.completion
        .status;
    expect(await statusOf()).toBe('RUNNING');
    leave();
    await expect.poll(statusOf, { timeout: 15_000 }).toBe('CANCELLED');
  }, 40_000);
});

test('a socket that closes while its credential is verified is followed by nobody', async () => {
  const server = createServer();
  onTestFinished(() => void server.close());
  const asked = deferred<void>();
  const verified = deferred<any>();
  let followers = 0;
  let sawEnd = false;
  const door = openWebSockets({
    desk: {
      signIn: () => {
        asked.resolve();
        return verified.promise;
      },
      authenticator: {
        follow: () => {
          followers += 1;
          return () => {
            followers -= 1;
          };
        },
      },
    } as any,
    budget: new IntakeBudget(1_000_000),
    maxMessageBytes: 1_000,
    maxSubscriptionsPerSocket: 1,
    slowReaderMs: 1_000,
  } as any);
  onTestFinished(() => door.close());
  const ended = deferred();
  server.on('upgrade', (request, socket, head) => {
    door.accept(request, socket, head);
    socket.once('close', () => {
      sawEnd = true;
      ended.resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = new WebSocket(
    `ws://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    'graphql-transport-ws',
  );
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: {} }));
  await asked.promise;
  socket.terminate();
  await ended.promise;
  await pause(50);
  verified.resolve({ viewer: () => ({}) });
  await pause(50);
  expect([sawEnd, followers]).toEqual([true, 0]);
});
