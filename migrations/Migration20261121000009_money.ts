// Owns money: accounts, the append-only ledger, budgets, holds, and the functions that begin and end runs with them.
import { Migration } from '@mikro-orm/migrations';

export class Migration20261121000009_money extends Migration {
  override up(): void {
    this.addSql(`
      create table account (
        workspace_id uuid primary key references workspace (id),
        balance_nano bigint not null default 0,
        reserved_nano bigint not null default 0 check (reserved_nano >= 0),
        updated_at timestamptz not null default now()
      ) with (fillfactor = 50)`);
    this.addSql(`
      create table ledger_entry (
        id bigint generated always as identity primary key,
        workspace_id uuid not null references workspace (id),
        kind text not null check (kind in ('CREDIT', 'ADJUSTMENT', 'CHARGE')),
        amount_nano bigint not null,
        balance_nano bigint not null,
        run_id uuid unique,
        description text not null default '',
        idempotency_key text,
        created_by text not null,
        created_at timestamptz not null default now(),
        unique (workspace_id, idempotency_key)
      )`);
    this.addSql('create index ledger_entry_list on ledger_entry (workspace_id, id desc)');
    this.addSql(`
      create function refuse_change() returns trigger language plpgsql as $$
      begin
        raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
      end $$`);
    this.addSql(`
      create trigger ledger_entry_append_only before update or delete or truncate on ledger_entry
      for each statement execute function refuse_change()`);
    this.addSql(`
      create table budget (
        id uuid primary key,
        workspace_id uuid not null references workspace (id),
        caller text,
        period text not null check (period in ('DAY', 'WEEK', 'MONTH', 'TOTAL')),
        limit_nano bigint not null check (limit_nano >= 0),
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        unique nulls not distinct (workspace_id, caller, period)
      )`);
    this.addSql(`
      create table budget_use (
        budget_id uuid not null references budget (id) on delete cascade,
        period_start timestamptz not null,
        spent_nano bigint not null default 0,
        reserved_nano bigint not null default 0 check (reserved_nano >= 0),
        primary key (budget_id, period_start)
      ) with (fillfactor = 50)`);
    this.addSql(`
      create table hold (
        run_id uuid primary key,
        workspace_id uuid not null references workspace (id),
        amount_nano bigint not null check (amount_nano >= 0),
        on_account boolean not null,
        budget_ids uuid[] not null default '{}',
        period_starts timestamptz[] not null default '{}',
        created_at timestamptz not null default now()
      )`);
    this.addSql('alter table revision add column budget bigint not null default 0');
    this.addSql(`
      create trigger budget_revision after insert or update or delete or truncate on budget
      for each statement execute function raise_revision()`);
    this.addSql(PERIOD_START);
    this.addSql(BOOK_ENTRY);
    this.addSql('drop function begin_runs(jsonb)');
    this.addSql(BEGIN_RUNS);
    this.addSql(WITHDRAW_RUN);
    this.addSql(RAISE_HOLDS);
    this.addSql(SETTLE_HOLDS);
    this.addSql('drop function end_runs(jsonb)');
    this.addSql(END_RUNS);
    this.addSql('alter function save_progress(jsonb) set enable_seqscan = off');
    this.addSql('drop index completion_run_running');
    this.addSql('create index completion_run_going_on on completion_run (node_id) where ended_at is null');
    this.addSql(TAKE_ORPHANS);
    this.addSql(TAKE_STRAYS);
  }
}

// The tables of runs and holds change faster than their statistics: whatever looks for single rows goes by the primary key, and a plan made while
// a table was empty must not become a walk over all that has been in it since. So these functions know no sequential scans, and the index of
// runs that go on is one that no statement about single runs can use.

/** Calendar periods in UTC. */
const PERIOD_START = `
  create function period_start(period text) returns timestamptz language sql stable as $$
    select case period
      when 'TOTAL' then 'epoch'::timestamptz
      else date_trunc(lower(period), now() at time zone 'UTC') at time zone 'UTC'
    end
  $$`;

/** Under a key that was used before: the entry of then where it is the same, else 'conflict'. */
const BOOK_ENTRY = `
  create function book_entry(workspace uuid, entry_kind text, amount bigint, words text, idempotency text, actor text)
  returns table (outcome text, entry_id bigint) language plpgsql as $$
  declare
    known ledger_entry;
    new_balance bigint;
    new_id bigint;
  begin
    perform set_config('modelgraph.actor', actor, true);
    insert into account (workspace_id) values (workspace) on conflict do nothing;
    perform 1 from account where workspace_id = workspace for update;
    select * into known from ledger_entry where workspace_id = workspace and idempotency_key = idempotency;
    if found then
      return query select case when known.kind = entry_kind and known.amount_nano = amount and known.description = words
        then 'known' else 'conflict' end, known.id;
      return;
    end if;
    update account set balance_nano = balance_nano + amount, updated_at = now()
    where workspace_id = workspace returning balance_nano into new_balance;
    insert into ledger_entry (workspace_id, kind, amount_nano, balance_nano, description, idempotency_key, created_by)
    values (workspace, entry_kind, amount, new_balance, words, idempotency, actor) returning id into new_id;
    return query select 'booked', new_id;
  end $$`;

/**
 * `asks` has what is decided on, in order of arrival; `items` the rows. Accounts, then the uses of budgets, each in the order of their ids,
 * are locked once for the group. Then each ask is decided for itself, with running totals in variables: 'begun', 'joined' (same key, same
 * input), 'conflict' or 'refused' (no funds). Each row is written once.
 */
const BEGIN_RUNS = `
  create function begin_runs(asks jsonb, items jsonb)
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
      select * from jsonb_to_recordset(asks) as each (
        id uuid, workspace_id uuid, caller text, idempotency_key text, input_hash text, hold_nano bigint,
        on_account boolean, budget_ids uuid[])
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
    insert into completion_run
      (id, workspace_id, caller, request_id, status, model, input, plan, metadata, on_detach, node_id, instance_id, canonical_id, created_at)
    select run.id, run.workspace_id, run.caller, run.request_id, 'RUNNING', run.model, run.input, run.plan, run.metadata,
      run.on_detach, run.node_id, run.instance_id, run.canonical_id, run.created_at
    from rows from (jsonb_to_recordset(items) as (
      id uuid, workspace_id uuid, caller text, request_id text, model text, input jsonb, plan jsonb, metadata jsonb,
      on_detach text, node_id uuid, instance_id uuid, canonical_id text, created_at timestamptz)) with ordinality as run
      (id, workspace_id, caller, request_id, model, input, plan, metadata, on_detach, node_id, instance_id, canonical_id, created_at, place)
    where outcomes[run.place] = 'begun';
    return query
      select answer.place::int, answer.outcome, answer.run, answer.refusal
      from unnest(outcomes, runs, refusals) with ordinality as answer (outcome, run, refusal, place);
  end $$`;

/** Undoes the beginning of a run that nothing was asked of yet: no row, no hold, its key free. */
const WITHDRAW_RUN = `
  create function withdraw_run(run uuid, workspace uuid, owner text, idempotency text) returns void language plpgsql set enable_seqscan = off as $$
  begin
    delete from completion_run where id = run and status = 'RUNNING';
    if found then
      perform settle_holds(array[run], array[0::bigint], array['']);
      delete from idempotency_key where workspace_id = workspace and caller = owner and key = idempotency and run_id = run;
    end if;
  end $$`;

/** What each hold is to come to in all; answers whether there was room. A hold that is settled already is not raised. */
const RAISE_HOLDS = `
  create function raise_holds(items jsonb) returns table (ordinal int, granted boolean) language plpgsql set enable_seqscan = off as $$
  declare
    item record;
    own hold;
    more bigint;
    ok boolean;
    slot int;
  begin
    perform 1 from account where workspace_id in (
      select hold.workspace_id from hold where on_account
        and run_id in (select (value->>'run_id')::uuid from jsonb_array_elements(items)))
    order by workspace_id for update;
    perform 1 from budget_use used where (used.budget_id, used.period_start) in (
      select unnest(hold.budget_ids), unnest(hold.period_starts) from hold
      where run_id in (select (value->>'run_id')::uuid from jsonb_array_elements(items)))
    order by used.budget_id, used.period_start for update;
    for item in
      select place, (value->>'run_id')::uuid as run_id, (value->>'amount_nano')::bigint as amount
      from jsonb_array_elements(items) with ordinality as each (value, place)
    loop
      select * into own from hold where hold.run_id = item.run_id for update;
      ok := found;
      more := item.amount - own.amount_nano;
      if ok and more > 0 then
        if own.on_account then
          select balance_nano - reserved_nano >= more into ok from account where workspace_id = own.workspace_id;
        end if;
        for slot in select generate_subscripts(own.budget_ids, 1) loop
          ok := ok and coalesce((
            select limit_nano - spent_nano - reserved_nano >= more from budget_use used join budget on budget.id = used.budget_id
            where used.budget_id = own.budget_ids[slot] and used.period_start = own.period_starts[slot]), true);
        end loop;
        if ok then
          update hold set amount_nano = item.amount where hold.run_id = item.run_id;
          if own.on_account then
            update account set reserved_nano = reserved_nano + more, updated_at = now() where workspace_id = own.workspace_id;
          end if;
          update budget_use used set reserved_nano = reserved_nano + more
          from unnest(own.budget_ids, own.period_starts) mine (id, start)
          where used.budget_id = mine.id and used.period_start = mine.start;
        end if;
      end if;
      ordinal := item.place;
      granted := ok;
      return next;
    end loop;
  end $$`;

/**
 * Books what was used, below zero if need be, and gives back what was held. Locks as begin_runs does: accounts, budgets, then holds. Each
 * account is changed once, by the sums of its runs; each entry stands on the one before.
 */
const SETTLE_HOLDS = `
  create function settle_holds(runs uuid[], costs bigint[], callers text[]) returns void language plpgsql set enable_seqscan = off as $$
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
  end $$`;

/**
 * The one statement that takes a run out of RUNNING and settles it: whoever gets its id back has won and publishes the end. Row by row, each by
 * its primary key: a join would be planned for what the table held when the plan was made.
 */
const END_RUNS = `
  create function end_runs(items jsonb) returns setof uuid language plpgsql set enable_seqscan = off as $$
  declare
    item record;
    owner text;
    won uuid[] := '{}';
    costs bigint[] := '{}';
    callers text[] := '{}';
  begin
    for item in
      select * from jsonb_to_recordset(items) as each (
        id uuid, epoch int, status text, instance_id uuid, canonical_id text, text text, reasoning text,
        tool_calls jsonb, finish_reason text, provider_finish_reason text, input_tokens int, cache_read_tokens int,
        cache_write_tokens int, output_tokens int, reasoning_tokens int, usage_estimated boolean, cost_nano bigint,
        cost_lines jsonb, price_version_id uuid, warnings jsonb, error jsonb, continuation text, last_seq int,
        ended_at timestamptz)
    loop
      update completion_run run set
        status = item.status,
        instance_id = item.instance_id,
        canonical_id = item.canonical_id,
        text = item.text,
        reasoning = item.reasoning,
        tool_calls = item.tool_calls,
        finish_reason = item.finish_reason,
        provider_finish_reason = item.provider_finish_reason,
        input_tokens = item.input_tokens,
        cache_read_tokens = item.cache_read_tokens,
        cache_write_tokens = item.cache_write_tokens,
        output_tokens = item.output_tokens,
        reasoning_tokens = item.reasoning_tokens,
        usage_estimated = item.usage_estimated,
        cost_nano = item.cost_nano,
        cost_lines = item.cost_lines,
        price_version_id = item.price_version_id,
        warnings = item.warnings,
        error = item.error,
        continuation = item.continuation,
        last_seq = item.last_seq,
        ended_at = item.ended_at,
        updated_at = now()
      where run.id = item.id and run.epoch = item.epoch and run.status = 'RUNNING'
      returning run.caller into owner;
      continue when not found;
      won := won || item.id;
      costs := costs || item.cost_nano;
      callers := callers || owner;
    end loop;
    if won = '{}' then return; end if;
    insert into run_attempt
    select (item_json->>'id')::uuid, attempt.*
    from jsonb_array_elements(items) item_json
    cross join lateral jsonb_to_recordset(item_json->'attempts') as attempt (
      number int, instance_id uuid, config_id uuid, canonical_id text, outcome text, error jsonb,
      served_model text, provider_request_id text, started_at timestamptz, first_token_ms int, duration_ms int,
      input_tokens int, cache_read_tokens int, cache_write_tokens int, output_tokens int, reasoning_tokens int,
      usage_estimated boolean, cost_nano bigint, absorbed boolean)
    where (item_json->>'id')::uuid = any(won)
    on conflict do nothing;
    perform settle_holds(won, costs, callers);
    return query select unnest(won);
  end $$`;

/**
 * Raising the epoch takes a run from its owner: whatever that still writes is refused. A plain index scan, which cleans up behind itself: of the
 * runs in this index nearly all have ended.
 */
const TAKE_ORPHANS = `
  create function take_orphans(taker uuid, lease_seconds float) returns setof uuid
  language sql set enable_seqscan = off set enable_bitmapscan = off as $$
    update completion_run run set epoch = run.epoch + 1, node_id = taker
    where run.ended_at is null and run.node_id <> taker and not exists (
      select from node_lease lease
      where lease.node_id = run.node_id and lease.renewed_at > now() - make_interval(secs => lease_seconds))
    returning run.id
  $$`;

/** Rows that a node has and does not run: what undid or ended them was lost on its way. */
const TAKE_STRAYS = `
  create function take_strays(owner uuid, running uuid[]) returns setof uuid
  language sql set enable_seqscan = off set enable_bitmapscan = off as $$
    update completion_run set epoch = epoch + 1
    where ended_at is null and node_id = owner and created_at < now() - interval '30 seconds' and id <> all(running)
    returning id
  $$`;
