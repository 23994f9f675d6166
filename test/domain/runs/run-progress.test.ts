import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { MemoryEventLog } from '../../../src/coordination/memory/event-log.ts';
import { CompletionAnswer } from '../../../src/domain/completions/completion-answer.ts';
import { ActiveRun } from '../../../src/domain/runs/active-run.ts';
import type { RunEvent } from '../../../src/domain/runs/run-event.ts';
import { RunProgressRecords } from '../../../src/domain/runs/run-progress.ts';
import type { RunTerms } from '../../../src/domain/runs/run-terms.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { StorageError } from '../../../src/kernel/errors.ts';
import { silentLogger } from '../../../src/kernel/logger.ts';
import type { Storage } from '../../../src/storage/orm.ts';
import { RunRepository } from '../../../src/storage/repositories/run.repository.ts';
import { describeEachDatabase, openTestStorage } from '../../support/databases.ts';
import { completionKind } from '../../support/kinds.ts';
import { beginRow } from '../../support/run-rows.ts';

const log = new MemoryEventLog<RunEvent>({
  clock: systemClock,
  retentionMs: 1_000,
  maxEndedBytes: 1_000_000,
  bytesOf: () => 1,
});

describeEachDatabase('the progress records of runs', (kind) => {
  let storage: Storage;
  let runs: RunRepository;
  let workspaceId: string;
  /** The next statement is carried out, and its answer lost. */
  let loseAnswer = false;

  beforeAll(async () => {
    storage = await openTestStorage(kind);
    const sql = {
      ...storage.sql,
      query: async (...given: Parameters<typeof storage.sql.query>) => {
        const rows = await storage.sql.query(...given);
        if (!loseAnswer) return rows;
        loseAnswer = false;
        throw new StorageError('unavailable', 'The connection was lost');
      },
    } as typeof storage.sql;
    runs = new RunRepository({ sql, entities: () => storage.entities() });
    workspaceId = randomUUID();
    await storage.sql.query(
      {
        name: 'workspace',
        text: "insert into workspace (id, slug, display_name) values ($1, 'test', 'Test')",
      },
      [workspaceId],
    );
  });

  async function running(): Promise<{ run: ActiveRun; answer: CompletionAnswer }> {
    const row = beginRow(workspaceId, randomUUID());
    await runs.begin({ ...row, holdNano: undefined } as never);
    const request = { messages: [], tools: [], parameters: {}, onDetach: 'CONTINUE' };
    const kind = completionKind;
    const measured = kind.measure(request as never);
    const terms = { id: row.id, kind, request, measured, prices: new Map() } as unknown as RunTerms;
    const run = new ActiveRun(terms, log, systemClock);
    const answer = new CompletionAnswer();
    const candidate = { canonicalId: 'p/m', config: {}, model: undefined, spec: undefined } as never;
    run.beginAttempt({ candidate, answer });
    return { run, answer };
  }
  const say = ({ run, answer }: { run: ActiveRun; answer: CompletionAnswer }, text: string) =>
    run.emitParts(answer.take([{ type: 'text-delta', text }]).parts);
  const recordsOf = (...active: ActiveRun[]) =>
    new RunProgressRecords({
      executor: { active: () => active, get: (id) => active.find((run) => run.id === id) },
      runs,
      clock: systemClock,
      logger: silentLogger,
    });
  const storedText = async (run: ActiveRun) => (await runs.byIds([run.id]))[0]?.text;

  test('progress records hold what was shown, a piece at a time', async () => {
    const begun = await running();
    const { run } = begun;
    const records = recordsOf(run);
    for (const text of ['Hello', ', ', 'world']) {
      say(begun, text);
      await records.save();
    }
    expect(await storedText(run)).toBe('Hello, world');
  });

  test('progress records hold no piece twice where the answer to a record was lost', async () => {
    const begun = await running();
    const { run } = begun;
    const records = recordsOf(run);
    say(begun, 'Hello');
    await records.save();
    say(begun, ', world');
    loseAnswer = true;
    await records.save();
    say(begun, '!');
    await records.save();
    expect(await storedText(run)).toBe('Hello, world!');
  });

  test('progress records are written for every other run where one run’s cannot be stored', async () => {
    const [good, bad, other] = [await running(), await running(), await running()];
    const records = recordsOf(good.run, bad.run, other.run);
    bad.answer.usage = {
      inputTokens: 3e9,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      outputTokens: 0,
      reasoningTokens: 0,
    };
    for (const each of [good, bad, other]) say(each, 'Hello');
    await records.save();
    expect([await storedText(good.run), await storedText(bad.run), await storedText(other.run)]).toEqual([
      'Hello',
      '',
      'Hello',
    ]);
    expect([good, bad, other].map(({ run }) => run.stopKind)).toEqual([undefined, undefined, undefined]);
  });

  test('progress records count what is held back, and neither hold its text nor charge for it', async () => {
    const begun = await running();
    const { run } = begun;
    begun.answer.take([{ type: 'text-delta', text: 'held back' }]);
    await recordsOf(run).save();
    const [row] = await runs.byIds([run.id]);
    expect(row).toMatchObject({ text: '', outputTokens: 3 });
    expect(row?.costNano ?? null).toBeNull();
  });
});
