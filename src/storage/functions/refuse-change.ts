// Owns `refuse_change`: the trigger that keeps a table append-only.
import type { DatabaseFunction } from './database-function.ts';

export const refuseChange: DatabaseFunction = {
  name: 'refuse_change',
  version: 1,
  isTrigger: true,
  text: `
    create or replace function refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
    end $$`,
};
