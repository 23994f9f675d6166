import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import type { Storage } from '../../src/storage/orm.ts';
import { LedgerCheckRepository } from '../../src/storage/repositories/ledger-check.repository.ts';
import { MoneyRepository } from '../../src/storage/repositories/money.repository.ts';
import { RunRepository } from '../../src/storage/repositories/run.repository.ts';
import type { RunBegin, RunEnd } from '../../src/storage/run-columns.ts';
import { describeEachDatabase, openTestStorage } from '../support/databases.ts';
import { seededRandom } from '../support/random.ts';
import { beginRow, endRow } from '../support/run-rows.ts';

const sql = (text: string) => ({ name: '', text });

/** The account as anybody would write it down: numbers that are added to and taken from. */
interface ModelRun {
  readonly id: string;
  readonly workspace: string;
  readonly budgets: readonly string[];
  hold: bigint;
  epoch: number;
}

class Books {
  readonly balance = new Map<string, bigint>();
  readonly reserved = new Map<string, bigint>();
  readonly limit = new Map<string, bigint>();
  readonly spent = new Map<string, bigint>();
  readonly running = new Map<string, ModelRun>();

  of(map: Map<string, bigint>, id: string): bigint {
    return map.get(id) ?? 0n;
  }

  add(map: Map<string, bigint>, id: string, amount: bigint): void {
    map.set(id, this.of(map, id) + amount);
  }

  fits(workspace: string, budgets: readonly string[], more: bigint): boolean {
    if (more <= 0n) return true;
    const inAccount = this.of(this.balance, workspace) - this.of(this.reserved, workspace) >= more;
    return (
      inAccount &&
      budgets.every(
        (id) => this.of(this.limit, id) - this.of(this.spent, id) - this.of(this.reserved, id) >= more,
      )
    );
  }

  reserve({ workspace, budgets }: Pick<ModelRun, 'workspace' | 'budgets'>, more: bigint): void {
    for (const id of [workspace, ...budgets]) this.add(this.reserved, id, more);
  }

  settle(run: ModelRun, cost: bigint): void {
    this.reserve(run, -run.hold);
    this.add(this.balance, run.workspace, -cost);
    for (const id of run.budgets) this.add(this.spent, id, cost);
    this.running.delete(run.id);
  }
}

describeEachDatabase('the account', (kind) => {
  let storage: Storage;
  let runs: RunRepository;
  let money: MoneyRepository;
  let ledger: LedgerCheckRepository;
  const nodeId = randomUUID();

  beforeAll(async () => {
    storage = await openTestStorage(kind);
    runs = new RunRepository(storage);
    money = new MoneyRepository(storage);
    ledger = new LedgerCheckRepository(storage);
  });

  const workspace = async (): Promise<string> => {
    const id = randomUUID();
    await storage.sql.query(sql('insert into workspace (id, slug, display_name) values ($1, $2, $2)'), [
      id,
      `w-${id.slice(0, 8)}`,
    ]);
    return id;
  };
  const budget = async (workspaceId: string, caller: string | null, limitNano: bigint): Promise<string> => {
    const at = new Date();
    const row = {
      id: randomUUID(),
      workspaceId,
      caller,
      period: 'TOTAL' as const,
      limitNano,
      createdAt: at,
      updatedAt: at,
    };
    return (await money.setBudget(row, { caller: 'test', workspaceId })).id;
  };
  const begin = (workspaceId: string, hold: bigint, over: Partial<RunBegin> = {}): RunBegin =>
    beginRow(workspaceId, nodeId, { holdNano: hold, ...over });
  const end = (id: string, cost: bigint, epoch = 1): RunEnd => endRow(id, { epoch, costNano: cost });
  const credit = (workspaceId: string, amountNano: bigint) =>
    money.book({
      workspaceId,
      kind: 'CREDIT',
      amountNano,
      description: '',
      idempotencyKey: randomUUID(),
      createdBy: 'test',
    });

  test.each([1, 2, 3, 4, 5, 6])(
    'the account is what a plain model says, whatever happens (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const pick = <Value>(values: readonly Value[]) => values[Math.floor(random() * values.length)] as Value;
      const upTo = (most: number) => BigInt(Math.floor(random() * most));
      const books = new Books();
      const workspaces = [await workspace(), await workspace()];
      const budgetsOf = new Map<string, string[]>();
      for (const id of workspaces) {
        const limits = [3_000n, 1_500n];
        const ids = await Promise.all([budget(id, null, limits[0]!), budget(id, 'key:1', limits[1]!)]);
        for (const [index, budgetId] of ids.entries()) books.limit.set(budgetId, limits[index]!);
        budgetsOf.set(id, ids);
      }
      const steps = {
        async credit() {
          const id = pick(workspaces);
          const amount = 1n + upTo(800);
          await credit(id, amount);
          books.add(books.balance, id, amount);
        },
        /** A group: each is decided for itself, in order, and one that does not fit fails no neighbour. */
        async begin() {
          const items = Array.from({ length: 1 + Math.floor(random() * 12) }, () => {
            const id = pick(workspaces);
            const own = budgetsOf.get(id)!.slice(0, Math.floor(random() * 3));
            return begin(id, upTo(300), { budgetIds: own });
          });
          const answers = await Promise.all(items.map((item) => runs.begin(item)));
          for (const [index, item] of items.entries()) {
            const hold = item.holdNano!;
            const run = {
              id: item.id,
              workspace: item.workspaceId,
              budgets: item.budgetIds!,
              hold,
              epoch: 1,
            };
            const fits = books.fits(run.workspace, run.budgets, hold);
            expect(answers[index]?.outcome).toBe(fits ? 'begun' : 'refused');
            if (!fits) continue;
            books.reserve(run, hold);
            books.running.set(run.id, run);
          }
        },
        async raise() {
          const chosen = [...books.running.values()].filter(() => random() < 0.3);
          const wanted = chosen.map((run) => run.hold + upTo(200));
          const granted = await Promise.all(
            chosen.map((run, index) => runs.raiseHold(run.id, wanted[index]!)),
          );
          for (const [index, run] of chosen.entries()) {
            const more = wanted[index]! - run.hold;
            const fits = books.fits(run.workspace, run.budgets, more);
            expect(granted[index]).toBe(fits);
            if (!fits) continue;
            books.reserve(run, more);
            run.hold += more;
          }
        },
        /** More than was held now and then; and each end twice, of which one counts. */
        async settle() {
          const chosen = [...books.running.values()].filter(() => random() < 0.4);
          const ends = chosen.map((run) => ({ run, cost: upTo(Number(run.hold) + 50) }));
          const won = await Promise.all(ends.map(({ run, cost }) => runs.end(end(run.id, cost, run.epoch))));
          expect(won.every(Boolean)).toBe(true);
          for (const { run, cost } of ends) books.settle(run, cost);
          const again = await Promise.all(ends.map(({ run }) => runs.end(end(run.id, 1_000n, run.epoch))));
          expect(again.some(Boolean)).toBe(false);
        },
        async withdraw() {
          const run = pick([...books.running.values()]);
          if (!run || run.epoch > 1) return;
          await runs.withdraw({
            id: run.id,
            workspaceId: run.workspace,
            caller: 'key:1',
            idempotencyKey: null,
          });
          books.reserve(run, -run.hold);
          books.running.delete(run.id);
        },
        /** The node dies: another takes its runs over, and what the dead one still writes is refused. */
        async crash() {
          if (random() < 0.7) return;
          const taken = await runs.takeOrphans(randomUUID(), 10);
          for (const row of await runs.byIds(taken)) {
            const run = books.running.get(row.id);
            if (!run) continue;
            expect(await runs.end(end(run.id, 999n, run.epoch))).toBe(false);
            run.epoch = row.epoch;
          }
        },
      };
      const kinds = Object.values(steps);
      for (let step = 0; step < 40; step += 1) await pick(kinds)();
      for (const id of workspaces) {
        const account = await money.account(id);
        expect(account?.balanceNano ?? 0n).toBe(books.of(books.balance, id));
        expect(account?.reservedNano ?? 0n).toBe(books.of(books.reserved, id));
        for (const { budget: row, spentNano, reservedNano } of await money.budgets(id)) {
          expect(spentNano).toBe(books.of(books.spent, row.id));
          expect(reservedNano).toBe(books.of(books.reserved, row.id));
        }
      }
      expect(await ledger.discrepancies()).toEqual([]);
      await Promise.all([...books.running.values()].map((run) => runs.end(end(run.id, run.hold, run.epoch))));
      expect(await ledger.discrepancies()).toEqual([]);
    },
  );

  test('the account is right when two nodes hold, raise and settle at once', async () => {
    const id = await workspace();
    const budgetId = await budget(id, null, 100_000n);
    await credit(id, 50_000n);
    const other = new RunRepository(storage);
    const outcomes = await Promise.all(
      Array.from({ length: 400 }, async (_, index) => {
        const node = index % 2 === 0 ? runs : other;
        const row = begin(id, 500n, { budgetIds: [budgetId] });
        const { outcome } = await node.begin(row);
        if (outcome !== 'begun') return outcome;
        await node.raiseHold(row.id, 600n);
        await node.end(end(row.id, 400n));
        return outcome;
      }),
    );
    const begun = outcomes.filter((outcome) => outcome === 'begun').length;
    expect(begun).toBeGreaterThanOrEqual(100);
    expect((await money.account(id))?.balanceNano).toBe(50_000n - BigInt(begun) * 400n);
    expect((await money.account(id))?.reservedNano).toBe(0n);
    expect(await ledger.discrepancies()).toEqual([]);
  });

  test('the account frees the key of a run that it refuses, also for the next one of its group', async () => {
    const id = await workspace();
    await credit(id, 100n);
    const keyed = (hold: bigint) => begin(id, hold, { idempotencyKey: 'k', inputHash: 'h' });
    const [dear, cheap, again] = await Promise.all(
      [keyed(500n), keyed(50n), keyed(50n)].map((row) => runs.begin(row)),
    );
    expect(dear).toMatchObject({
      outcome: 'refused',
      refusal: { scope: 'ACCOUNT', required: '500', available: '100' },
    });
    expect(cheap?.outcome).toBe('begun');
    expect(again).toMatchObject({ outcome: 'joined', runId: cheap?.runId });
  });

  test('the account has a ledger to which lines are only ever added', async () => {
    await credit(await workspace(), 5n);
    for (const statement of [
      'update ledger_entry set amount_nano = 0',
      'delete from ledger_entry',
      'truncate ledger_entry',
    ]) {
      await expect(storage.sql.query(sql(statement), [])).rejects.toThrow(/append-only/);
    }
  });

  test('a tampered account is found out', async () => {
    const id = await workspace();
    await credit(id, 7n);
    await storage.sql.query(sql('update account set balance_nano = 8 where workspace_id = $1'), [id]);
    expect(await ledger.discrepancies()).toEqual([
      { rule: 'the balance is the sum of the ledger', subject: id, expected: '7', found: '8' },
    ]);
    await storage.sql.query(sql('update account set balance_nano = 7 where workspace_id = $1'), [id]);
  });

  test('the account has budgets whose spent sums are proved by what each run was charged', async () => {
    const id = await workspace();
    const budgetId = await budget(id, null, 100n);
    await credit(id, 100n);
    const rows = [begin(id, 5n, { budgetIds: [budgetId] }), begin(id, 5n, { budgetIds: [budgetId] })];
    await Promise.all(rows.map((row) => runs.begin(row)));
    await Promise.all(rows.map(({ id: runId }) => runs.end(end(runId, 3n))));
    expect(await ledger.discrepancies()).toEqual([]);
    const setSpent = (nano: number) =>
      storage.sql.query(sql('update budget_use set spent_nano = $2 where budget_id = $1'), [budgetId, nano]);
    await setSpent(4);
    expect(await ledger.discrepancies()).toEqual([
      {
        rule: 'what a budget has spent is the sum of its charges',
        subject: budgetId,
        expected: '6',
        found: '4',
      },
    ]);
    await setSpent(6);
  });
});
