import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { describeEachDatabase, type TestDatabase } from '../support/databases.ts';
import { createFormerDatabase, FORMER_KEY, FORMER_SECRET_KEYS } from '../support/former-database.ts';
import { discrepanciesOf } from '../support/ledger.ts';
import { sandboxInput } from '../support/run-calls.ts';
import { sandboxCatalogue } from '../support/sandbox-catalogue.ts';

const RUNS = `{ completions(first: 100) { nodes { id status text cost usage { outputTokens estimated } attempts { outcome } } } }`;
const ACCOUNT = '{ account { balance reserved entries(first: 100) { totalCount } } }';

describeEachDatabase('a former database', (kind) => {
  let database: TestDatabase;
  let app: TestApp;
  const ask = async (query: string, variables = {}) => {
    const { data, errors } = await app.graph(query, variables, FORMER_KEY);
    expect(errors).toBeUndefined();
    return data;
  };

  beforeAll(async () => {
    database = await createFormerDatabase(kind);
    app = await startTestApp(kind, {
      database,
      environment: { SECRET_KEYS: FORMER_SECRET_KEYS, LEASE_SECONDS: '2', BILLING: 'on' },
      overrides: { catalogueData: await sandboxCatalogue() },
    });
  });
  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  test('a gateway that starts on an earlier database ends the run that was going on, charges what it had come to, and holds nothing any more', async () => {
    await expect
      .poll(async () => (await ask(RUNS)).completions.nodes.map(({ status }: any) => status).sort(), {
        timeout: 15_000,
      })
      .toEqual(['CANCELLED', 'FAILED', 'FINISHED', 'FINISHED', 'INTERRUPTED', 'INTERRUPTED']);
    const [last] = (await ask(RUNS)).completions.nodes;
    expect(last).toMatchObject({ status: 'INTERRUPTED', usage: { estimated: true } });
    expect(last.text.length).toBeGreaterThan(100);
    expect(Number(last.cost)).toBeGreaterThan(0);
    const { account } = await ask(ACCOUNT);
    expect(account).toMatchObject({ reserved: '0', entries: { totalCount: 7 } });
  });

  test('a gateway that starts on an earlier database runs what is asked of it with the instances, prices and money that are there', async () => {
    const { complete } = await ask(
      `mutation ($input: CompletionInput!) { complete(input: $input) { completion { status cost } } }`,
      { input: sandboxInput({ tokens: 10 }, { model: 'paid', parameters: { maxTokens: 100 } }) },
    );
    expect(complete.completion.status).toBe('FINISHED');
    expect(Number(complete.completion.cost)).toBeGreaterThan(0);
    const { account } = await ask(ACCOUNT);
    expect(account).toMatchObject({ reserved: '0', entries: { totalCount: 8 } });
    if (database.url !== undefined) expect(await discrepanciesOf(database.url)).toEqual([]);
  });
});
