import { beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { describeEachDatabase } from '../../support/databases.ts';
import { type PayingWorkspace, payingWorkspace, settledAccount } from '../../support/money-calls.ts';
import { collect, openSocket, sandboxInput } from '../../support/run-calls.ts';
import { sandboxCatalogue } from '../../support/sandbox-catalogue.ts';

const refusalOf = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error('was not refused');
    },
    (error) => error as { message: string; code: string } & Record<string, any>,
  );

describeEachDatabase('accounts with BILLING=on', (kind) => {
  let app: TestApp;
  let mine: PayingWorkspace;

  beforeAll(async () => {
    app = await startTestApp(kind, {
      environment: { BILLING: 'on' },
      overrides: { catalogueData: await sandboxCatalogue() },
    });
    mine = await payingWorkspace(app);
  });

  test('accounts are credited once for each key, by administrators of the installation only', async () => {
    const workspace = await payingWorkspace(app);
    const first = await workspace.credit('5.5', 'invoice-1');
    expect(first).toMatchObject({
      entry: { kind: 'CREDIT', amount: '5.5', balance: '5.5', description: 'Test' },
      account: { balance: '5.5', reserved: '0', available: '5.5', billing: true },
      userErrors: [],
    });
    expect(await workspace.credit('5.5', 'invoice-1')).toEqual(first);
    expect(await workspace.credit('6', 'invoice-1')).toMatchObject({
      entry: null,
      userErrors: [{ field: ['idempotencyKey'], code: 'CONFLICT' }],
    });
    expect((await workspace.credit('0')).userErrors).toMatchObject([{ field: ['amount'] }]);
    expect((await workspace.credit('-1')).userErrors).toMatchObject([{ field: ['amount'] }]);
    const { errors } = await app.graph(
      'mutation { creditAccount(input: {amount: "1", description: "x", idempotencyKey: "y"}) { entry { id } } }',
      {},
      workspace.key,
    );
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    const adjusted = await app.graph(
      `mutation ($id: ID!) { adjustAccount(input: {workspaceId: $id, amount: "-0.5", description: "Slip", idempotencyKey: "a"}) {
        entry { kind amount balance } userErrors { message } } }`,
      { id: workspace.id },
    );
    expect(adjusted.data.adjustAccount).toEqual({
      entry: { kind: 'ADJUSTMENT', amount: '-0.5', balance: '5' },
      userErrors: [],
    });
    expect((await workspace.account()).entries.totalCount).toBe(2);
  });

  test('accounts are read with scope READ, and another’s by administrators of the installation alone', async () => {
    const other = await app.createWorkspace(['RUN']);
    const query = 'query ($id: ID) { account(workspaceId: $id) { balance } }';
    expect((await app.graph(query, {}, other.key)).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    expect((await app.graph(query, { id: other.id }, mine.key)).errors?.[0]?.extensions.code).toBe(
      'NOT_FOUND',
    );
    expect((await app.graph(query, { id: other.id })).data.account).toEqual({ balance: '0' });
  });

  test('accounts pay for what was used, and for no more: hold, settle, release', async () => {
    const workspace = await payingWorkspace(app);
    await workspace.credit('1');
    const run = await workspace.complete({ tokens: 40, maxTokens: 1_000 });
    const { inputTokens, outputTokens } = run.usage;
    expect(outputTokens).toBe(40);
    const cost = ((inputTokens + outputTokens) / 1_000_000).toFixed(6).replace(/0+$/, '');
    expect(run.cost).toBe(cost);
    const account = await workspace.account();
    expect(account.reserved).toBe('0');
    expect(account.entries.nodes[0]).toMatchObject({
      kind: 'CHARGE',
      amount: `-${cost}`,
      completionId: run.id,
    });
    expect(Number(account.balance)).toBeCloseTo(1 - Number(cost), 9);
    expect(account.balance).toBe(account.entries.nodes[0].balance);
  });

  test('accounts refuse runs that they do not cover, with what it takes and what there is, and leave nothing behind', async () => {
    const workspace = await payingWorkspace(app);
    await workspace.credit('0.0001');
    const input = { idempotencyKey: 'later' };
    const error = await refusalOf(workspace.complete({ maxTokens: 1_000, input }));
    expect(error.code).toBe('INSUFFICIENT_FUNDS');
    expect(error).toMatchObject({ available: '0.0001', scope: 'ACCOUNT' });
    expect(Number(error.required)).toBeGreaterThan(0.001);
    expect(await workspace.account()).toMatchObject({ balance: '0.0001', reserved: '0' });
    const runs = await workspace.calls.run('{ completions { totalCount } }');
    expect(runs.data.completions.totalCount).toBe(0);
    // The key stayed free: the same request runs once there is money.
    await workspace.credit('1');
    expect(await workspace.complete({ maxTokens: 1_000, input })).toMatchObject({ status: 'FINISHED' });
  });

  test('accounts refuse a model without a price, unless it is free', async () => {
    const workspace = await payingWorkspace(app);
    await workspace.credit('1');
    const { row: config } = await workspace.calls.mutate('createProviderConfig', {
      name: 'Second',
      providerKey: 'sandbox',
    });
    const { canonicalId } = await workspace.calls.model({ providerKey: 'sandbox', key: 'mystery' });
    await workspace.calls.instance({ slug: 'unpriced', configId: config.id, canonicalId, free: false });
    const error = await refusalOf(
      workspace.complete({ input: { model: 'unpriced', routing: { fallback: 'NONE' } } }),
    );
    expect(error.code).toBe('UNPRICED_MODEL');
    const free = await workspace.complete({ input: { model: 'sandbox/sandbox-reasoning' } });
    expect(free).toMatchObject({ status: 'FINISHED', cost: '0' });
    expect((await workspace.account()).balance).toBe('1');
  });

  describe('every way out of a run', () => {
    test.each([
      ['failure after partial output', { fail: { code: 'PROVIDER_UNAVAILABLE', afterTokens: 20 } }, true],
      ['failure before any output', { fail: { code: 'PROVIDER_UNAVAILABLE' } }, false],
      ['a stream that breaks off', { cutAfterTokens: 20 }, true],
    ])('accounts settle a run that ends by this way out: %s', async (_name, sandbox, charged) => {
      const workspace = await payingWorkspace(app);
      await workspace.credit('1');
      await using socket = openSocket(app, workspace.key);
      const events = await collect(
        socket.stream(
          sandboxInput(
            { tokens: 50, ...sandbox },
            {
              model: 'paid',
              parameters: { maxTokens: 100 },
              routing: { onStreamFault: 'FAIL', maxAttempts: 1 } as never,
            },
          ),
        ),
      );
      expect(events.at(-1)?.__typename).toBe('CompletionFailed');
      const account = await settledAccount(workspace);
      expect(Number(account.balance) < 1).toBe(charged);
      expect(account.entries.totalCount).toBe(charged ? 2 : 1);
    });

    test('accounts settle a run that is cancelled in mid-stream, and one whose reader goes away', async () => {
      const workspace = await payingWorkspace(app);
      await workspace.credit('1');
      for (const leave of ['cancel', 'detach'] as const) {
        const socket = openSocket(app, workspace.key);
        const stream = socket.stream(
          sandboxInput({ tokens: 5_000, tokensPerSecond: 2_000 }, {
            model: 'paid',
            onDetach: 'CANCEL',
            detachGraceMs: 50,
            parameters: { maxTokens: 5_000 },
          } as never),
        );
        let seen = 0;
        for await (const event of stream) {
          seen += 1;
          expect(Number((await workspace.account()).reserved)).toBeGreaterThan(0);
          if (seen < 4) continue;
          if (leave === 'cancel') {
            await workspace.calls.run(
              'mutation ($id: ID!) { cancelCompletion(input: {id: $id}) { settled } }',
              {
                id: event.completionId,
              },
            );
          }
          break;
        }
        await socket[Symbol.asyncDispose]();
        await settledAccount(workspace);
      }
      const { entries, balance } = await workspace.account();
      expect(entries.nodes.map(({ kind: each }: { kind: string }) => each)).toEqual([
        'CHARGE',
        'CHARGE',
        'CREDIT',
      ]);
      expect(balance).toBe(entries.nodes[0].balance);
    });

    test('accounts settle a failover: the attempt whose output was kept is paid for, the other is absorbed', async () => {
      const workspace = await payingWorkspace(app);
      await workspace.credit('1');
      const { row: config } = await workspace.calls.mutate('createProviderConfig', {
        name: 'First',
        providerKey: 'sandbox',
      });
      await workspace.calls.instance({
        slug: 'breaks',
        configId: config.id,
        canonicalId: 'sandbox/sandbox-text',
        free: false,
        priority: 10,
        tags: ['chain'],
        defaultParameters: {},
      });
      const run = await workspace
        .complete({ tokens: 30, sandbox: { cutAfterTokens: 15 } })
        .catch((error) => error);
      expect(run.code).toBe('PROVIDER_PROTOCOL');
      const account = await settledAccount(workspace);
      // Nobody saw what `complete` held back, so nobody pays for it.
      expect(account.balance).toBe('1');
      const report = await workspace.calls.run(
        '{ usageReport { rows { key completions failed cost absorbedCost } } }',
      );
      expect(report.data.usageReport.rows[0]).toMatchObject({ completions: 1, failed: 1, cost: '0' });
      expect(Number(report.data.usageReport.rows[0].absorbedCost)).toBeGreaterThan(0);
    });
  });

  test('accounts stop an answer that nobody bounded when the funds end, and finish it with FUNDS', async () => {
    const workspace = await payingWorkspace(app);
    // Enough for the hold of 4,096 tokens, not for as much again.
    await workspace.credit('0.006');
    await using socket = openSocket(app, workspace.key);
    const events = await collect(
      socket.stream(
        sandboxInput({ tokens: 60_000, tokensPerSecond: 200_000, tokensPerRead: 100 }, { model: 'paid' }),
      ),
    );
    const end = events.at(-1) as any;
    expect(end.__typename).toBe('CompletionFinished');
    expect(end.completion.finishReason).toBe('FUNDS');
    // While it runs, a token of output is taken to have four characters; the count at the end may come to a little less.
    const characters = events.reduce((sum, event: any) => sum + (event.text?.length ?? 0), 0);
    expect(characters).toBeGreaterThan(4 * 4_096);
    expect(end.completion.usage.outputTokens).toBeLessThan(60_000);
    const account = await settledAccount(workspace);
    expect(account.entries.nodes[0].kind).toBe('CHARGE');
  });

  test('accounts raise the hold of an answer that passes it, as long as there is money', async () => {
    const workspace = await payingWorkspace(app);
    await workspace.credit('1');
    await using socket = openSocket(app, workspace.key);
    const events = await collect(
      socket.stream(
        sandboxInput({ tokens: 20_000, tokensPerRead: 100, tokensPerSecond: 200_000 }, { model: 'paid' }),
      ),
    );
    expect((events.at(-1) as any).completion).toMatchObject({
      finishReason: 'STOP',
      usage: { outputTokens: 20_000 },
    });
    await settledAccount(workspace);
  });

  test('accounts let exactly as many of 500 runs go on at once as they cover', async () => {
    const workspace = await payingWorkspace(app);
    const probe = await refusalOf(workspace.complete({ maxTokens: 1_000 }));
    const each = Math.round(Number(probe.required) * 1e9);
    await workspace.credit(((each * 100) / 1e9).toFixed(9));
    // None ends before all have asked: what is held is held by those that run.
    const slow = { tokens: 1_000, tokensPerSecond: 100 };
    const starts = await Promise.all(
      Array.from({ length: 500 }, () =>
        app.graph(
          'mutation ($input: CompletionInput!) { startCompletion(input: $input) { completion { id } } }',
          { input: sandboxInput(slow, { model: 'paid', parameters: { maxTokens: 1_000 } }) },
          workspace.key,
        ),
      ),
    );
    const begun = starts
      .filter(({ errors }) => !errors)
      .map(({ data }) => data.startCompletion.completion.id);
    const codes = starts.flatMap(({ errors }) => errors?.map(({ extensions }) => extensions.code) ?? []);
    expect(begun).toHaveLength(100);
    expect(new Set(codes)).toEqual(new Set(['INSUFFICIENT_FUNDS']));
    expect((await workspace.account()).available).toBe('0');
    await Promise.all(
      begun.map((id) =>
        workspace.calls.run('mutation ($id: ID!) { cancelCompletion(input: {id: $id}) { settled } }', { id }),
      ),
    );
    const account = await settledAccount(workspace);
    expect(account.entries.totalCount).toBeLessThanOrEqual(101);
    expect(account.balance).toBe(account.entries.nodes[0].balance);
  });

  test('accounts have budgets for a key, a member and the workspace, each with its period', async () => {
    const workspace = await payingWorkspace(app);
    await workspace.credit('10');
    const made = await workspace.calls.run(
      'mutation { createApiKey(input: {name: "Poor", scopes: [RUN]}) { apiKey { id } secret } }',
    );
    const { apiKey, secret } = made.data.createApiKey;
    const set = (input: object) =>
      workspace.calls.run(
        `mutation ($input: SetBudgetInput!) { setBudget(input: $input) {
          budget { caller period limit spent remaining } userErrors { field code } } }`,
        { input },
      );
    expect((await set({ apiKeyId: apiKey.id, period: 'DAY', limit: '0.0001' })).data.setBudget).toMatchObject(
      {
        budget: { period: 'DAY', limit: '0.0001', spent: '0', remaining: '0.0001' },
      },
    );
    expect((await set({ period: 'MONTH', limit: '9' })).data.setBudget.budget).toMatchObject({
      caller: null,
    });
    expect((await set({ subject: 'ann', period: 'TOTAL', limit: '3' })).data.setBudget.budget).toMatchObject({
      caller: 'sub:ann',
    });
    const error = await refusalOf(workspace.complete({ maxTokens: 1_000, key: secret }));
    expect(error).toMatchObject({ code: 'INSUFFICIENT_FUNDS', scope: 'BUDGET', available: '0.0001' });
    const run = await workspace.complete({ tokens: 20, maxTokens: 40, key: secret });
    const { budgets } = await workspace.account();
    expect(budgets).toMatchObject([
      { caller: null, period: 'MONTH', spent: run.cost },
      { period: 'DAY', spent: run.cost, reserved: '0' },
      { caller: 'sub:ann', spent: '0' },
    ]);
    expect((await set({ apiKeyId: apiKey.id, period: 'DAY', limit: null })).data.setBudget.budget).toBeNull();
    expect(await workspace.complete({ maxTokens: 1_000, key: secret })).toMatchObject({ status: 'FINISHED' });
    expect((await set({ apiKeyId: mine.id, period: 'DAY', limit: '1' })).errors?.[0]?.extensions.code).toBe(
      'NOT_FOUND',
    );
  });
});

describeEachDatabase('money with BILLING=off', (kind) => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp(kind, { overrides: { catalogueData: await sandboxCatalogue() } });
  });

  test('with BILLING=off cost is recorded, and needs no balance; a budget that somebody set holds all the same', async () => {
    const workspace = await payingWorkspace(app);
    const run = await workspace.complete();
    expect(Number(run.cost)).toBeGreaterThan(0);
    expect(await workspace.account()).toMatchObject({
      balance: '0',
      billing: false,
      entries: { totalCount: 0 },
    });
    await workspace.calls.run(
      'mutation { setBudget(input: {period: TOTAL, limit: "0.00005"}) { budget { limit } } }',
    );
    const error = await refusalOf(workspace.complete({ maxTokens: 1_000 }));
    expect(error).toMatchObject({ code: 'INSUFFICIENT_FUNDS', scope: 'BUDGET' });
    await workspace.complete({ tokens: 5, maxTokens: 5 });
    expect((await workspace.account()).budgets[0]).toMatchObject({ reserved: '0' });
  });

  test('cost is reported by model, caller, day and metadata', async () => {
    const workspace = await payingWorkspace(app);
    const costs = await Promise.all(
      ['red', 'red', 'blue'].map((team) => workspace.complete({ input: { metadata: { team } } })),
    );
    const report = async (input: object, key = workspace.key) => {
      const { data, errors } = await app.graph(
        `query ($input: UsageReportInput) { usageReport(input: $input) {
          rows { key completions finished outputTokens cost unpriced } } }`,
        { input },
        key,
      );
      return errors ?? data.usageReport.rows;
    };
    const total = costs.reduce((sum, { cost }) => sum + Math.round(Number(cost) * 1e9), 0);
    expect(await report({})).toMatchObject([
      { key: 'sandbox/sandbox-text', completions: 3, finished: 3, outputTokens: 30, unpriced: 0 },
    ]);
    expect(Math.round(Number((await report({ groupBy: 'DAY' }))[0].cost) * 1e9)).toBe(total);
    expect(await report({ groupBy: 'METADATA', metadataKey: 'team' })).toMatchObject([
      { key: 'red', completions: 2 },
      { key: 'blue', completions: 1 },
    ]);
    expect((await report({ groupBy: 'METADATA' }))[0].extensions.path).toBe('metadataKey');
    const made = await workspace.calls.run(
      'mutation { createApiKey(input: {name: "R", scopes: [RUN]}) { secret } }',
    );
    expect(await report({ groupBy: 'CALLER' }, made.data.createApiKey.secret)).toEqual([]);
  });
});
