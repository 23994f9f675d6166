// Owns how changes are noticed: the one `revision` row of counters, and the audit log. Triggers write both, so that changes by plain SQL count too.
import type { Migration } from './migration.ts';

/** Tables that every node keeps in memory: each has a counter, which grows with every change. */
const WATCHED = [
  'workspace',
  'api_key',
  'provider_spec',
  'provider_config',
  'model_spec',
  'price_version',
  'model_instance',
  'member',
  'budget',
];

export const changes: Migration = {
  name: '20261125-5-changes',
  statements: [
    `create table revision (id boolean primary key default true check (id), ${WATCHED.map((table) => `${table} bigint not null default 0`).join(', ')})`,
    'insert into revision default values',
    ...WATCHED.map(
      (table) => `
        create trigger ${table}_revision after insert or update or delete or truncate on ${table}
        for each statement execute function raise_revision()`,
    ),
    `
      create table audit_event (
        id bigint generated always as identity primary key,
        at timestamptz not null default now(),
        workspace_id uuid,
        actor text not null,
        action text not null,
        object_type text not null,
        object_id text not null,
        object_name text,
        changes jsonb not null default '{}'
      )`,
    'create index audit_event_list on audit_event (workspace_id, id desc)',
    `
      create trigger audit_event_append_only before update or delete or truncate on audit_event
      for each statement execute function refuse_change()`,
    ...WATCHED.map(
      (table) => `
        create trigger ${table}_audit after insert or update or delete on ${table}
        for each row execute function audit_change()`,
    ),
    `
      create trigger ledger_entry_audit after insert on ledger_entry
      for each row when (new.kind <> 'CHARGE') execute function audit_change()`,
  ],
};
