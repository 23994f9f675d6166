// Owns `save_progress`: it writes the output so far of running runs, once a second.
import { assigned, declared } from '../columns.ts';
import { PROGRESS_COLUMNS, PROGRESS_ITEM_COLUMNS } from '../run-columns.ts';
import type { DatabaseFunction } from './database-function.ts';

/** Row by row, each by its primary key: a join would lock its rows in the order of whatever plan it gets. */
export const saveProgress: DatabaseFunction = {
  name: 'save_progress',
  version: 2,
  text: `
    create or replace function save_progress(items jsonb) returns setof uuid language plpgsql set enable_seqscan = off as $$
    declare
      item record;
    begin
      for item in
        select * from jsonb_to_recordset(items) as each (${declared(PROGRESS_ITEM_COLUMNS)})
        order by each.id
      loop
        update completion_run run set
          ${assigned(PROGRESS_COLUMNS, 'item')},
          text = case when item.restarted then '' else run.text end || item.text,
          reasoning = case when item.restarted then '' else run.reasoning end || item.reasoning,
          usage_estimated = true,
          updated_at = now()
        where run.id = item.id and run.epoch = item.epoch and run.status = 'RUNNING';
        if found then return next item.id; end if;
      end loop;
    end $$`,
};
