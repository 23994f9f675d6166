// Owns the treatment of databases that were made before 25 November 2026, when 15 migrations of tables and functions were replaced by one for each area.
// A database with all 15 has what today's first migrations make, so these are recorded as applied; a database with only some of them is refused.
import { StartError } from '../kernel/errors.ts';

export const FORMER_MIGRATIONS: readonly string[] = [
  'Migration20261120000001_identity',
  'Migration20261120000002_catalogue',
  'Migration20261120000003_revision',
  'Migration20261120000004_runs',
  'Migration20261120000005_seed',
  'Migration20261120000006_upkeep',
  'Migration20261121000007_routing',
  'Migration20261121000008_access',
  'Migration20261121000009_money',
  'Migration20261121000010_audit',
  'Migration20261121000011_content',
  'Migration20261122000012_budget_charges',
  'Migration20261122000013_run_order',
  'Migration20261124000012_secret_destination',
  'Migration20261124000013_retired_api_key',
];

/** The migrations that replaced the 15. */
export const SQUASHED_INTO: readonly string[] = [
  '20261125-1-identity',
  '20261125-2-catalogue',
  '20261125-3-runs',
  '20261125-4-money',
  '20261125-5-changes',
];

/** Names of the migrations whose work the database has, but does not record. Raises `StartError`. */
export function carriedOver(recorded: ReadonlySet<string>): readonly string[] {
  const lacking = FORMER_MIGRATIONS.filter((name) => !recorded.has(name));
  if (lacking.length === FORMER_MIGRATIONS.length) return [];
  const open = SQUASHED_INTO.filter((name) => !recorded.has(name));
  if (open.length === 0 || lacking.length === 0) return open;
  throw new StartError(
    `The database was made by an older build and lacks what ${lacking.join(', ')} changed. This build cannot bring it up to date: start a build that still has these migrations (such as commit acaf185) on it once, then this one. Where nothing in it is needed, use an empty database instead`,
  );
}
