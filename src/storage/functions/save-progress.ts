// Owns `save_progress`: what running runs have come to, written once a second.
import type { DatabaseFunction } from './database-function.ts';

/**
 * Row by row, each by its primary key: a join locks its rows in whatever order it was planned for.
 */
export const saveProgress: DatabaseFunction = {
  name: 'save_progress',
  version: 1,
  text: `
    create or replace function save_progress(items jsonb) returns setof uuid language plpgsql set enable_seqscan = off as $$
    declare
      item record;
    begin
      for item in
        select * from jsonb_to_recordset(items) as each (
          id uuid, epoch int, instance_id uuid, canonical_id text, restarted boolean, text text, reasoning text, input_tokens int,
          cache_read_tokens int, cache_write_tokens int, output_tokens int, reasoning_tokens int, cost_nano bigint,
          price_version_id uuid, progress_seq int)
        order by each.id
      loop
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
        where run.id = item.id and run.epoch = item.epoch and run.status = 'RUNNING';
        if found then return next item.id; end if;
      end loop;
    end $$`,
};
