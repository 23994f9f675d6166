// Owns `settle_holds`: the settlement of holds, which `end_runs` and `withdraw_run` call.
import type { DatabaseFunction } from './database-function.ts';

/**
 * Books what was used, even if the balance becomes negative, and releases what was held. It locks in the order of `begin_runs`: accounts, budgets, then
 * holds. Each account is changed once, by the sum of its runs; each entry continues the balance of the one before. The charge to a budget is recorded
 * for each run.
 */
export const settleHolds: DatabaseFunction = {
  name: 'settle_holds',
  version: 1,
  text: `
    create or replace function settle_holds(runs uuid[], costs bigint[], callers text[]) returns void language plpgsql set enable_seqscan = off as $$
    declare
      removed hold[];
    begin
      if not exists (select from hold where run_id = any(runs)) then return; end if;
      perform 1 from account where account.workspace_id in (
        select hold.workspace_id from hold where on_account and run_id = any(runs))
      order by account.workspace_id for update;
      if exists (select from hold where run_id = any(runs) and budget_ids <> '{}') then
        perform 1 from budget_use used where (used.budget_id, used.period_start) in (
          select unnest(hold.budget_ids), unnest(hold.period_starts) from hold where run_id = any(runs))
        order by used.budget_id, used.period_start for update;
      end if;
      with gone as (delete from hold where run_id = any(runs) returning hold)
      select array_agg(gone.hold) into removed from gone;
      with settled as materialized (
        select given.*, coalesce(ended.cost, 0) as cost, ended.caller, ended.place
        from unnest(runs, costs, callers) with ordinality as ended (run, cost, caller, place)
        join unnest(removed) given on given.run_id = ended.run
      ), budgeted as (
        update budget_use used set reserved_nano = reserved_nano - done.freed, spent_nano = spent_nano + done.cost
        from (
          select mine.id, mine.start, sum(settled.amount_nano) as freed, sum(settled.cost) as cost
          from settled cross join lateral unnest(settled.budget_ids, settled.period_starts) mine (id, start)
          group by mine.id, mine.start) done
        where used.budget_id = done.id and used.period_start = done.start
      ), noted as (
        insert into budget_charge (budget_id, period_start, run_id, amount_nano)
        select mine.id, mine.start, settled.run_id, settled.cost
        from settled cross join lateral unnest(settled.budget_ids, settled.period_starts) mine (id, start)
        where settled.cost <> 0
      ), charged as (
        insert into ledger_entry (workspace_id, kind, amount_nano, balance_nano, run_id, created_by)
        select settled.workspace_id, 'CHARGE', -settled.cost,
          account.balance_nano - sum(settled.cost) over (partition by settled.workspace_id order by settled.place),
          settled.run_id, settled.caller
        from settled join account using (workspace_id)
        where settled.on_account and settled.cost <> 0
        order by settled.place
      )
      update account set balance_nano = balance_nano - done.cost, reserved_nano = reserved_nano - done.freed, updated_at = now()
      from (
        select workspace_id, sum(cost) as cost, sum(amount_nano) as freed from settled where on_account group by workspace_id) done
      where account.workspace_id = done.workspace_id;
    end $$`,
};
