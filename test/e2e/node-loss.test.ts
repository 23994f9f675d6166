import { randomBytes } from 'node:crypto';
import { createClient } from 'graphql-ws';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { createDatabase, postgresUsable, type TestDatabase } from '../support/databases.ts';
import { startFakeUpstream } from '../support/fake-upstream.ts';
import { REDIS_URL, redisUsable } from '../support/redis.ts';
import { startRoundRobin } from '../support/round-robin.ts';
import {
  buildServer,
  SERVER_KEY,
  type ServerProcess,
  startServerProcess,
} from '../support/server-process.ts';

const EVENT = `__typename seq completionId ... on TextDelta { fromSeq text }
  ... on CompletionEnded { completion { status text usage { outputTokens estimated } error { code } } }`;
const STREAM = `subscription ($input: CompletionInput!) { streamCompletion(input: $input) { ${EVENT} } }`;
const EVENTS = `subscription ($id: String!, $after: Int) { completionEvents(id: $id, after: $after) { ${EVENT} } }`;
const RUN = 'query ($id: String!) { completion(id: $id) { status text usage { outputTokens estimated } } }';
const RUNNING = '{ completions(first: 100, filter: { status: RUNNING }) { totalCount } }';

const input = (sandbox: object, over: object = {}) => ({
  model: 'sandbox/sandbox-text',
  messages: [{ role: 'USER', text: 'Hello' }],
  providerOptions: { sandbox: { firstTokenMs: 0, ...sandbox } },
  ...over,
});

describe.skipIf(!(postgresUsable() && redisUsable()))('lost nodes', () => {
  let environment: Record<string, string>;
  const opened: (() => Promise<unknown>)[] = [];

  beforeAll(() => buildServer());
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close();
  });

  async function cluster(over: Record<string, string> = {}) {
    const database: TestDatabase = await createDatabase('postgresql');
    opened.push(() => database.drop());
    environment = {
      DATABASE_URL: database.url ?? '',
      REDIS_URL,
      SECRET_KEYS: `test:${randomBytes(32).toString('base64')}`,
      LEASE_SECONDS: '2',
      LOG_LEVEL: 'warn',
      ...over,
    };
    const a = await node();
    const b = await node();
    const portOf = ({ url }: ServerProcess) => Number(new URL(url).port);
    const proxy = await startRoundRobin([portOf(a), portOf(b)]);
    opened.push(() => proxy.close());
    return { a, b, proxy, portOf };
  }
  async function node(): Promise<ServerProcess> {
    const started = await startServerProcess(environment);
    opened.push(() => started.stop('SIGKILL'));
    return started;
  }
  function connect(url: string) {
    const client = createClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${SERVER_KEY}` },
      retryAttempts: 100,
      retryWait: () => new Promise((resolve) => setTimeout(resolve, 50)),
      shouldRetry: () => true,
      generateID: () => crypto.randomUUID(),
    });
    // One that still tries to reach a dead node fails in it.
    opened.push(() => Promise.resolve(client.dispose()).catch(() => {}));
    return client;
  }
  const read = async (
    url: string,
    query: string,
    variables: Record<string, unknown>,
    onEvent = (_event: any, _count: number) => {},
  ) => {
    const seen: any[] = [];
    for await (const { data, errors } of connect(url).iterate<any>({ query, variables })) {
      if (errors) throw new Error(errors[0]?.message);
      const event = Object.values(data ?? {})[0] as any;
      // An automatic reconnect of the unmodified client begins its subscription anew: what came before is told again.
      if (event.seq === 1) seen.length = 0;
      seen.push(event);
      onEvent(event, seen.length);
    }
    return seen;
  };
  /** One terminal event, at the end; each seq once and in order until then. */
  const check = (events: readonly any[], after = 0) => {
    expect(events.filter(({ completion }) => completion)).toHaveLength(1);
    expect(events.at(-1).completion).toBeDefined();
    let last = after;
    for (const { fromSeq, seq, completion } of events) {
      if (!completion) expect(fromSeq ?? seq).toBe(last + 1);
      last = seq;
    }
  };

  test('a node that is killed in mid-run leaves nothing running: another ends the run, and its readers get all that was logged and that end', async () => {
    const { a, b } = await cluster();
    const idempotencyKey = crypto.randomUUID();
    const asked = input({ tokens: 2_000, tokensPerSecond: 50 }, { idempotencyKey });
    const begun = await a.graph(
      'mutation ($input: CompletionInput!) { startCompletion(input: $input) { completion { id } } }',
      { input: asked },
    );
    const { id } = begun.data.startCompletion.completion;
    const following = read(b.url, EVENTS, { id, after: 0 }, (_event, count) => {
      if (count === 60) a.child.kill('SIGKILL');
    });
    const events = await following;
    check(events);
    expect(events.at(-1)).toMatchObject({
      __typename: 'CompletionInterrupted',
      completion: { status: 'INTERRUPTED' },
    });
    // The end lies far beyond whatever the dead node may have shown.
    expect(events.at(-1).seq).toBeGreaterThan(1_000_000);
    const logged = events.length - 1;
    expect(logged).toBeGreaterThanOrEqual(60);
    const { data } = await b.graph(RUN, { id });
    expect(data.completion).toMatchObject({ status: 'INTERRUPTED', usage: { estimated: true } });
    expect(data.completion.usage.outputTokens).toBeGreaterThan(0);
    // One who saw more than was logged gets the terminal event, once; one who saw the end gets nothing.
    expect(await read(b.url, EVENTS, { id, after: 5_000 })).toMatchObject([
      { __typename: 'CompletionInterrupted' },
    ]);
    expect(await read(b.url, EVENTS, { id, after: events.at(-1).seq })).toEqual([]);
    // The key answers with the same run.
    const again = await read(b.url, STREAM, { input: asked });
    check(again);
    expect(again[0].completionId).toBe(id);
    expect((await b.graph(RUNNING)).data.completions.totalCount).toBe(0);
  });

  test('a reader of strict events saw nothing before the kill of a node that is not in the log', async () => {
    const { a, b } = await cluster({ EVENT_DURABILITY: 'strict' });
    let seen = 0;
    let id = '';
    const reading = read(
      a.url,
      STREAM,
      { input: input({ tokens: 2_000, tokensPerSecond: 100 }) },
      (event, count) => {
        id = event.completionId;
        seen = event.seq;
        if (count === 50) a.child.kill('SIGKILL');
      },
    ).catch(() => []);
    await expect.poll(() => a.child.signalCode, { timeout: 10_000 }).toBe('SIGKILL');
    const events = await read(b.url, EVENTS, { id, after: 0 });
    check(events);
    const logged = events.at(-2).seq;
    expect(logged).toBeGreaterThanOrEqual(seen);
    void reading;
  });

  test('a node that was stopped for longer than a lease and goes on publishes nothing more: there is one winner', async () => {
    const { a, b } = await cluster();
    const begun = await a.graph(
      'mutation ($input: CompletionInput!) { startCompletion(input: $input) { completion { id } } }',
      {
        input: input({ tokens: 3_000, tokensPerSecond: 100 }),
      },
    );
    const { id } = begun.data.startCompletion.completion;
    const atOwner = read(a.url, EVENTS, { id, after: 0 });
    const elsewhere = read(b.url, EVENTS, { id, after: 0 }, (_event, count) => {
      if (count === 40) a.child.kill('SIGSTOP');
    });
    const events = await elsewhere;
    check(events);
    expect(events.at(-1).__typename).toBe('CompletionInterrupted');
    a.child.kill('SIGCONT');
    const own = await atOwner;
    expect(own.filter(({ completion }: any) => completion)).toHaveLength(1);
    expect(own.at(-1)).toMatchObject({ __typename: 'CompletionInterrupted', seq: events.at(-1).seq });
    // The node that came back is as good as before.
    const fresh = await read(a.url, STREAM, { input: input({ tokens: 5, tokensPerSecond: 0 }) });
    check(fresh);
    expect((await read(b.url, EVENTS, { id, after: 0 })).at(-1).seq).toBe(events.at(-1).seq);
  });

  test('a node that was stopped for longer than a lease asks no silent provider again for a run that another has ended', async () => {
    const upstream = await startFakeUpstream(() => ({
      headers: { 'content-type': 'text/event-stream' },
      body: ['data: {"choices":[{"index":0,"delta":{"content":"one"}}]}\n\n', ': nothing more\n\n'],
      fault: { stallAfterBytes: 60 },
    }));
    opened.push(() => upstream.close());
    const { a, b } = await cluster({ PRIVATE_UPSTREAMS: 'allow' });
    const made = await a.graph(
      `mutation ($input: CreateProviderConfigInput!) {
        createProviderConfig(input: $input) { userErrors { message } providerConfig { id } } }`,
      {
        input: {
          name: 'Silent',
          providerKey: 'deepseek',
          baseUrl: upstream.url,
          secret: 'sk-0123456789abcdef',
          timeLimits: { betweenTokensMs: 1_500 },
        },
      },
    );
    expect(made.data.createProviderConfig.userErrors).toEqual([]);
    const asked = { model: 'deepseek/deepseek-flash', messages: [{ role: 'USER', text: 'Hello' }] };
    const begun = await a.graph(
      'mutation ($input: CompletionInput!) { startCompletion(input: $input) { completion { id } } }',
      { input: { ...asked, routing: { onStreamFault: 'RESTART' } } },
    );
    const { id } = begun.data.startCompletion.completion;
    const elsewhere = read(b.url, EVENTS, { id, after: 0 }, (event) => {
      if (event.__typename === 'TextDelta') a.child.kill('SIGSTOP');
    });
    expect((await elsewhere).at(-1)).toMatchObject({
      __typename: 'CompletionInterrupted',
      completion: { error: { code: 'NODE_LOST' } },
    });
    a.child.kill('SIGCONT');
    const own = await read(a.url, EVENTS, { id, after: 0 });
    expect(own.at(-1).__typename).toBe('CompletionInterrupted');
    expect(upstream.requests).toHaveLength(1);
  });

  test('an unmodified graphql-ws client reads one run to its end through a drain of its node', async () => {
    const { a, b, proxy, portOf } = await cluster({ DRAIN_GRACE_MS: '20000' });
    // The first connection goes to a, which is drained; the client comes back to b, and a finishes the run meanwhile.
    let drained = false;
    const events = await read(
      proxy.url,
      STREAM,
      { input: input({ tokens: 300, tokensPerSecond: 100 }) },
      (_event, count) => {
        if (count !== 40 || drained) return;
        drained = true;
        proxy.use([portOf(b)]);
        a.child.kill('SIGTERM');
      },
    );
    check(events);
    expect(events.at(-1)).toMatchObject({
      __typename: 'CompletionFinished',
      completion: { status: 'FINISHED' },
    });
    await expect.poll(() => a.child.exitCode, { timeout: 10_000 }).toBe(0);
    expect((await b.graph('{ completions(first: 10) { totalCount } }')).data.completions.totalCount).toBe(1);
  });

  test('a drain that lasts longer than its grace ends what still runs as interrupted, and tells readers elsewhere', async () => {
    const { a, b } = await cluster({ DRAIN_GRACE_MS: '300' });
    const begun = await a.graph(
      'mutation ($input: CompletionInput!) { startCompletion(input: $input) { completion { id } } }',
      {
        input: input({ tokens: 5_000, tokensPerSecond: 50 }),
      },
    );
    const { id } = begun.data.startCompletion.completion;
    const reading = read(b.url, EVENTS, { id, after: 0 });
    await expect.poll(async () => (await b.graph(RUN, { id })).data.completion.status).toBe('RUNNING');
    expect(await a.stop('SIGTERM')).toBe(0);
    const events = await reading;
    check(events);
    expect(events.at(-1)).toMatchObject({
      __typename: 'CompletionInterrupted',
      completion: { status: 'INTERRUPTED' },
    });
  });

  test('several workers serve one port, and one that dies is replaced', async () => {
    const database = await createDatabase('postgresql');
    opened.push(() => database.drop());
    environment = {
      DATABASE_URL: database.url ?? '',
      REDIS_URL,
      SECRET_KEYS: `test:${randomBytes(32).toString('base64')}`,
      WORKERS: '2',
      LOG_LEVEL: 'warn',
    };
    const server = await node();
    const streams = await Promise.all(
      Array.from({ length: 8 }, () =>
        read(server.url, STREAM, { input: input({ tokens: 20, tokensPerSecond: 100 }) }),
      ),
    );
    for (const events of streams) check(events);
    expect((await server.graph('{ completions(first: 1) { totalCount } }')).data.completions.totalCount).toBe(
      8,
    );
    expect(await server.stop('SIGTERM')).toBe(0);
  });
});
