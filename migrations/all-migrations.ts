// Owns the list of migrations, in the order in which they are applied: a new file in this folder is added at its end.
import { identity } from './20261125-1-identity.ts';
import { catalogue } from './20261125-2-catalogue.ts';
import { runs } from './20261125-3-runs.ts';
import { money } from './20261125-4-money.ts';
import { changes } from './20261125-5-changes.ts';
import { runKind } from './20261125-6-run-kind.ts';
import type { Migration } from './migration.ts';

export const ALL_MIGRATIONS: readonly Migration[] = [identity, catalogue, runs, money, changes, runKind];
