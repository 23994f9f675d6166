// Owns what routing keeps beside the catalogue: how often a config or an instance is tried, and an index for the figures of attempts.
import { Migration } from '@mikro-orm/migrations';

export class Migration20261121000007_routing extends Migration {
  override up(): void {
    this.addSql("alter table provider_config add column retry_policy jsonb not null default '{}'");
    this.addSql("alter table model_instance add column retry_policy jsonb not null default '{}'");
    this.addSql('create index run_attempt_figures on run_attempt (canonical_id, started_at)');
  }
}
