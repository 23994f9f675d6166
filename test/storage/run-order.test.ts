import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStorage, type Storage } from '../../src/storage/orm.ts';
import { RunRepository } from '../../src/storage/repositories/run.repository.ts';
import type { RunProgress } from '../../src/storage/run-columns.ts';
import {
  createDatabase,
  describeEachDatabase,
  openTestStorage,
  postgresUsable,
} from '../support/databases.ts';
import { beginRow, endRow, NO_USAGE } from '../support/run-rows.ts';

const progressRow = (id: string): RunProgress => ({
  id,
  epoch: 1,
  instanceId: null,
  canonicalId: null,
  restarted: false,
  text: 'more',
  reasoning: '',
  usage: NO_USAGE,
  costNano: null,
  priceVersionId: null,
  progressSeq: 2,
});

async function addWorkspace(storage: Storage): Promise<string> {
  const id = randomUUID();
  const text = 'insert into workspace (id, slug, display_name) values ($1, $2, $2)';
  await storage.sql.query({ name: '', text }, [id, `w-${id}`]);
  return id;
}

async function begin(runs: RunRepository, workspaceId: string, nodeId: string, over = {}): Promise<string> {
  const row = beginRow(workspaceId, nodeId, over);
  await runs.begin(row);
  return row.id;
}

describe.skipIf(!postgresUsable())('statements about several runs', () => {
  let storage: Storage;
  let runs: RunRepository;
  let workspaceId: string;
  let drop: () => Promise<void>;
  let other: pg.Client;
  let watcher: pg.Client;

  beforeAll(async () => {
    const database = await createDatabase('postgresql');
    drop = () => database.drop();
    storage = await openStorage({
      databaseUrl: database.url ?? '',
      dataDir: database.dataDir,
      connections: 4,
      acquireTimeoutMs: 2_000,
      statementTimeoutMs: 10_000,
      applicationName: 'run-order',
    });
    await storage.migrate();
    runs = new RunRepository(storage);
    workspaceId = await addWorkspace(storage);
    other = new pg.Client({ connectionString: database.url });
    watcher = new pg.Client({ connectionString: database.url });
    await Promise.all([other.connect(), watcher.connect()]);
  });
  afterAll(async () => {
    await Promise.all([other.end(), watcher.end()]);
    await storage.close();
    await drop();
  });

  const isWaiting = async () => {
    const { rows } = await watcher.query(
      "select 1 from pg_stat_activity where datname = current_database() and application_name = 'run-order' and wait_event_type = 'Lock'",
    );
    return rows.length > 0;
  };

  for (const [name, write] of [
    ['ends', (ids: string[]) => Promise.all(ids.map((id) => runs.end(endRow(id))))],
    ['progress records', (ids: string[]) => Promise.all(ids.map((id) => runs.saveProgress(progressRow(id))))],
  ] as const) {
    test(`${name} lock their runs in the order of their ids, whatever the order of arrival`, async () => {
      const nodeId = randomUUID();
      const ids = [await begin(runs, workspaceId, nodeId), await begin(runs, workspaceId, nodeId)].sort();
      const [first, second] = ids as [string, string];
      await other.query('begin');
      await other.query('select from completion_run where id = $1 for update', [first]);
      const written = write([second, first]);
      await expect.poll(isWaiting).toBe(true);
      // Whoever waits for the first has not taken the second yet.
      await expect(
        watcher.query('select from completion_run where id = $1 for update nowait', [second]),
      ).resolves.toMatchObject({ rowCount: 1 });
      await other.query('commit');
      await written;
    });
  }
});

describeEachDatabase('orphan runs', (kind) => {
  let storage: Storage;
  let runs: RunRepository;
  let workspaceId: string;

  beforeAll(async () => {
    storage = await openTestStorage(kind);
    runs = new RunRepository(storage);
    workspaceId = await addWorkspace(storage);
  });
  const sql = (text: string, values: readonly unknown[]) => storage.sql.query({ name: '', text }, values);

  test('runs that no node carries on are taken at a start on the embedded database though the clock was set back since the old lease was renewed', async () => {
    const dead = randomUUID();
    const id = await begin(runs, workspaceId, dead);
    await sql("insert into node_lease (node_id, renewed_at) values ($1, now() + interval '1 hour')", [dead]);
    expect(await runs.takeOrphans(randomUUID(), 10)).toEqual([]);
    const taker = randomUUID();
    expect(await runs.takeOrphans(taker, null)).toEqual([id]);
    expect(await runs.takeOrphans(taker, null)).toEqual([]);
  });

  test('runs that no node carries on are found by the clock of the database, whatever the node’s says', async () => {
    const nodeId = randomUUID();
    const future = new Date(Date.now() + 3_600_000).toISOString();
    const past = new Date(Date.now() - 3_600_000).toISOString();
    const stray = await begin(runs, workspaceId, nodeId, { created_at: future });
    const fresh = await begin(runs, workspaceId, nodeId, { created_at: past });
    await sql("update completion_run set updated_at = now() - interval '1 minute' where id = $1", [stray]);
    expect(await runs.takeStrays(nodeId, [])).toEqual([stray]);
    expect(await runs.ownedBy(nodeId, [stray, fresh])).toEqual(
      new Map([stray, fresh].map((id) => [id, { isCancelled: false }])),
    );
  });
});
