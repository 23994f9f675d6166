import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadCatalogueData } from '../../../src/domain/catalogue/catalogue-data.ts';
import { openStorage } from '../../../src/storage/orm.ts';
import { type GraphAnswer, startTestApp } from '../../support/app.ts';
import {
  createDatabase,
  type DatabaseKind,
  describeEachDatabase,
  type TestDatabase,
} from '../../support/databases.ts';
import { type FakeUpstream, startFakeUpstream } from '../../support/fake-upstream.ts';

const COMPLETE = `mutation ($input: CompletionInput!) { complete(input: $input) { completion { status text } } }`;
const CONFIGS = '{ providerConfigs { nodes { name enabled secretEnv hasSecret } } }';
const CONFIG = { name: 'openai', secretEnv: 'OPENAI_API_KEY', hasSecret: true };
const ANSWER = [
  '{"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello from afar"}}]}',
  '{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}',
  '{"id":"c","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":3,"total_tokens":6}}',
  '[DONE]',
];

describeEachDatabase('environment start', (kind) => {
  const canary = 'sk-canary-f3b1c0de';
  let upstream: FakeUpstream;
  let database: TestDatabase;
  let answer: GraphAnswer;
  let configs: unknown[];
  let dump: string;

  /** Starts, asks, and stops again. */
  async function callOnce(environment: Record<string, string>) {
    const overrides = { catalogueData: await loadCatalogueData() };
    const app = await startTestApp(kind, { database, environment, overrides });
    const input = { model: 'openai/gpt-4.1', messages: [{ role: 'USER', text: 'Hello' }] };
    answer = await app.graph(COMPLETE, { input });
    configs = (await app.graph(CONFIGS)).data.providerConfigs.nodes;
    await app.close();
    dump = await dumpOf(database);
  }

  beforeAll(async () => {
    upstream = await startFakeUpstream(() => ({
      headers: { 'content-type': 'text/event-stream' },
      body: ANSWER.map((data) => `data: ${data}\n\n`).join(''),
    }));
    database = await createLastingDatabase(kind);
    await callOnce({ OPENAI_API_KEY: canary, OPENAI_BASE_URL: `${upstream.url}/v1` });
  }, 30_000);
  afterAll(async () => {
    await upstream.close();
    await database.drop();
  });

  test('a gateway with a credential in its environment completes with no further set-up, and keeps the secret out of its database', async () => {
    expect(answer.data.complete.completion).toEqual({ status: 'FINISHED', text: 'Hello from afar' });
    expect(upstream.requests[0]?.headers.authorization).toBe(`Bearer ${canary}`);
    expect(configs).toContainEqual({ ...CONFIG, enabled: true });
    expect(dump).toContain('OPENAI_API_KEY');
    expect(dump).toContain('Hello from afar');
    expect(dump).not.toContain(canary);
  });

  test('a gateway with a credential in its environment has the config switched off once the variable is gone', async () => {
    await callOnce({});
    expect(configs).toContainEqual({ ...CONFIG, enabled: false });
    expect(answer.errors?.[0]?.extensions.code).toBe('MODEL_UNAVAILABLE');
    expect(upstream.requests).toHaveLength(1);
  });
});

/** One that is still there when the gateway starts again. */
async function createLastingDatabase(kind: DatabaseKind): Promise<TestDatabase> {
  if (kind === 'postgresql') return createDatabase(kind);
  const dataDir = mkdtempSync(join(tmpdir(), 'modelgraph-test-'));
  return { kind, url: undefined, dataDir, drop: async () => rmSync(dataDir, { recursive: true }) };
}

/** Everything that the database holds, as text. */
async function dumpOf(database: TestDatabase): Promise<string> {
  const storage = await openStorage({
    ...(database.url === undefined ? {} : { databaseUrl: database.url }),
    dataDir: join(database.dataDir, 'database'),
    connections: 1,
    acquireTimeoutMs: 2_000,
    statementTimeoutMs: 10_000,
    applicationName: 'modelgraph-test',
  });
  try {
    const rows = (text: string) => storage.sql.query<{ row: string }>({ name: '', text }, []);
    const tables = await rows(
      `select quote_ident(table_name) as row from information_schema.tables where table_schema = 'public'`,
    );
    const dumps = await Promise.all(
      tables.map(({ row: table }) => rows(`select t::text as row from ${table} t`)),
    );
    return dumps.flatMap((found) => found.map(({ row }) => row)).join('\n');
  } finally {
    await storage.close();
  }
}
