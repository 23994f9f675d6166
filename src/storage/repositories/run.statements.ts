// Owns the SQL of runs: the statements that go past the ORM, each prepared under its name.
import { declared, listed } from '../columns.ts';
import { BEGIN_COLUMNS, KEYED_BEGIN_COLUMNS } from '../run-columns.ts';

export const BEGIN = {
  name: 'begin-runs',
  text: 'select outcome, run_id, refusal from begin_runs($1::jsonb, $2::jsonb) order by ordinal',
};
/** The same without holds, for a group in which no key occurs twice: a single insert, which decides nothing row by row. */
export const BEGIN_PLAIN = {
  name: 'begin-plain-runs',
  text: `
    with item as materialized (
      select * from jsonb_to_recordset($1::jsonb) as each (${declared(KEYED_BEGIN_COLUMNS)})
    ), keyed as (
      insert into idempotency_key as known (workspace_id, caller, key, run_id, input_hash, expires_at)
      select workspace_id, caller, idempotency_key, id, input_hash, now() + interval '24 hours'
      from item where idempotency_key is not null
      on conflict (workspace_id, caller, key) do update
        set run_id = excluded.run_id, input_hash = excluded.input_hash, expires_at = excluded.expires_at
        where known.expires_at <= now()
      returning known.run_id
    )
    insert into completion_run (${listed(BEGIN_COLUMNS)}, status)
    select ${listed(BEGIN_COLUMNS)}, 'RUNNING'
    from item where idempotency_key is null or id in (select run_id from keyed)
    returning id`,
};
export const KNOWN_KEYS = {
  name: 'known-keys',
  text: `select workspace_id, caller, key, run_id, input_hash from idempotency_key
         where expires_at > now()
           and (workspace_id, caller, key) in (select * from unnest($1::uuid[], $2::text[], $3::text[]))`,
};
export const WITHDRAW = { name: 'withdraw-run', text: 'select withdraw_run($1, $2, $3, $4)' };
export const RAISE = {
  name: 'raise-holds',
  text: 'select granted from raise_holds($1::jsonb) order by ordinal',
};
export const PROGRESS = { name: 'save-progress', text: 'select * from save_progress($1::jsonb) as id' };
export const END = { name: 'end-runs', text: 'select * from end_runs($1::jsonb) as id' };
export const REQUEST_CANCEL = {
  name: 'request-cancel',
  text: "update completion_run set cancel_requested_at = now() where id = $1 and status = 'RUNNING'",
};
export const OWNED = {
  name: 'owned-runs',
  text: `select id, cancel_requested_at is not null as is_cancelled from completion_run
         where id = any($1::uuid[]) and node_id = $2 and status = 'RUNNING'`,
};
export const RENEW_LEASE = {
  name: 'renew-lease',
  text: `with renewed as (
           insert into node_lease (node_id) values ($1)
           on conflict (node_id) do update set renewed_at = now())
         select count(*)::int as others from node_lease
         where node_id <> $1 and renewed_at > now() - make_interval(secs => $2)`,
};
export const PHASE = {
  name: 'run-phase',
  text: `select status, (extract(epoch from now() - updated_at) * 1000)::float8 as unchanged_ms
         from completion_run where id = $1`,
};
export const DROP_LEASE = { name: 'drop-lease', text: 'delete from node_lease where node_id = $1' };
export const TAKE_ORPHANS = { name: 'take-orphans', text: 'select * from take_orphans($1, $2) as id' };
export const TAKE_STRAYS = { name: 'take-strays', text: 'select * from take_strays($1, $2::uuid[]) as id' };
export const DROP_DEAD_LEASES = {
  name: 'drop-dead-leases',
  text: 'delete from node_lease where renewed_at <= now() - make_interval(secs => $1)',
};
export const DROP_EXPIRED_KEYS = {
  name: 'drop-expired-idempotency-keys',
  text: `delete from idempotency_key where ctid in (
           select ctid from idempotency_key where expires_at <= now() limit 1000)`,
};
