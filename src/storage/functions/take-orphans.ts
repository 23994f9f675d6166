// Owns `take_orphans`: it takes the runs of dead nodes.
import type { DatabaseFunction } from './database-function.ts';

/**
 * Raising the epoch takes a run from its owner: later writes of that node are refused. The rows are found by a plain index scan, which removes dead
 * entries from the index: nearly all runs in it have ended. Without `lease_seconds` every other node counts as dead, whatever its lease says, since the
 * clock may have been set back after it was renewed.
 */
export const takeOrphans: DatabaseFunction = {
  name: 'take_orphans',
  version: 1,
  text: `
    create or replace function take_orphans(taker uuid, lease_seconds float) returns setof uuid
    language plpgsql set enable_seqscan = off set enable_bitmapscan = off as $$
    declare
      orphans uuid[];
      orphan uuid;
    begin
      select array_agg(run.id) into orphans from completion_run run
      where run.ended_at is null and run.node_id <> taker and (lease_seconds is null or not exists (
        select from node_lease lease
        where lease.node_id = run.node_id and lease.renewed_at > now() - make_interval(secs => lease_seconds)));
      for orphan in select each from unnest(orphans) each order by each loop
        update completion_run run set epoch = run.epoch + 1, node_id = taker, updated_at = now()
        where run.id = orphan and run.ended_at is null and run.node_id <> taker and (lease_seconds is null or not exists (
          select from node_lease lease
          where lease.node_id = run.node_id and lease.renewed_at > now() - make_interval(secs => lease_seconds)));
        if found then return next orphan; end if;
      end loop;
    end $$`,
};
