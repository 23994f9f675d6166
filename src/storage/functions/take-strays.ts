// Owns `take_strays`: it takes the running rows of a node that the node does not run, because undoing or ending them was lost on the way. Only the
// database’s clock counts.
import type { DatabaseFunction } from './database-function.ts';

export const takeStrays: DatabaseFunction = {
  name: 'take_strays',
  version: 1,
  text: `
    create or replace function take_strays(owner uuid, running uuid[]) returns setof uuid
    language plpgsql set enable_seqscan = off set enable_bitmapscan = off as $$
    declare
      strays uuid[];
      stray uuid;
    begin
      select array_agg(run.id) into strays from completion_run run
      where run.ended_at is null and run.node_id = owner and run.updated_at < now() - interval '30 seconds' and run.id <> all(running);
      for stray in select each from unnest(strays) each order by each loop
        update completion_run run set epoch = run.epoch + 1, updated_at = now()
        where run.id = stray and run.ended_at is null and run.node_id = owner and run.updated_at < now() - interval '30 seconds';
        if found then return next stray; end if;
      end loop;
    end $$`,
};
