// Owns `end_runs`: the one statement that takes runs out of RUNNING and settles them.
import type { DatabaseFunction } from './database-function.ts';

/**
 * Whoever gets a run's id back has won and publishes the end. Row by row, each by its primary key: a join would be planned for what the table
 * held when the plan was made.
 */
export const endRuns: DatabaseFunction = {
  name: 'end_runs',
  version: 1,
  text: `
    create or replace function end_runs(items jsonb) returns setof uuid language plpgsql set enable_seqscan = off as $$
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
    end $$`,
};
