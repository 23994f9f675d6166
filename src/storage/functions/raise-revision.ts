// Owns `raise_revision`: the trigger that raises a table’s counter in the one `revision` row, so that every node notices changes by plain SQL too.
import type { DatabaseFunction } from './database-function.ts';

export const raiseRevision: DatabaseFunction = {
  name: 'raise_revision',
  version: 1,
  isTrigger: true,
  text: `
    create or replace function raise_revision() returns trigger language plpgsql as $$
    begin
      execute format('update revision set %1$I = %1$I + 1', tg_table_name);
      return null;
    end $$`,
};
