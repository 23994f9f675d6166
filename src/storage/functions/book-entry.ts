// Owns `book_entry`: a booking on an account by an administrator. If its key was used before, it gives the entry of then if that is the same, otherwise
// `conflict`.
import type { DatabaseFunction } from './database-function.ts';

export const bookEntry: DatabaseFunction = {
  name: 'book_entry',
  version: 1,
  text: `
    create or replace function book_entry(workspace uuid, entry_kind text, amount bigint, words text, idempotency text, actor text)
    returns table (outcome text, entry_id bigint) language plpgsql as $$
    declare
      known ledger_entry;
      new_balance bigint;
      new_id bigint;
    begin
      perform set_config('modelgraph.actor', actor, true);
      insert into account (workspace_id) values (workspace) on conflict do nothing;
      perform 1 from account where workspace_id = workspace for update;
      select * into known from ledger_entry where workspace_id = workspace and idempotency_key = idempotency;
      if found then
        return query select case when known.kind = entry_kind and known.amount_nano = amount and known.description = words
          then 'known' else 'conflict' end, known.id;
        return;
      end if;
      update account set balance_nano = balance_nano + amount, updated_at = now()
      where workspace_id = workspace returning balance_nano into new_balance;
      insert into ledger_entry (workspace_id, kind, amount_nano, balance_nano, description, idempotency_key, created_by)
      values (workspace, entry_kind, amount, new_balance, words, idempotency, actor) returning id into new_id;
      return query select 'booked', new_id;
    end $$`,
};
