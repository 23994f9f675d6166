// Owns the memory of key texts that are no longer good, so that the operator's variable cannot bring one back at the next start.
import { Migration } from '@mikro-orm/migrations';

export class Migration20261124000013_retired_api_key extends Migration {
  override up(): void {
    this.addSql(
      'create table retired_api_key (hash text primary key, retired_at timestamptz not null default now())',
    );
    this.addSql(`
      insert into retired_api_key (hash)
      select previous_hash from api_key where previous_hash is not null on conflict do nothing`);
    this.addSql(`
      create function retire_api_key() returns trigger language plpgsql as $$
      begin
        insert into retired_api_key (hash) values (old.hash) on conflict do nothing;
        return null;
      end $$`);
    this.addSql(`
      create trigger api_key_rotated after update of hash on api_key
      for each row when (old.hash <> new.hash) execute function retire_api_key()`);
    this.addSql(`
      create trigger api_key_deleted after delete on api_key for each row execute function retire_api_key()`);
  }
}
