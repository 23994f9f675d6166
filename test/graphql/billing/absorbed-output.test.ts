import { beforeAll, describe, expect, test } from 'vitest';
import { type Deferred, deferred } from '../../../src/kernel/async.ts';
import type { Adapter } from '../../../src/providers/contract/adapter.ts';
import type { Completions, StreamPart } from '../../../src/providers/contract/completions.ts';
import { startTestApp, type TestApp, type TestAppOptions } from '../../support/app.ts';
import { catalogueCalls } from '../../support/catalogue-calls.ts';
import { createDatabase, describeEachDatabase, postgresUsable } from '../../support/databases.ts';
import { plainSql } from '../../support/ledger.ts';
import { HELLO } from '../../support/run-calls.ts';

const COMPLETE = 'mutation ($input: CompletionInput!) { complete(input: $input) { completion { id } } }';
const RUNS = `{ completions(first: 1) { nodes {
  id status text cost usage { outputTokens } attempts { absorbed cost usage { outputTokens } } } } }`;
const CANCEL = `mutation ($id: ID!) { cancelCompletion(input: {id: $id}) {
  settled completion { status text cost } } }`;

/** Says what it has, then waits until it is told to go on, or is stopped. */
class PausingAdapter implements Adapter {
  readonly protocol = 'pausing';
  said: Deferred<void> = deferred();
  goOn: Deferred<void> = deferred();
  readonly completions: Completions = {
    optionRules: { reserved: {}, priced: [], extended: [] },
    unsupported: () => [],
    stream: (_request, { signal }) => this.#stream(signal),
  };
  readonly health = { check: async () => {} };

  async *#stream(signal: AbortSignal): AsyncGenerator<StreamPart[]> {
    yield [{ type: 'text-delta', text: 'words '.repeat(200) }];
    this.said.resolve();
    const stopped = deferred();
    signal.addEventListener('abort', () => stopped.resolve());
    await Promise.race([this.goOn.promise, stopped.promise]);
    signal.throwIfAborted();
    yield [{ type: 'finish', reason: 'stop' }];
  }
}

async function open(kind: 'embedded' | 'postgresql', options: TestAppOptions = {}) {
  const adapter = new PausingAdapter();
  const app = await startTestApp(kind, {
    ...options,
    environment: { BILLING: 'on', DRAIN_GRACE_MS: '100' },
    overrides: { adapters: [adapter] },
  });
  const { id, key } = await app.createWorkspace();
  await app.graph(
    'mutation ($id: ID!) { creditAccount(input: { workspaceId: $id, amount: "1", description: "Test", idempotencyKey: "1" }) { entry { id } } }',
    { id },
  );
  const calls = catalogueCalls(app, key);
  const provider = await calls.provider({ protocol: 'pausing' });
  const config = await calls.config({ providerKey: provider.key });
  const { canonicalId } = await calls.model({ providerKey: provider.key });
  await calls.mutate('setPrice', { canonicalId, input: '1', output: '1' });
  await calls.instance({ slug: 'paid', configId: config.id, canonicalId });
  const input = { model: 'paid', messages: HELLO, parameters: { maxTokens: 500 } };
  return { app, key, adapter, input };
}

describeEachDatabase('output that nobody got', (kind) => {
  let app: TestApp;
  let key: string;
  let adapter: PausingAdapter;
  let input: object;
  beforeAll(async () => {
    ({ app, key, adapter, input } = await open(kind));
  });
  const begin = (over: { key?: string; signal?: AbortSignal } = {}) => {
    adapter.said = deferred();
    adapter.goOn = deferred();
    return fetch(`${app.url}${app.app.graphqlPath}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${over.key ?? key}` },
      body: JSON.stringify({ query: COMPLETE, variables: { input } }),
      ...(over.signal ? { signal: over.signal } : {}),
    }).then((response) => response.json() as Promise<any>);
  };
  const latest = async (asked = key) => (await app.graph(RUNS, {}, asked)).data.completions.nodes[0];
  const account = async () =>
    (await app.graph('{ account { balance reserved } }', {}, key)).data.account as {
      balance: string;
      reserved: string;
    };

  test('output of a `complete` that is cancelled is absorbed: not charged, and not to be read later for free', async () => {
    const before = await account();
    const answer = begin();
    await adapter.said.promise;
    const { id } = await latest();
    const { data } = await app.graph(CANCEL, { id }, key);
    expect(data.cancelCompletion).toEqual({
      settled: true,
      completion: { status: 'CANCELLED', text: '', cost: null },
    });
    expect((await answer).errors[0].extensions.code).toBe('CANCELLED');
    const run = await latest();
    expect(run).toMatchObject({ text: '', cost: null, attempts: [{ absorbed: true }] });
    // What it would have cost is told all the same.
    expect(Number(run.attempts[0].cost)).toBeGreaterThan(0);
    expect(await account()).toEqual({ ...before, reserved: '0' });
  });

  test('output that is absorbed counts in limits on tokens all the same', async () => {
    const made = await app.graph(
      'mutation { createApiKey(input: {name: "L", scopes: [RUN], limits: { tokensPerHour: 1000 }}) { secret } }',
      {},
      key,
    );
    const limited = made.data.createApiKey.secret;
    const answer = begin({ key: limited });
    await adapter.said.promise;
    const { id } = await latest(limited);
    await app.graph(CANCEL, { id }, limited);
    await answer;
    const [attempt] = (await latest(limited)).attempts;
    expect(attempt.usage.outputTokens).toBeGreaterThan(150);
    const next = begin({ key: limited });
    await adapter.said.promise;
    adapter.goOn.resolve();
    const { extensions } = await next;
    // 500 are asked for by the second one.
    expect(extensions.rateLimit[0].remaining).toBeLessThan(1_000 - 500 - 150);
  });

  test('output is charged where it can be read later: the caller of a `complete` has gone, and the run goes on', async () => {
    const before = await account();
    const leaving = new AbortController();
    const answer = begin({ signal: leaving.signal }).catch(() => 'gone');
    await adapter.said.promise;
    leaving.abort();
    expect(await answer).toBe('gone');
    adapter.goOn.resolve();
    await expect.poll(async () => (await latest()).status).toBe('FINISHED');
    const run = await latest();
    expect(run.text).toBe('words '.repeat(200));
    expect(run.attempts[0].absorbed).toBe(false);
    expect(Number((await account()).balance)).toBeCloseTo(Number(before.balance) - Number(run.cost), 9);
  });
});

describe.skipIf(!postgresUsable())('output since the shutdown of the node', () => {
  test('output that was held back until it was whole is absorbed where the node was shut down', async () => {
    const database = await createDatabase('postgresql');
    try {
      const { app, key, adapter, input } = await open('postgresql', { database });
      const answer = app.graph(COMPLETE, { input }, key);
      await adapter.said.promise;
      const closing = app.close();
      expect((await answer).errors?.[0]?.extensions.code).toBe('NODE_DRAINING');
      await closing;
      const url = database.url ?? '';
      expect(await plainSql(url, 'select status, text, cost_nano from completion_run')).toEqual([
        { status: 'INTERRUPTED', text: '', cost_nano: null },
      ]);
      expect(await plainSql(url, "select kind from ledger_entry where kind = 'CHARGE'")).toEqual([]);
      expect(await plainSql(url, 'select absorbed from run_attempt')).toEqual([{ absorbed: true }]);
    } finally {
      await database.drop();
    }
  });
});
