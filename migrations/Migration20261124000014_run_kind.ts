// Owns the kind of call that a run is.
import { Migration } from '@mikro-orm/migrations';

export class Migration20261124000014_run_kind extends Migration {
  override up(): void {
    this.addSql("alter table completion_run add column kind text not null default 'completion'");
  }
}
