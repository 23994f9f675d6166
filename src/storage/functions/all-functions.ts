// Owns the list of the database's functions: add a new file of this folder here. The rules for changing a function stand at the head of `function-update.ts`.
import { auditChange } from './audit-change.ts';
import { beginRuns } from './begin-runs.ts';
import { bookEntry } from './book-entry.ts';
import type { DatabaseFunction } from './database-function.ts';
import { endRuns } from './end-runs.ts';
import { periodStart } from './period-start.ts';
import { raiseHolds } from './raise-holds.ts';
import { raiseRevision } from './raise-revision.ts';
import { refreshCatalogue } from './refresh-catalogue.ts';
import { refuseChange } from './refuse-change.ts';
import { retireApiKey } from './retire-api-key.ts';
import { saveProgress } from './save-progress.ts';
import { seedCatalogue } from './seed-catalogue.ts';
import { settleHolds } from './settle-holds.ts';
import { takeOrphans } from './take-orphans.ts';
import { takeStrays } from './take-strays.ts';
import { withdrawRun } from './withdraw-run.ts';

export const ALL_FUNCTIONS: readonly DatabaseFunction[] = [
  auditChange,
  beginRuns,
  bookEntry,
  endRuns,
  periodStart,
  raiseHolds,
  raiseRevision,
  refreshCatalogue,
  refuseChange,
  retireApiKey,
  saveProgress,
  seedCatalogue,
  settleHolds,
  takeOrphans,
  takeStrays,
  withdrawRun,
];

/** Signatures by name, such as `begin_runs: 'begin_runs(jsonb, jsonb)'`: functions whose files are gone and which no running node can call any more. */
export const DROPPED_FUNCTIONS: Readonly<Record<string, string>> = {};
