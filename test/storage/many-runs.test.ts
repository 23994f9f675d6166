import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import type { Storage } from '../../src/storage/orm.ts';
import { RunRepository, toEndItem } from '../../src/storage/repositories/run.repository.ts';
import { END, TAKE_ORPHANS } from '../../src/storage/repositories/run.statements.ts';
import { describeEachDatabase, openTestStorage } from '../support/databases.ts';
import { beginRow, endRow } from '../support/run-rows.ts';

const GROUP = 50;

describeEachDatabase('after thousands of runs', (kind) => {
  let storage: Storage;
  let runs: RunRepository;
  let workspaceId: string;
  const nodeId = randomUUID();

  beforeAll(async () => {
    storage = await openTestStorage(kind);
    runs = new RunRepository(storage);
    workspaceId = randomUUID();
    const text = "insert into workspace (id, slug, display_name) values ($1, 'many', 'Many')";
    await storage.sql.query({ name: '', text }, [workspaceId]);
    for (const table of ['completion_run', 'hold']) {
      // As if all of it happened between two rounds of the vacuum.
      await storage.sql.query({ name: '', text: `alter table ${table} set (autovacuum_enabled = off)` }, []);
    }
  });

  /** Blocks of 8 KiB that a statement looks at. */
  const blocksOf = async (text: string, values: readonly unknown[]): Promise<number> => {
    const explain = { name: '', text: `explain (analyze, buffers, format json) ${text}` };
    const [row] = await storage.sql.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
      explain,
      values,
    );
    const plan = row?.['QUERY PLAN'][0].Plan ?? {};
    return (plan['Shared Hit Blocks'] ?? NaN) + (plan['Shared Read Blocks'] ?? NaN);
  };
  const beginGroup = async (): Promise<string[]> => {
    const rows = Array.from({ length: GROUP }, () => beginRow(workspaceId, nodeId));
    await Promise.all(rows.map((row) => runs.begin(row)));
    return rows.map(({ id }) => id);
  };
  const blocksOfEnd = async () => {
    const rows = (await beginGroup()).map((id) => toEndItem(endRow(id)));
    return blocksOf(END.text, [JSON.stringify(rows)]);
  };
  const manyRuns = async () => {
    for (let round = 0; round < 60; round += 1) {
      const ids = await beginGroup();
      await Promise.all(ids.map((id) => runs.end(endRow(id))));
    }
  };

  test('after thousands of runs a run is ended with as few looks at the tables as at first, and so are those of dead nodes sought', async () => {
    await manyRuns();
    await blocksOfEnd();
    const [endsBefore, orphansBefore] = [await blocksOfEnd(), await orphanBlocks()];
    await manyRuns();
    const [endsAfter, orphansAfter] = [await blocksOfEnd(), await orphanBlocks()];
    expect(endsAfter).toBeLessThan(endsBefore * 1.5);
    expect(orphansAfter).toBeLessThan(orphansBefore + 100);
  });

  /** The second look is behind the cleaning-up of the first. */
  const orphanBlocks = async () => {
    const values = [nodeId, 10];
    await blocksOf(TAKE_ORPHANS.text, values);
    return blocksOf(TAKE_ORPHANS.text, values);
  };
});
