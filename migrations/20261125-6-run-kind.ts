// Owns the column for the kind of call of a run. Nodes of an older version begin completions only, and do not name it.
import type { Migration } from './migration.ts';

export const runKind: Migration = {
  name: '20261125-6-run-kind',
  statements: ["alter table completion_run add column kind text not null default 'completion'"],
};
