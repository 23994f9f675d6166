import { randomBytes } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { silentLogger } from '../../src/kernel/logger.ts';
import { openStorage, type Storage } from '../../src/storage/orm.ts';
import { startTestApp } from '../support/app.ts';
import { sandboxInput } from '../support/run-calls.ts';
import { sandboxCatalogue } from '../support/sandbox-catalogue.ts';

const sql = (text: string) => ({ name: '', text });

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'modelgraph-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function openEmbedded(dataDir: string, told: string[] = []): Promise<Storage> {
  const tell = (_fields: object, message: string) => void told.push(message);
  const storage = await openStorage({
    dataDir,
    connections: 1,
    acquireTimeoutMs: 1_000,
    statementTimeoutMs: 1_000,
    applicationName: 'modelgraph-test',
    logger: { ...silentLogger, error: tell, info: tell },
  });
  return storage;
}

/** Without room for its write-ahead log the database panics, as on a full disk, and its thread ends. */
async function breakDatabase(storage: Storage, dataDir: string): Promise<() => void> {
  const [log, away] = [join(dataDir, 'pg_wal'), join(dataDir, 'pg_wal.away')];
  renameSync(log, away);
  for (let tries = 0; tries < 10; tries += 1) {
    const written = storage.sql.query(sql('insert into kept select 1 from pg_switch_wal()'), []);
    if (!(await written.then(() => true).catch(() => false))) break;
  }
  return () => renameSync(away, log);
}

test('an embedded database whose thread has ended refuses at once, and is opened again with all that was committed', async () => {
  const dataDir = join(makeFolder(), 'database');
  const told: string[] = [];
  const storage = await openEmbedded(dataDir, told);
  onTestFinished(() => storage.close());
  await storage.sql.query(sql('create table kept (n int)'), []);
  await storage.sql.query(sql('insert into kept values (41)'), []);
  const mend = await breakDatabase(storage, dataDir);

  const startedAt = performance.now();
  const refused = await Promise.allSettled([
    storage.sql.query(sql('select 1'), []),
    storage.entities().execute('select 1'),
    storage.entities().transactional((entities) => entities.execute('select 1')),
  ]);
  expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(refused[0]).toMatchObject({
    reason: { kind: 'unavailable', message: expect.stringContaining('has stopped') },
  });
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  expect(told).toContain('The embedded database has stopped; it is opened again');

  mend();
  const read = () => storage.sql.query(sql('select n from kept where n = 41'), []).catch(() => 'away');
  await expect.poll(read, { timeout: 60_000, interval: 200 }).toEqual([{ n: 41 }]);
  expect(await storage.entities().transactional((entities) => entities.execute('select 2 as two'))).toEqual([
    { two: 2 },
  ]);
}, 120_000);

test('closing an embedded database does not wait for a thread that has ended, nor for a database that does not open', async () => {
  const dataDir = join(makeFolder(), 'database');
  const storage = await openEmbedded(dataDir);
  await storage.sql.query(sql('create table kept (n int)'), []);
  await breakDatabase(storage, dataDir);
  const startedAt = performance.now();
  await storage.close();
  expect(performance.now() - startedAt).toBeLessThan(5_000);
}, 120_000);

test('a folder in which no database can be made is told in words', async () => {
  const file = join(makeFolder(), 'file');
  writeFileSync(file, 'not a folder');
  await expect(openEmbedded(join(file, 'database'))).rejects.toMatchObject({
    name: 'StartError',
    message: expect.stringContaining('DATA_DIR'),
  });
}, 120_000);

test('a gateway whose embedded database has stopped refuses in words, says why it is not ready, and goes on when it is back', async () => {
  const folder = makeFolder();
  const database = { kind: 'embedded' as const, url: undefined, dataDir: folder, drop: async () => {} };
  const app = await startTestApp('embedded', {
    database,
    overrides: { catalogueData: await sandboxCatalogue() },
  });
  await app.graph(
    'mutation { createProviderConfig(input: {name: "S", providerKey: "sandbox"}) { userErrors { message } } }',
  );
  const [log, away] = [join(folder, 'database', 'pg_wal'), join(folder, 'database', 'pg_wal.away')];
  renameSync(log, away);
  const write = () =>
    app.graph(
      'mutation ($input: CompletionInput!) { startCompletion(input: $input) { completion { id } } }',
      {
        input: sandboxInput(
          {},
          { messages: [{ role: 'USER', text: randomBytes(1_500_000).toString('base64') }] },
        ),
      },
    );
  const codes: unknown[] = [];
  for (let tries = 0; tries < 20 && codes.length < 2; tries += 1) {
    const code = (await write()).errors?.[0]?.extensions.code;
    if (code !== undefined) codes.push(code);
  }
  expect(codes).toEqual(['STORAGE_UNAVAILABLE', 'STORAGE_UNAVAILABLE']);
  const ready = await fetch(`${app.url}/health/ready`);
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { status: 'not ready', problems: { database: expect.stringContaining('has stopped') } },
  ]);
  renameSync(away, log);
  const readiness = async () => (await fetch(`${app.url}/health/ready`)).status;
  await expect.poll(readiness, { timeout: 60_000, interval: 200 }).toBe(200);
  expect((await app.graph('{ completions { totalCount } }')).errors).toBeUndefined();
}, 180_000);
