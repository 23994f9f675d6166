// Owns the one `revision` row: a counter per table that the snapshot is made of, raised by triggers, so that plain SQL counts too.
import { Migration } from '@mikro-orm/migrations';

const TABLES = [
  'workspace',
  'api_key',
  'provider_spec',
  'provider_config',
  'model_spec',
  'price_version',
  'model_instance',
];

export class Migration20261120000003_revision extends Migration {
  override up(): void {
    const columns = TABLES.map((table) => `${table} bigint not null default 0`).join(', ');
    this.addSql(`create table revision (id boolean primary key default true check (id), ${columns})`);
    this.addSql('insert into revision default values');
    this.addSql(`
      create function raise_revision() returns trigger language plpgsql as $$
      begin
        execute format('update revision set %1$I = %1$I + 1', tg_table_name);
        return null;
      end $$`);
    for (const table of TABLES) {
      this.addSql(`
        create trigger ${table}_revision after insert or update or delete or truncate on ${table}
        for each statement execute function raise_revision()`);
    }
  }
}
