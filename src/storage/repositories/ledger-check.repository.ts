// Owns the statement that checks the books: stored balances and reserved sums are caches, and it finds those that differ from their sources.
import type { SqlClient } from '../sql.ts';

/** A stored sum that differs from its source; amounts in nano-dollars as decimal text. */
export interface Discrepancy {
  readonly rule: string;
  /** Id of the workspace, budget, run or entry. */
  readonly subject: string;
  readonly expected: string;
  readonly found: string;
}

/** A single statement, so that it sees one moment even while runs are settled. */
const CHECK = {
  name: 'check-ledger',
  text: `
    select 'the balance is the sum of the ledger' as rule, account.workspace_id::text as subject,
      coalesce(sum(entry.amount_nano), 0)::text as expected, account.balance_nano::text as found
    from account left join ledger_entry entry using (workspace_id)
    group by account.workspace_id having coalesce(sum(entry.amount_nano), 0) <> account.balance_nano
    union all
    select 'each entry stands on the one before', id::text, expected::text, balance_nano::text
    from (
      select id, balance_nano, sum(amount_nano) over (partition by workspace_id order by id) as expected from ledger_entry) entry
    where expected <> balance_nano
    union all
    select 'what is reserved is the sum of the holds', account.workspace_id::text,
      coalesce(sum(hold.amount_nano), 0)::text, account.reserved_nano::text
    from account left join hold on hold.workspace_id = account.workspace_id and hold.on_account
    group by account.workspace_id having coalesce(sum(hold.amount_nano), 0) <> account.reserved_nano
    union all
    select 'what a budget reserves is the sum of its holds', used.budget_id::text,
      coalesce(sum(held.amount_nano), 0)::text, used.reserved_nano::text
    from budget_use used left join (
      select mine.id, mine.start, hold.amount_nano from hold
      cross join lateral unnest(hold.budget_ids, hold.period_starts) mine (id, start)) held
      on held.id = used.budget_id and held.start = used.period_start
    group by used.budget_id, used.period_start, used.reserved_nano
    having coalesce(sum(held.amount_nano), 0) <> used.reserved_nano
    union all
    select 'what a budget has spent is the sum of its charges', used.budget_id::text,
      coalesce(sum(charge.amount_nano), 0)::text, used.spent_nano::text
    from budget_use used left join budget_charge charge using (budget_id, period_start)
    group by used.budget_id, used.period_start, used.spent_nano
    having coalesce(sum(charge.amount_nano), 0) <> used.spent_nano
    union all
    select 'a budget is charged what its run cost', charge.budget_id::text,
      coalesce(run.cost_nano, 0)::text, charge.amount_nano::text
    from budget_charge charge join completion_run run on run.id = charge.run_id
    where charge.amount_nano <> coalesce(run.cost_nano, 0)
    union all
    select 'no hold outlives its run', hold.run_id::text, 'RUNNING', coalesce(run.status, 'no such run')
    from hold left join completion_run run on run.id = hold.run_id
    where run.status is distinct from 'RUNNING'
    union all
    select 'a charge is what its run cost', entry.run_id::text, (-run.cost_nano)::text, entry.amount_nano::text
    from ledger_entry entry join completion_run run on run.id = entry.run_id
    where entry.kind = 'CHARGE' and entry.amount_nano <> -coalesce(run.cost_nano, 0)
    limit 100`,
};
const COUNT = {
  name: 'count-ledger',
  text: `select (select count(*) from account)::int as accounts, (select count(*) from ledger_entry)::int as entries,
           (select count(*) from hold)::int as holds`,
};

export class LedgerCheckRepository {
  readonly #sql: SqlClient;

  constructor(storage: { readonly sql: SqlClient }) {
    this.#sql = storage.sql;
  }

  /** At most 100. */
  discrepancies(): Promise<Discrepancy[]> {
    return this.#sql.query<Discrepancy>(CHECK, []);
  }

  async counts(): Promise<{ readonly accounts: number; readonly entries: number; readonly holds: number }> {
    const [row] = await this.#sql.query<{ accounts: number; entries: number; holds: number }>(COUNT, []);
    return row ?? { accounts: 0, entries: 0, holds: 0 };
  }
}
