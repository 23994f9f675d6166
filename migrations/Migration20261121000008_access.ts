// Owns what callers may do beyond their scopes: models and limits of keys, members and workspaces; rotation, and the last use of a key.
import { Migration } from '@mikro-orm/migrations';

export class Migration20261121000008_access extends Migration {
  override up(): void {
    // What was allowed before stays allowed: an empty list means every model, an empty object no limits of its own.
    this.addSql(`
      alter table api_key
        add column allowed_models text[] not null default '{}',
        add column limits jsonb not null default '{}',
        add column previous_hash text unique,
        add column previous_expires_at timestamptz,
        add column rotated_at timestamptz`);
    this.addSql(`
      alter table workspace
        add column limits jsonb not null default '{}',
        add column content_retention_days int not null default 30 check (content_retention_days between 0 and 36500)`);
    this.addSql(`
      create table member (
        id uuid primary key,
        workspace_id uuid not null references workspace (id),
        subject text not null check (length(subject) between 1 and 255),
        allowed_models text[] not null default '{}',
        limits jsonb not null default '{}',
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        unique (workspace_id, subject)
      )`);
    // Apart from the key's row, so that a use is no change that every node has to take in.
    this.addSql(`
      create table api_key_use (
        key_id uuid primary key references api_key (id) on delete cascade,
        last_used_at timestamptz not null
      )`);
    this.addSql('alter table revision add column member bigint not null default 0');
    this.addSql(`
      create trigger member_revision after insert or update or delete or truncate on member
      for each statement execute function raise_revision()`);
  }
}
