// Owns completion runs, their attempts, idempotency keys and node leases, and the functions that write runs in groups.
import { Migration } from '@mikro-orm/migrations';

export class Migration20261120000004_runs extends Migration {
  override up(): void {
    this.addSql(`
      create table node_lease (
        node_id uuid primary key,
        started_at timestamptz not null default now(),
        renewed_at timestamptz not null default now()
      )`);
    this.addSql(`
      create table completion_run (
        id uuid primary key,
        workspace_id uuid not null references workspace (id),
        caller text not null,
        request_id text,
        status text not null check (status in ('RUNNING', 'FINISHED', 'FAILED', 'CANCELLED', 'INTERRUPTED')),
        model text not null,
        input jsonb not null,
        plan jsonb not null,
        metadata jsonb not null default '{}',
        on_detach text not null default 'CONTINUE' check (on_detach in ('CONTINUE', 'CANCEL')),
        node_id uuid not null,
        epoch int not null default 1,
        cancel_requested_at timestamptz,
        instance_id uuid,
        canonical_id text,
        text text not null default '',
        reasoning text not null default '',
        tool_calls jsonb not null default '[]',
        finish_reason text,
        provider_finish_reason text,
        input_tokens int not null default 0,
        cache_read_tokens int not null default 0,
        cache_write_tokens int not null default 0,
        output_tokens int not null default 0,
        reasoning_tokens int not null default 0,
        usage_estimated boolean not null default false,
        cost_nano bigint,
        cost_lines jsonb,
        price_version_id uuid,
        warnings jsonb not null default '[]',
        error jsonb,
        continuation text,
        progress_seq int not null default 0,
        last_seq int,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        ended_at timestamptz
      )`);
    this.addSql('create index completion_run_list on completion_run (workspace_id, id desc)');
    this.addSql("create index completion_run_running on completion_run (node_id) where status = 'RUNNING'");
    this.addSql(`
      create table run_attempt (
        run_id uuid not null references completion_run (id) on delete cascade,
        number int not null,
        instance_id uuid,
        config_id uuid not null,
        canonical_id text not null,
        outcome text not null,
        error jsonb,
        served_model text,
        provider_request_id text,
        started_at timestamptz not null,
        first_token_ms int,
        duration_ms int not null,
        input_tokens int not null default 0,
        cache_read_tokens int not null default 0,
        cache_write_tokens int not null default 0,
        output_tokens int not null default 0,
        reasoning_tokens int not null default 0,
        usage_estimated boolean not null default false,
        cost_nano bigint,
        absorbed boolean not null default false,
        primary key (run_id, number)
      )`);
    this.addSql(`
      create table idempotency_key (
        workspace_id uuid not null references workspace (id),
        caller text not null,
        key text not null,
        run_id uuid not null,
        input_hash text not null,
        expires_at timestamptz not null,
        primary key (workspace_id, caller, key)
      )`);
    this.addSql('create index idempotency_key_expiry on idempotency_key (expires_at)');
    this.addSql(BEGIN_RUNS);
    this.addSql(SAVE_PROGRESS);
    this.addSql(END_RUNS);
  }
}

// Each item is decided for itself in order of arrival: `begun`, `joined` (same key, same input) or `conflict`. The rows are written at once.
const BEGIN_RUNS = `
  create function begin_runs(items jsonb)
  returns table (ordinal int, outcome text, run_id uuid)
  language plpgsql as $$
  declare
    item jsonb;
    outcomes text[] := '{}';
    runs uuid[] := '{}';
    decided text;
    decided_run uuid;
    held_hash text;
  begin
    for item in select value from jsonb_array_elements(items) loop
      decided_run := (item->>'id')::uuid;
      decided := 'begun';
      if item->>'idempotency_key' is not null then
        insert into idempotency_key as held (workspace_id, caller, key, run_id, input_hash, expires_at)
        values ((item->>'workspace_id')::uuid, item->>'caller', item->>'idempotency_key', decided_run,
                item->>'input_hash', now() + interval '24 hours')
        on conflict (workspace_id, caller, key) do update
          set run_id = excluded.run_id, input_hash = excluded.input_hash, expires_at = excluded.expires_at
          where held.expires_at <= now();
        if not found then
          select held.run_id, held.input_hash into decided_run, held_hash from idempotency_key held
          where held.workspace_id = (item->>'workspace_id')::uuid and held.caller = item->>'caller'
            and held.key = item->>'idempotency_key';
          decided := case when held_hash = item->>'input_hash' then 'joined' else 'conflict' end;
        end if;
      end if;
      outcomes := outcomes || decided;
      runs := runs || decided_run;
    end loop;
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
      select answer.place::int, answer.outcome, answer.run
      from unnest(outcomes, runs) with ordinality as answer (outcome, run, place);
  end $$`;

const SAVE_PROGRESS = `
  create function save_progress(items jsonb) returns setof uuid language sql as $$
    update completion_run run set
      instance_id = item.instance_id,
      canonical_id = item.canonical_id,
      text = case when item.restarted then '' else run.text end || item.text,
      reasoning = case when item.restarted then '' else run.reasoning end || item.reasoning,
      input_tokens = item.input_tokens,
      cache_read_tokens = item.cache_read_tokens,
      cache_write_tokens = item.cache_write_tokens,
      output_tokens = item.output_tokens,
      reasoning_tokens = item.reasoning_tokens,
      usage_estimated = true,
      cost_nano = item.cost_nano,
      price_version_id = item.price_version_id,
      progress_seq = item.progress_seq,
      updated_at = now()
    from jsonb_to_recordset(items) as item (
      id uuid, epoch int, instance_id uuid, canonical_id text, restarted boolean, text text, reasoning text, input_tokens int,
      cache_read_tokens int, cache_write_tokens int, output_tokens int, reasoning_tokens int, cost_nano bigint,
      price_version_id uuid, progress_seq int)
    where run.id = item.id and run.epoch = item.epoch and run.status = 'RUNNING'
    returning run.id
  $$`;

// The one statement that takes a run out of RUNNING: whoever gets its id back has won and publishes the end.
const END_RUNS = `
  create function end_runs(items jsonb) returns setof uuid language plpgsql as $$
  begin
    return query
      with ended as (
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
        from jsonb_to_recordset(items) as item (
          id uuid, epoch int, status text, instance_id uuid, canonical_id text, text text, reasoning text,
          tool_calls jsonb, finish_reason text, provider_finish_reason text, input_tokens int, cache_read_tokens int,
          cache_write_tokens int, output_tokens int, reasoning_tokens int, usage_estimated boolean, cost_nano bigint,
          cost_lines jsonb, price_version_id uuid, warnings jsonb, error jsonb, continuation text, last_seq int,
          ended_at timestamptz)
        where run.id = item.id and run.epoch = item.epoch and run.status = 'RUNNING'
        returning run.id
      ), attempted as (
        insert into run_attempt
        select ended.id, attempt.*
        from ended
        join jsonb_array_elements(items) item on (item->>'id')::uuid = ended.id
        cross join lateral jsonb_to_recordset(item->'attempts') as attempt (
          number int, instance_id uuid, config_id uuid, canonical_id text, outcome text, error jsonb,
          served_model text, provider_request_id text, started_at timestamptz, first_token_ms int, duration_ms int,
          input_tokens int, cache_read_tokens int, cache_write_tokens int, output_tokens int, reasoning_tokens int,
          usage_estimated boolean, cost_nano bigint, absorbed boolean)
        on conflict do nothing
      )
      select ended.id from ended;
  end $$`;
