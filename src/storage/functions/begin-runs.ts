// Owns `begin_runs`: it begins a group of runs and decides on their holds and idempotency keys.
import { declared, listed } from '../columns.ts';
import { BEGIN_COLUMNS, DECISION_COLUMNS } from '../run-columns.ts';
import type { DatabaseFunction } from './database-function.ts';

/** Nodes of a version that had completions only do not give the kind. */
const OTHER_COLUMNS = BEGIN_COLUMNS.filter(({ name }) => name !== 'kind');

/**
 * `asks` holds the facts that are decided on, in order of arrival; `items` the rows. Accounts, then the uses of budgets, each in the order of their ids,
 * are locked once for the group. Then each ask is decided by itself, with running totals in variables: 'begun', 'joined' (same key, same input),
 * 'conflict' or 'refused' (no funds). Each row is written once.
 */
export const beginRuns: DatabaseFunction = {
  name: 'begin_runs',
  version: 3,
  text: `
    create or replace function begin_runs(asks jsonb, items jsonb)
    returns table (ordinal int, outcome text, run_id uuid, refusal jsonb)
    language plpgsql set enable_seqscan = off as $$
    declare
      ask record;
      outcomes text[] := '{}';
      runs uuid[] := '{}';
      refusals jsonb[] := '{}';
      decided text;
      decided_run uuid;
      known_hash text;
      reason jsonb;
      account_ids uuid[] := '{}';
      account_free bigint[] := '{}';
      account_taken bigint[] := '{}';
      budget_ids uuid[] := '{}';
      budget_starts timestamptz[] := '{}';
      budget_free bigint[] := '{}';
      budget_taken bigint[] := '{}';
      held_runs uuid[] := '{}';
      held_workspaces uuid[] := '{}';
      held_amounts bigint[] := '{}';
      paying uuid[];
      bounding uuid[];
      own_account int;
      own_budgets int[];
      slot int;
    begin
      select array_agg(distinct (value->>'workspace_id')::uuid) into paying
      from jsonb_array_elements(asks) where (value->>'on_account')::boolean;
      if paying is not null then
        if (select count(*) from account where workspace_id = any(paying)) < cardinality(paying) then
          insert into account (workspace_id) select unnest(paying) order by 1 on conflict do nothing;
        end if;
        select array_agg(workspace_id), array_agg(free), array_agg(0::bigint) into account_ids, account_free, account_taken
        from (
          select account.workspace_id, balance_nano - reserved_nano as free from account
          where account.workspace_id = any(paying) order by account.workspace_id for update) locked;
      end if;
      select array_agg(distinct wanted_id::uuid) into bounding
      from jsonb_array_elements(asks), jsonb_array_elements_text(value->'budget_ids') wanted_id;
      if bounding is not null then
        insert into budget_use (budget_id, period_start)
        select budget.id, period_start(budget.period) from budget where budget.id = any(bounding) order by 1 on conflict do nothing;
        select array_agg(id), array_agg(period_start), array_agg(free), array_agg(0::bigint)
        into budget_ids, budget_starts, budget_free, budget_taken
        from (
          select budget.id, used.period_start, limit_nano - spent_nano - reserved_nano as free
          from budget_use used join budget on budget.id = used.budget_id and used.period_start = period_start(budget.period)
          where budget.id = any(bounding) order by budget.id for update of used) locked;
      end if;
      for ask in
        select * from jsonb_to_recordset(asks) as each (${declared(DECISION_COLUMNS)})
      loop
        decided_run := ask.id;
        decided := 'begun';
        reason := null;
        if ask.idempotency_key is not null then
          insert into idempotency_key as known (workspace_id, caller, key, run_id, input_hash, expires_at)
          values (ask.workspace_id, ask.caller, ask.idempotency_key, ask.id, ask.input_hash, now() + interval '24 hours')
          on conflict (workspace_id, caller, key) do update
            set run_id = excluded.run_id, input_hash = excluded.input_hash, expires_at = excluded.expires_at
            where known.expires_at <= now();
          if not found then
            select known.run_id, known.input_hash into decided_run, known_hash from idempotency_key known
            where known.workspace_id = ask.workspace_id and known.caller = ask.caller and known.key = ask.idempotency_key;
            decided := case when known_hash = ask.input_hash then 'joined' else 'conflict' end;
          end if;
        end if;
        if decided = 'begun' and ask.hold_nano is not null then
          own_account := case when ask.on_account then array_position(account_ids, ask.workspace_id) end;
          own_budgets := '{}';
          if ask.hold_nano > 0 and own_account is not null and account_free[own_account] < ask.hold_nano then
            reason := jsonb_build_object('scope', 'ACCOUNT',
              'required', ask.hold_nano::text, 'available', account_free[own_account]::text);
          end if;
          if cardinality(ask.budget_ids) > 0 then
            for slot in select array_position(budget_ids, wanted_id) from unnest(ask.budget_ids) wanted_id loop
              -- A budget that was deleted meanwhile bounds nothing.
              continue when slot is null;
              own_budgets := own_budgets || slot;
              if ask.hold_nano > 0 and reason is null and budget_free[slot] < ask.hold_nano then
                reason := jsonb_build_object('scope', 'BUDGET', 'budgetId', budget_ids[slot],
                  'required', ask.hold_nano::text, 'available', budget_free[slot]::text);
              end if;
            end loop;
          end if;
          if reason is not null then
            decided := 'refused';
            delete from idempotency_key known where known.workspace_id = ask.workspace_id
              and known.caller = ask.caller and known.key = ask.idempotency_key;
          else
            if own_account is not null then
              account_free[own_account] := account_free[own_account] - ask.hold_nano;
              account_taken[own_account] := account_taken[own_account] + ask.hold_nano;
            end if;
            if cardinality(own_budgets) = 0 and own_account is not null then
              held_runs := held_runs || ask.id;
              held_workspaces := held_workspaces || ask.workspace_id;
              held_amounts := held_amounts || ask.hold_nano;
            else
              foreach slot in array own_budgets loop
                budget_free[slot] := budget_free[slot] - ask.hold_nano;
                budget_taken[slot] := budget_taken[slot] + ask.hold_nano;
              end loop;
              insert into hold (run_id, workspace_id, amount_nano, on_account, budget_ids, period_starts)
              select ask.id, ask.workspace_id, ask.hold_nano, own_account is not null,
                coalesce(array_agg(budget_ids[own]), '{}'), coalesce(array_agg(budget_starts[own]), '{}')
              from unnest(own_budgets) own;
            end if;
          end if;
        end if;
        outcomes := outcomes || decided;
        runs := runs || decided_run;
        refusals := refusals || coalesce(reason, 'null'::jsonb);
      end loop;
      if cardinality(held_runs) > 0 then
        insert into hold (run_id, workspace_id, amount_nano, on_account)
        select run, workspace, amount, true from unnest(held_runs, held_workspaces, held_amounts) held (run, workspace, amount);
      end if;
      if paying is not null then
        update account set reserved_nano = reserved_nano + taken.nano, updated_at = now()
        from unnest(account_ids, account_taken) taken (id, nano)
        where account.workspace_id = taken.id and taken.nano > 0;
      end if;
      if bounding is not null then
        update budget_use used set reserved_nano = reserved_nano + taken.nano
        from unnest(budget_ids, budget_starts, budget_taken) taken (id, start, nano)
        where used.budget_id = taken.id and used.period_start = taken.start and taken.nano > 0;
      end if;
      insert into completion_run (${listed(OTHER_COLUMNS)}, kind, status)
      select ${listed(OTHER_COLUMNS, 'run')}, coalesce(run.kind, 'completion'), 'RUNNING'
      from rows from (jsonb_to_recordset(items) as (${declared(BEGIN_COLUMNS)})) with ordinality as run
        (${listed(BEGIN_COLUMNS)}, place)
      where outcomes[run.place] = 'begun';
      return query
        select answer.place::int, answer.outcome, answer.run, answer.refusal
        from unnest(outcomes, runs, refusals) with ordinality as answer (outcome, run, refusal, place);
    end $$`,
};
