// Owns the column that tells which kind of call a run is. Nodes of an older build begin completions only, and do not name it.
import type { Migration } from './migration.ts';

export const runKind: Migration = {
  name: '20261125-6-run-kind',
  statements: ["alter table completion_run add column kind text not null default 'completion'"],
};
