// Owns when the content of completions is removed: prompts and outputs go, usage, cost and routing stay.
import { Migration } from '@mikro-orm/migrations';

export class Migration20261121000011_content extends Migration {
  override up(): void {
    this.addSql('alter table completion_run add column content_removed_at timestamptz');
    this.addSql(`
      create index completion_run_content on completion_run (workspace_id, ended_at)
      where content_removed_at is null and ended_at is not null`);
  }
}
