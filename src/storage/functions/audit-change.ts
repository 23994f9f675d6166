// Owns `audit_change`: the trigger that records which actor changed a row and what changed, also for plain SQL.
import type { DatabaseFunction } from './database-function.ts';

/**
 * The actor is a setting of the transaction. Without it, the actor is the gateway on the gateway's own connections, and plain SQL on others. Changes
 * that the gateway makes by itself (built-in rows, listed models, health) are not recorded. Of a secret only the fact of its change is recorded.
 */
export const auditChange: DatabaseFunction = {
  name: 'audit_change',
  version: 1,
  isTrigger: true,
  text: `
    create or replace function audit_change() returns trigger language plpgsql as $$
    declare
      acting text := coalesce(nullif(current_setting('modelgraph.actor', true), ''),
        case when current_setting('application_name') like 'modelgraph%' then 'gateway' else 'database' end);
      before jsonb := case when tg_op = 'INSERT' then '{}'::jsonb else to_jsonb(old) end;
      after jsonb := case when tg_op = 'DELETE' then '{}'::jsonb else to_jsonb(new) end;
      subject jsonb := case when tg_op = 'DELETE' then to_jsonb(old) else to_jsonb(new) end;
      changed jsonb;
      done text := case tg_op when 'INSERT' then 'CREATED' when 'UPDATE' then 'CHANGED' else 'DELETED' end;
    begin
      if acting = 'gateway' and tg_table_name in ('provider_spec', 'model_spec', 'price_version') then return null; end if;
      select jsonb_object_agg(name, case
        when name in ('secret', 'headers', 'hash', 'previous_hash') then '"changed"'::jsonb
        else jsonb_strip_nulls(jsonb_build_object('from', before->name, 'to', after->name)) end) into changed
      from jsonb_object_keys(before || after) name
      where before->name is distinct from after->name
        and (tg_op = 'UPDATE' or coalesce(before->name, after->name) <> 'null'::jsonb)
        and name not in ('id', 'version', 'created_at', 'updated_at', 'workspace_id', 'edited_fields', 'last_sync_at',
          'health', 'health_error', 'health_fault', 'health_latency_ms', 'health_checked_at');
      if changed is null and tg_op = 'UPDATE' then return null; end if;
      if tg_table_name = 'api_key' and tg_op = 'UPDATE' then
        done := case when changed ? 'hash' then 'ROTATED' when changed ? 'revoked_at' then 'REVOKED' else done end;
      elsif tg_table_name = 'ledger_entry' then
        done := case subject->>'kind' when 'CREDIT' then 'CREDITED' else 'ADJUSTED' end;
      elsif current_setting('modelgraph.resealing', true) = 'on' then
        done := 'RESEALED';
      end if;
      insert into audit_event (workspace_id, actor, action, object_type, object_id, object_name, changes)
      values (
        coalesce((case tg_table_name when 'workspace' then subject->>'id' else subject->>'workspace_id' end)::uuid,
          nullif(current_setting('modelgraph.workspace', true), '')::uuid),
        acting, done, tg_table_name, subject->>'id',
        coalesce(subject->>'slug', subject->>'name', subject->>'canonical_id', subject->>'key', subject->>'subject',
          subject->>'caller', subject->>'description'),
        coalesce(changed, '{}'));
      return null;
    end $$`,
};
