// Owns the statements of accounts, the ledger and budgets, except those that run with each completion (`run.repository.ts`).
import type { SqlEntityManager } from '@mikro-orm/postgresql';
import { type Actor, writeAs } from '../acting.ts';
import { AccountEntity } from '../entities/account.entity.ts';
import { BudgetEntity, type BudgetPeriod } from '../entities/budget.entity.ts';
import { LedgerEntryEntity, type LedgerEntryKind } from '../entities/ledger-entry.entity.ts';
import type { SqlClient } from '../sql.ts';

export type { BudgetPeriod, LedgerEntryKind };
export type LedgerEntryRow = Readonly<LedgerEntryEntity>;
export type BudgetRow = Readonly<BudgetEntity>;

export interface NewEntry {
  readonly workspaceId: string;
  readonly kind: Exclude<LedgerEntryKind, 'CHARGE'>;
  readonly amountNano: bigint;
  readonly description: string;
  readonly idempotencyKey: string;
  readonly createdBy: string;
}

/** A budget, and how much of it was used in the present period. */
export interface BudgetState {
  readonly budget: BudgetRow;
  readonly periodStart: Date;
  readonly spentNano: bigint;
  readonly reservedNano: bigint;
}

export interface EntryPage {
  readonly limit: number;
  readonly backward: boolean;
  readonly beyondId?: string;
}

const BOOK = {
  name: 'book-entry',
  text: 'select outcome, entry_id::text from book_entry($1::uuid, $2::text, $3::bigint, $4::text, $5::text, $6::text)',
};
const BUDGET_USE = {
  name: 'budget-use',
  text: `select budget.id, period_start(budget.period)::text as period_start, coalesce(used.spent_nano, 0)::text as spent,
           coalesce(used.reserved_nano, 0)::text as reserved
         from budget left join budget_use used
           on used.budget_id = budget.id and used.period_start = period_start(budget.period)
         where budget.workspace_id = $1`,
};

export class MoneyRepository {
  readonly #sql: SqlClient;
  readonly #entities: () => SqlEntityManager;

  constructor(storage: { readonly sql: SqlClient; readonly entities: () => SqlEntityManager }) {
    this.#sql = storage.sql;
    this.#entities = storage.entities;
  }

  /** `null` if nothing was ever booked or held. */
  account(workspaceId: string): Promise<Readonly<AccountEntity> | null> {
    return this.#run((entities) => entities.findOne(AccountEntity, { workspaceId }));
  }

  /** Books once for each key: `known` if the same booking was made before, `conflict` if the key belongs to another booking. */
  async book(entry: NewEntry): Promise<{ outcome: 'booked' | 'known' | 'conflict'; entry: LedgerEntryRow }> {
    const { workspaceId, kind, amountNano, description, idempotencyKey, createdBy } = entry;
    const [row] = await this.#sql.query<{ outcome: 'booked' | 'known' | 'conflict'; entry_id: string }>(
      BOOK,
      [workspaceId, kind, amountNano.toString(), description, idempotencyKey, createdBy],
    );
    const booked = await this.#run((entities) =>
      entities.findOneOrFail(LedgerEntryEntity, { id: row?.entry_id ?? '' }),
    );
    return { outcome: row?.outcome ?? 'booked', entry: booked };
  }

  /** Newest first. It reads one row more than `limit`, which shows whether there is a further page. */
  entries(workspaceId: string, { limit, backward, beyondId }: EntryPage): Promise<LedgerEntryRow[]> {
    const beyond = beyondId === undefined ? {} : { id: backward ? { $gt: beyondId } : { $lt: beyondId } };
    return this.#run((entities) =>
      entities.find(
        LedgerEntryEntity,
        { workspaceId, ...beyond },
        { orderBy: { id: backward ? 'asc' : 'desc' }, limit: limit + 1 },
      ),
    );
  }

  countEntries(workspaceId: string): Promise<number> {
    return this.#run((entities) => entities.count(LedgerEntryEntity, { workspaceId }));
  }

  async budgets(workspaceId: string): Promise<BudgetState[]> {
    const [rows, used] = await Promise.all([
      this.#run((entities) =>
        entities.find(
          BudgetEntity,
          { workspaceId },
          { orderBy: { caller: 'asc nulls first', period: 'asc' } },
        ),
      ),
      this.#sql.query<{ id: string; period_start: string; spent: string; reserved: string }>(BUDGET_USE, [
        workspaceId,
      ]),
    ]);
    const uses = new Map(used.map((use) => [use.id, use]));
    return rows.map((budget) => {
      const use = uses.get(budget.id);
      return {
        budget,
        periodStart: new Date(use?.period_start ?? budget.createdAt),
        spentNano: BigInt(use?.spent ?? 0),
        reservedNano: BigInt(use?.reserved ?? 0),
      };
    });
  }

  /** Creates or changes the one budget of its caller and period; what was spent already stays counted. */
  setBudget(row: BudgetRow, actor: Actor): Promise<BudgetRow> {
    return this.#run(async (entities) => {
      const { workspaceId, caller, period, limitNano, updatedAt } = row;
      const known = await entities.findOne(BudgetEntity, { workspaceId, caller: caller ?? null, period });
      if (known) Object.assign(known, { limitNano, updatedAt });
      else await entities.insert(BudgetEntity, { ...row });
      await entities.flush();
      return known ?? row;
    }, actor);
  }

  /** True if there was one. */
  async removeBudget(
    where: { readonly workspaceId: string; readonly caller: string | null; readonly period: BudgetPeriod },
    actor: Actor,
  ): Promise<boolean> {
    return (await this.#run((entities) => entities.nativeDelete(BudgetEntity, where), actor)) > 0;
  }

  #run<Result>(work: (entities: SqlEntityManager) => Promise<Result>, actor?: Actor): Promise<Result> {
    return writeAs(this.#entities(), actor, work);
  }
}
