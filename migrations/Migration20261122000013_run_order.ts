// Owns the order in which statements lock several runs: everywhere by id, so that none waits for another that waits for it.
import { Migration } from '@mikro-orm/migrations';

export class Migration20261122000013_run_order extends Migration {
  override up(): void {
    this.addSql('drop function save_progress(jsonb)');
    this.addSql(SAVE_PROGRESS);
    this.addSql('drop function take_orphans(uuid, float)');
    this.addSql(TAKE_ORPHANS);
    this.addSql('drop function take_strays(uuid, uuid[])');
    this.addSql(TAKE_STRAYS);
  }
}

/** Row by row, each by its primary key: a join locks its rows in whatever order it was planned for. */
const SAVE_PROGRESS = `
  create function save_progress(items jsonb) returns setof uuid language plpgsql set enable_seqscan = off as $$
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
  end $$`;

/**
 * Raising the epoch takes a run from its owner: whatever that still writes is refused. Looked for by a plain index scan, which cleans up behind
 * itself: of the runs in this index nearly all have ended. Without \`lease_seconds\` every other node counts as dead, whatever its lease says:
 * the clock may have been set back since it was renewed.
 */
const TAKE_ORPHANS = `
  create function take_orphans(taker uuid, lease_seconds float) returns setof uuid
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
  end $$`;

/** Rows that a node has and does not run: what undid or ended them was lost on its way. Only the database's clock counts. */
const TAKE_STRAYS = `
  create function take_strays(owner uuid, running uuid[]) returns setof uuid
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
  end $$`;
