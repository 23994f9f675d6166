// Owns the tables of who is who: workspaces and their API keys.
import { Migration } from '@mikro-orm/migrations';

export class Migration20261120000001_identity extends Migration {
  override up(): void {
    this.addSql(`
      create table workspace (
        id uuid primary key,
        slug text not null unique check (slug ~ '^[a-z0-9._-]{1,64}$'),
        display_name text not null,
        version int not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
      )`);
    this.addSql(`
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
        updated_at timestamptz not null default now()
      )`);
    this.addSql('create index api_key_workspace on api_key (workspace_id)');
  }
}
