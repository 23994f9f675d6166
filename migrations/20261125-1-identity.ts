// Owns the tables of identity: workspaces, their members, and their API keys.
import type { Migration } from './migration.ts';

export const identity: Migration = {
  name: '20261125-1-identity',
  statements: [
    `
      create table workspace (
        id uuid primary key,
        slug text not null unique check (slug ~ '^[a-z0-9._-]{1,64}$'),
        display_name text not null,
        version int not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        limits jsonb not null default '{}',
        content_retention_days int not null default 30 check (content_retention_days between 0 and 36500)
      )`,
    `
      create table api_key (
        id uuid primary key,
        workspace_id uuid not null references workspace (id),
        name text not null,
        prefix text not null,
        hash text not null unique,
        scopes text[] not null,
        expires_at timestamptz,
        revoked_at timestamptz,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        -- An empty list means every model, an empty object no limits of its own.
        allowed_models text[] not null default '{}',
        limits jsonb not null default '{}',
        previous_hash text unique,
        previous_expires_at timestamptz,
        rotated_at timestamptz
      )`,
    'create index api_key_workspace on api_key (workspace_id)',
    // A table of its own, so that the use of a key does not change the key's row, which every node would have to load again.
    `
      create table api_key_use (
        key_id uuid primary key references api_key (id) on delete cascade,
        last_used_at timestamptz not null
      )`,
    // Hashes of keys that are no longer valid, so that the operator's variable cannot make one valid again at the next start.
    'create table retired_api_key (hash text primary key, retired_at timestamptz not null default now())',
    `
      create trigger api_key_rotated after update of hash on api_key
      for each row when (old.hash <> new.hash) execute function retire_api_key()`,
    'create trigger api_key_deleted after delete on api_key for each row execute function retire_api_key()',
    `
      create table member (
        id uuid primary key,
        workspace_id uuid not null references workspace (id),
        subject text not null check (length(subject) between 1 and 255),
        allowed_models text[] not null default '{}',
        limits jsonb not null default '{}',
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        unique (workspace_id, subject)
      )`,
  ],
};
