// Owns where the secrets of a provider config may be sent. Null where nobody has bound them yet: a node does so when it starts or sees the row.
import { Migration } from '@mikro-orm/migrations';

export class Migration20261124000012_secret_destination extends Migration {
  override up(): void {
    this.addSql(
      'alter table provider_config add column secret_destination jsonb, add column headers_destination jsonb',
    );
  }
}
