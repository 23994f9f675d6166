// Owns `end_runs`: the one statement that takes runs out of RUNNING and settles them.
import { assigned, declared, listed } from '../columns.ts';
import { ATTEMPT_COLUMNS, END_COLUMNS, END_ITEM_COLUMNS } from '../run-columns.ts';
import type { DatabaseFunction } from './database-function.ts';

/**
 * The node that gets a run's id back has ended the run, and publishes the end. Row by row, each by its primary key: a join would be planned for the
 * content that the table had when the plan was made.
 */
export const endRuns: DatabaseFunction = {
  name: 'end_runs',
  version: 2,
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
        select * from jsonb_to_recordset(items) as each (${declared(END_ITEM_COLUMNS)})
      loop
        update completion_run run set
          ${assigned(END_COLUMNS, 'item')},
          updated_at = now()
        where run.id = item.id and run.epoch = item.epoch and run.status = 'RUNNING'
        returning run.caller into owner;
        continue when not found;
        won := won || item.id;
        costs := costs || item.cost_nano;
        callers := callers || owner;
      end loop;
      if won = '{}' then return; end if;
      insert into run_attempt (run_id, ${listed(ATTEMPT_COLUMNS)})
      select (item_json->>'id')::uuid, ${listed(ATTEMPT_COLUMNS, 'attempt')}
      from jsonb_array_elements(items) item_json
      cross join lateral jsonb_to_recordset(item_json->'attempts') as attempt (${declared(ATTEMPT_COLUMNS)})
      where (item_json->>'id')::uuid = any(won)
      on conflict do nothing;
      perform settle_holds(won, costs, callers);
      return query select unnest(won);
    end $$`,
};
