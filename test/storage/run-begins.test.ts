import { randomUUID } from 'node:crypto';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { delay } from '../../src/kernel/async.ts';
import { openStorage, type Storage } from '../../src/storage/orm.ts';
import { RunRepository } from '../../src/storage/repositories/run.repository.ts';
import { createDatabase, describeEachDatabase, openTestStorage } from '../support/databases.ts';
import { beginRow } from '../support/run-rows.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const sql = (text: string) => ({ name: '', text });
const NODE_ID = randomUUID();

async function addWorkspace(storage: Storage): Promise<string> {
  const id = randomUUID();
  const insert = 'insert into workspace (id, slug, display_name) values ($1, $2, $2)';
  await storage.sql.query(sql(insert), [id, `w-${id.slice(0, 8)}`]);
  return id;
}

/** A run without a hold. */
function plainRow(workspaceId: string, key?: string, hash = 'hash') {
  const { holdNano: _hold, ...row } = beginRow(workspaceId, NODE_ID);
  return key === undefined ? row : { ...row, idempotencyKey: key, inputHash: hash };
}

describeEachDatabase('the beginning of runs', (kind) => {
  let storage: Storage;
  let runs: RunRepository;
  let workspaceId: string;
  beforeAll(async () => {
    storage = await openTestStorage(kind);
    runs = new RunRepository(storage);
    workspaceId = await addWorkspace(storage);
  });
  const rowCount = async (where: string, value: string) => {
    const rows = await storage.sql.query(sql(`select 1 from completion_run where ${where} = $1`), [value]);
    return rows.length;
  };

  test('a key of a run can be looked up without beginning a run, and begins that came before are taken into account', async () => {
    const row = plainRow(workspaceId, 'looked-up');
    expect(await runs.join(row)).toBeUndefined();
    const duplicate = plainRow(workspaceId, 'looked-up');
    const other = plainRow(workspaceId, 'looked-up', 'other');
    const answers = await Promise.all([runs.begin(row), runs.join(duplicate), runs.join(other)]);
    expect(answers.map((answer) => [answer?.outcome, answer?.runId])).toEqual([
      ['begun', row.id],
      ['joined', row.id],
      ['conflict', row.id],
    ]);
    expect(await rowCount('id', duplicate.id)).toBe(0);
  });

  test('a key of a run that is given back while others ask for it is never told as used with another input', async () => {
    const outcomes = new Set<string>();
    for (let round = 0; round < 40; round += 1) {
      const rows = Array.from({ length: 4 }, () => plainRow(workspaceId, `given-back-${round}`));
      const other = new RunRepository(storage);
      await Promise.all(
        rows.map(async (row, index) => {
          const { outcome } = await (index % 2 === 0 ? runs : other).begin(row);
          outcomes.add(outcome);
          if (outcome === 'begun') await runs.withdraw(row);
        }),
      );
    }
    expect([...outcomes].sort()).not.toContain('conflict');
  });

  test('a run whose caller left before its group was written is not begun', async () => {
    const [first, left, third] = [1, 2, 3].map(() => plainRow(workspaceId));
    const leaving = new AbortController();
    const begins = [runs.begin(first as never)];
    await Promise.resolve();
    begins.push(runs.begin(left as never, leaving.signal), runs.begin(third as never));
    leaving.abort(new Error('left'));
    const [one, two, three] = await Promise.allSettled(begins);
    expect([one?.status, two?.status, three?.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await rowCount('id', left?.id ?? '')).toBe(0);
  });

  test.skipIf(kind === 'embedded')(
    'two nodes that begin runs under the same keys in another order do not wait for each other',
    async () => {
      const other = new RunRepository(storage);
      for (let round = 0; round < 8; round += 1) {
        const keys = Array.from({ length: 40 }, (_, index) => `round ${round}, ${index}`);
        const here = keys.map((key) => runs.begin(plainRow(workspaceId, key)));
        const there = keys.toReversed().map((key) => other.begin(plainRow(workspaceId, key)));
        const outcomes = (await Promise.all([...here, ...there])).map(({ outcome }) => outcome);
        expect(outcomes.filter((outcome) => outcome === 'begun')).toHaveLength(40);
        expect(outcomes.filter((outcome) => outcome === 'joined')).toHaveLength(40);
      }
    },
  );

  test.skipIf(kind === 'embedded')('a statement that lost a deadlock is sent once more', async () => {
    await storage.sql.query(sql('create table locked (id int primary key, changes int)'), []);
    await storage.sql.query(sql('insert into locked values (1, 0), (2, 0)'), []);
    await storage.sql.query(
      sql(`create function change_both(one int, other int) returns void language plpgsql as $$ begin
             update locked set changes = changes + 1 where id = one;
             perform pg_sleep(0.3);
             update locked set changes = changes + 1 where id = other;
           end $$`),
      [],
    );
    const change = (one: number, other: number) =>
      storage.sql.query(sql('select change_both($1, $2)'), [one, other]);
    await Promise.all([change(1, 2), change(2, 1)]);
    expect(await storage.sql.query(sql('select changes from locked order by id'), [])).toEqual([
      { changes: 2 },
      { changes: 2 },
    ]);
  });

  test.skipIf(kind === 'embedded')(
    'while PostgreSQL answers nothing, begins of runs are refused in time, and none of them begins when it is back',
    async () => {
      const database = await createDatabase(kind);
      const url = new URL(database.url ?? '');
      const proxy = await startTcpProxy(Number(url.port || 5432));
      url.port = String(proxy.port);
      const far = await openStorage({
        databaseUrl: url.href,
        dataDir: 'memory://',
        connections: 4,
        acquireTimeoutMs: 500,
        statementTimeoutMs: 20_000,
        applicationName: 'modelgraph-test',
      });
      onTestFinished(async () => {
        await far.close();
        await proxy[Symbol.asyncDispose]();
        await database.drop();
      });
      await far.migrate();
      const farRuns = new RunRepository(far, 500);
      const workspace = await addWorkspace(far);
      const first = plainRow(workspace);
      await farRuns.begin(first);

      proxy.stall();
      const waits: number[] = [];
      const refusals: unknown[] = [];
      const ask = async () => {
        const startedAt = performance.now();
        await farRuns.begin(plainRow(workspace)).catch((error: unknown) => refusals.push(error));
        waits.push(performance.now() - startedAt);
      };
      const asking: Promise<void>[] = [];
      for (let count = 0; count < 20; count += 1) {
        asking.push(ask());
        await delay(50);
      }
      await Promise.all(asking);
      expect(refusals).toHaveLength(20);
      expect(new Set(refusals.map((error) => (error as { kind: string }).kind))).toEqual(
        new Set(['unavailable']),
      );
      expect(Math.max(...waits)).toBeLessThan(2_500);

      proxy.mend();
      const last = plainRow(workspace);
      await expect
        .poll(
          () =>
            farRuns.begin(last).then(
              () => true,
              () => false,
            ),
          { timeout: 10_000 },
        )
        .toBe(true);
      const rows = await far.sql.query<{ id: string }>(sql('select id from completion_run order by id'), []);
      expect(rows.map(({ id }) => id).sort()).toEqual([first.id, last.id].sort());
    },
  );
});
