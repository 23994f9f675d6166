// Owns `retire_api_key`: the trigger that remembers the hash of a key that was rotated or deleted, so that the operator’s variable cannot make it valid
// again at the next start.
import type { DatabaseFunction } from './database-function.ts';

export const retireApiKey: DatabaseFunction = {
  name: 'retire_api_key',
  version: 1,
  isTrigger: true,
  text: `
    create or replace function retire_api_key() returns trigger language plpgsql as $$
    begin
      insert into retired_api_key (hash) values (old.hash) on conflict do nothing;
      return null;
    end $$`,
};
