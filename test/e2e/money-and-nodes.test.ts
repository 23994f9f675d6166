import { randomBytes } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { delay } from '../../src/kernel/async.ts';
import { createDatabase, postgresUsable } from '../support/databases.ts';
import { discrepanciesOf, plainSql } from '../support/ledger.ts';
import { type PayingWorkspace, payingWorkspace, settledAccount } from '../support/money-calls.ts';
import { REDIS_URL, redisUsable } from '../support/redis.ts';
import { sandboxInput } from '../support/run-calls.ts';
import { buildServer, startServerProcess } from '../support/server-process.ts';
import { describeTwoNodes, startTwoNodes, type TwoNodes } from '../support/two-nodes.ts';

const START = 'mutation ($input: CompletionInput!) { startCompletion(input: $input) { completion { id } } }';
/** Of a global id, what the database calls it. */
const rowId = (id: string) => Buffer.from(id, 'base64url').toString().split(':')[1];
const CANCEL = 'mutation ($id: ID!) { cancelCompletion(input: {id: $id}) { settled } }';

/** A workspace that both nodes know whole: what one has written the other sees within a second. */
async function payingOnBoth({ a, b }: TwoNodes): Promise<PayingWorkspace> {
  const workspace = await payingWorkspace(a);
  const plan = 'query ($input: CompletionInput!) { routePlan(input: $input) { candidates { place } } }';
  const input = sandboxInput({}, { model: 'paid' });
  const isServed = async () => {
    const { data } = await b.graph(plan, { input }, workspace.key);
    return data?.routePlan?.candidates.some(({ place }: { place: number | null }) => place !== null);
  };
  while (!(await isServed())) await delay(50);
  return workspace;
}

describeTwoNodes('money on two nodes', () => {
  let nodes: TwoNodes;
  let mine: PayingWorkspace;

  beforeAll(async () => {
    nodes = await startTwoNodes({ BILLING: 'on' });
    mine = await payingOnBoth(nodes);
  });

  test('of 500 runs at once on a balance that covers 100, exactly 100 run, the books are right, and no hold outlives its run', async () => {
    const refused = await mine.complete({ maxTokens: 1_000 }).catch((error) => error);
    expect(refused.code).toBe('INSUFFICIENT_FUNDS');
    const each = BigInt(Math.round(Number(refused.required) * 1e9));
    await mine.credit((Number(each * 100n) / 1e9).toFixed(9));
    const input = sandboxInput(
      { tokens: 1_000, tokensPerSecond: 100 },
      { model: 'paid', parameters: { maxTokens: 1_000 } },
    );
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, index) =>
        (index % 2 ? nodes.a : nodes.b).graph(START, { input }, mine.key),
      ),
    );
    const begun = answers
      .filter(({ errors }) => !errors)
      .map(({ data }) => data.startCompletion.completion.id);
    expect(begun).toHaveLength(100);
    expect(await mine.account()).toMatchObject({ available: '0' });
    await Promise.all(
      begun.map((id, index) => (index % 2 ? nodes.a : nodes.b).graph(CANCEL, { id }, mine.key)),
    );
    const account = await settledAccount(mine);
    expect(account.balance).toBe(account.entries.nodes[0].balance);
    expect(await discrepanciesOf(nodes.a.database.url ?? '')).toEqual([]);
    expect(await plainSql(nodes.a.database.url ?? '', 'select * from hold')).toEqual([]);
  });

  test('while the database is away for longer than a lease, what ran is settled once, the books are right, and new runs are refused meanwhile', async () => {
    const workspace = await payingOnBoth(nodes);
    await workspace.credit('1');
    const input = sandboxInput(
      { tokens: 300, tokensPerSecond: 100 },
      { model: 'paid', parameters: { maxTokens: 300 } },
    );
    const started = await Promise.all(
      [nodes.a, nodes.b].map((node) => node.graph(START, { input }, workspace.key)),
    );
    const ids = started.map(({ data }) => data.startCompletion.completion.id as string);
    const recorded = (id: string) =>
      plainSql(nodes.a.database.url ?? '', 'select progress_seq from completion_run where id = $1', [
        rowId(id),
      ]);
    for (const id of ids)
      await expect.poll(async () => (await recorded(id))[0].progress_seq).toBeGreaterThan(0);
    nodes.postgres.cut();
    // Two leases and a half: each node might take the other for dead when it comes back.
    const until = performance.now() + 5_000;
    const refusals = new Set<string>();
    while (performance.now() < until) {
      const { errors } = await nodes.a.graph(START, { input }, workspace.key);
      refusals.add(errors?.[0]?.extensions.code);
      await delay(200);
    }
    expect([...refusals]).toEqual(['STORAGE_UNAVAILABLE']);
    nodes.postgres.mend();
    const statusOf = async (id: string) =>
      (await nodes.b.graph('query ($id: String!) { completion(id: $id) { status } }', { id }, workspace.key))
        .data?.completion?.status;
    for (const id of ids) await expect.poll(() => statusOf(id), { timeout: 15_000 }).toBe('FINISHED');
    const account = await settledAccount(workspace);
    expect(account.entries.totalCount).toBe(3);
    expect(await discrepanciesOf(nodes.a.database.url ?? '')).toEqual([]);
    expect(await workspace.complete()).toMatchObject({ status: 'FINISHED' });
  }, 60_000);

  test('a row whose undoing was lost is ended by its own node, and its hold given back', async () => {
    const workspace = await payingOnBoth(nodes);
    await workspace.credit('1');
    const url = nodes.a.database.url ?? '';
    const runId = crypto.randomUUID();
    const [{ id: workspaceId }] = await plainSql(
      url,
      "select id from workspace where slug like 'test-%' order by created_at desc limit 1",
    );
    await plainSql(
      url,
      `insert into completion_run (id, workspace_id, caller, status, model, input, plan, node_id, created_at, updated_at)
       select $1, $2, 'key:lost', 'RUNNING', 'paid', '{}', '{"candidates": []}', node_id, now() - interval '1 minute', now() - interval '1 minute'
       from node_lease limit 1`,
      [runId, workspaceId],
    );
    await plainSql(
      url,
      'insert into hold (run_id, workspace_id, amount_nano, on_account) values ($1, $2, 5, true)',
      [runId, workspaceId],
    );
    await plainSql(url, 'update account set reserved_nano = 5 where workspace_id = $1', [workspaceId]);
    const statusOf = async () =>
      (await plainSql(url, 'select status from completion_run where id = $1', [runId]))[0].status;
    await expect.poll(statusOf, { timeout: 20_000, interval: 250 }).toBe('INTERRUPTED');
    expect(await workspace.account()).toMatchObject({ balance: '1', reserved: '0' });
    expect(await discrepanciesOf(url)).toEqual([]);
  }, 30_000);

  test('Redis away for longer than a lease takes no run from its owner', async () => {
    const workspace = await payingOnBoth(nodes);
    await workspace.credit('1');
    const input = sandboxInput(
      { tokens: 500, tokensPerSecond: 100 },
      { model: 'paid', parameters: { maxTokens: 500 } },
    );
    const { data } = await nodes.a.graph(START, { input }, workspace.key);
    const { id } = data.startCompletion.completion;
    nodes.redis.cut();
    await delay(4_000);
    nodes.redis.mend();
    const statusOf = async () =>
      (
        await nodes.b.graph(
          'query ($id: String!) { completion(id: $id) { status text } }',
          { id },
          workspace.key,
        )
      ).data.completion;
    await expect.poll(async () => (await statusOf()).status, { timeout: 10_000 }).toBe('FINISHED');
    await settledAccount(workspace);
    expect(await discrepanciesOf(nodes.a.database.url ?? '')).toEqual([]);
  }, 40_000);
});

describe.skipIf(!(postgresUsable() && redisUsable()))('killed nodes', () => {
  const opened: (() => Promise<unknown>)[] = [];
  beforeAll(() => buildServer());
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close();
  });

  test('a run of a node that is killed is settled by the last progress record: what readers could have is charged, what was held back is only counted; the key answers with the run', async () => {
    const database = await createDatabase('postgresql');
    opened.push(() => database.drop());
    const environment = {
      DATABASE_URL: database.url ?? '',
      REDIS_URL,
      SECRET_KEYS: `test:${randomBytes(32).toString('base64')}`,
      LEASE_SECONDS: '2',
      LOG_LEVEL: 'error',
      BILLING: 'on',
    };
    const [a, b] = [await startServerProcess(environment), await startServerProcess(environment)];
    opened.push(
      () => a.stop('SIGKILL'),
      () => b.stop('SIGKILL'),
    );
    const ask = async (node: typeof a, query: string, variables = {}) => {
      const { data, errors } = await node.graph(query, variables);
      if (errors) throw Object.assign(new Error(errors[0].message), errors[0].extensions);
      return data;
    };
    await ask(
      a,
      'mutation { setPrice(input: {canonicalId: "sandbox/sandbox-text", input: "1", output: "1"}) { userErrors { message } } }',
    );
    const { providerConfigs } = await ask(a, '{ providerConfigs(first: 10) { nodes { id name } } }');
    const configId = providerConfigs.nodes.find(({ name }: { name: string }) => /sandbox/i.test(name)).id;
    await ask(
      a,
      'mutation ($id: ID!) { createModelInstance(input: {slug: "paid", configId: $id, canonicalId: "sandbox/sandbox-text", free: false}) { userErrors { message } } }',
      { id: configId },
    );
    await ask(
      a,
      'mutation { creditAccount(input: {amount: "1", description: "Test", idempotencyKey: "1"}) { entry { id } } }',
    );
    const input = {
      model: 'paid',
      messages: [{ role: 'USER', text: 'Hello there' }],
      parameters: { maxTokens: 5_000 },
      idempotencyKey: 'killed',
      providerOptions: { sandbox: { tokens: 5_000, tokensPerSecond: 200, firstTokenMs: 0 } },
    };
    // `complete` holds everything back until it is whole: nobody is shown a word of it.
    const COMPLETE =
      'mutation ($input: CompletionInput!) { complete(input: $input) { completion { id status text } } }';
    const broken = a.graph(COMPLETE, { input }).catch(() => 'gone');
    // A run that is streamed shows each word.
    const { idempotencyKey: _key, ...streamed } = input;
    const { startCompletion } = await ask(a, START, { input: streamed });
    const tokens = () => plainSql(database.url ?? '', 'select min(output_tokens) as n from completion_run');
    await expect.poll(async () => (await tokens())[0].n, { timeout: 15_000 }).toBeGreaterThan(50);
    await a.stop('SIGKILL');
    expect(await broken).toBe('gone');
    const again = await ask(b, COMPLETE, { input }).catch((error) => error);
    expect(again.completionId).toBeDefined();
    const runOf = async (id: string) =>
      (
        await ask(
          b,
          'query ($id: String!) { completion(id: $id) { status text cost usage { inputTokens outputTokens estimated } } }',
          { id },
        )
      ).completion;
    const heldBack = await runOf(again.completionId);
    expect(heldBack).toMatchObject({
      status: 'INTERRUPTED',
      text: '',
      cost: null,
      usage: { estimated: true },
    });
    expect(heldBack.usage.outputTokens).toBeGreaterThan(50);
    expect(heldBack.usage.inputTokens).toBeGreaterThan(0);
    const { id } = startCompletion.completion;
    await expect.poll(async () => (await runOf(id)).status, { timeout: 15_000 }).toBe('INTERRUPTED');
    const shown = await runOf(id);
    expect(shown.text).not.toBe('');
    const { account } = await ask(
      b,
      '{ account { reserved entries(first: 5) { nodes { kind amount completionId } } } }',
    );
    expect(account.reserved).toBe('0');
    expect(account.entries.nodes.filter(({ kind }: { kind: string }) => kind === 'CHARGE')).toEqual([
      { kind: 'CHARGE', amount: `-${shown.cost}`, completionId: id },
    ]);
    expect(await discrepanciesOf(database.url ?? '')).toEqual([]);
  }, 60_000);
});
