import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import { afterEach, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import { createDatabase, describeEachDatabase, type TestDatabase } from '../support/databases.ts';
import {
  buildServer,
  SERVER_KEY,
  type ServerProcess,
  startServerProcess,
} from '../support/server-process.ts';

const SLOW = {
  model: 'sandbox-text',
  messages: [{ role: 'USER', text: 'Hello' }],
  providerOptions: { sandbox: { tokens: 100_000, tokensPerSecond: 40, firstTokenMs: 0 } },
};
const START = 'mutation ($input: CompletionInput!) { startCompletion(input: $input) { completion { id } } }';
const COMPLETE = 'mutation ($input: CompletionInput!) { complete(input: $input) { completion { id text } } }';
const EVENTS =
  'subscription ($id: String!, $after: Int) { completionEvents(id: $id, after: $after) { __typename seq ... on TextDelta { text } ... on CompletionEnded { completion { status text usage { outputTokens estimated } } } } }';
const FIND = 'query ($id: String!) { completion(id: $id) { status text usage { outputTokens estimated } } }';

describeEachDatabase('a gateway that goes away', (kind) => {
  let database: TestDatabase;
  let folder: string;
  let environment: Record<string, string>;
  const running: ServerProcess[] = [];

  beforeAll(async () => {
    buildServer();
    database = await createDatabase(kind);
    folder = mkdtempSync(join(tmpdir(), 'modelgraph-'));
    environment = {
      DATA_DIR: folder,
      DRAIN_GRACE_MS: '700',
      ...(database.url === undefined ? {} : { DATABASE_URL: database.url }),
    };
    return async () => {
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
    };
  }, 60_000);
  afterEach(async () => {
    for (const server of running.splice(0)) await server.stop('SIGKILL');
  });

  const start = async () => {
    const server = await startServerProcess(environment);
    running.push(server);
    return server;
  };
  const socketOf = (server: ServerProcess, onClosed: (code: number) => void = () => {}) =>
    createClient({
      url: `${server.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${SERVER_KEY}` },
      retryAttempts: 0,
      on: { closed: (event) => onClosed((event as { code: number }).code) },
    });
  const settled = async (server: ServerProcess, id: string) => {
    for (;;) {
      const { data } = await server.graph(FIND, { id });
      if (data.completion.status !== 'RUNNING') return data.completion;
    }
  };

  test('a gateway killed by kill -9 loses no stored run, leaves none running, and joins the same run under its key', async () => {
    const first = await start();
    const finished = (
      await first.graph(COMPLETE, {
        input: { ...SLOW, providerOptions: { sandbox: { tokens: 5, tokensPerSecond: 0, firstTokenMs: 0 } } },
      })
    ).data.complete.completion;
    const input = { ...SLOW, idempotencyKey: 'the-killed-one' };
    const { id } = (await first.graph(START, { input })).data.startCompletion.completion;
    // What is recorded grows; a record is made once a second.
    for (;;) {
      const { data } = await first.graph(FIND, { id });
      if (data.completion.text.length > 200) break;
    }
    await first.stop('SIGKILL');

    const second = await start();
    const interrupted = await settled(second, id);
    expect(interrupted).toMatchObject({ status: 'INTERRUPTED', usage: { estimated: true } });
    expect(interrupted.text.length).toBeGreaterThan(0);
    expect(interrupted.usage.outputTokens).toBeGreaterThan(0);
    expect((await second.graph(FIND, { id: finished.id })).data.completion).toMatchObject({
      status: 'FINISHED',
      text: finished.text,
    });
    const running = await second.graph('{ completions(filter: { status: RUNNING }) { totalCount } }');
    expect(running.data.completions.totalCount).toBe(0);
    expect((await second.graph(START, { input })).data.startCompletion.completion.id).toBe(id);

    const client = socketOf(second);
    const events: any[] = [];
    for await (const { data } of client.iterate({ query: EVENTS, variables: { id, after: 3 } })) {
      events.push((data as any).completionEvents);
    }
    expect(events.map(({ __typename }) => __typename)).toEqual(['CompletionInterrupted']);
    await client.dispose();
  }, 60_000);

  test('a gateway ended by SIGTERM gives running runs their grace, interrupts the rest, sends readers away and takes no new runs', async () => {
    const server = await start();
    let closeCode: number | undefined;
    const client = socketOf(server, (code) => {
      closeCode = code;
    });
    const { id } = (await server.graph(START, { input: SLOW })).data.startCompletion.completion;
    const stream = client.iterate({ query: EVENTS, variables: { id } });
    await stream.next();
    const exited = server.stop('SIGTERM');
    const refused = await refusalWhileDraining(server);
    const ended = (async () => {
      for await (const _event of { [Symbol.asyncIterator]: () => stream });
    })().catch(() => {});
    await ended;
    expect(closeCode).toBe(1001);
    expect(refused).toBe('NODE_DRAINING');
    expect(await exited).toBe(0);

    const second = await start();
    expect(await settled(second, id)).toMatchObject({ status: 'INTERRUPTED' });
  }, 60_000);

  test('a gateway keeps a second process from its data', async () => {
    if (kind !== 'embedded') return;
    const server = await start();
    await expect(startServerProcess(environment)).rejects.toThrow(/DATA_DIR: .* is in use by the process/);
    await server.stop('SIGTERM');
  }, 60_000);
});

/** What a new run is answered from the signal on, until the doors are closed. */
async function refusalWhileDraining(server: ServerProcess): Promise<string> {
  for (;;) {
    const answer = await server.graph(START, { input: SLOW });
    const code = answer.errors?.[0]?.extensions?.code;
    if (code !== undefined) return code;
  }
}
