// Owns `raise_holds`: it raises holds to new totals and answers for each whether there was room. A hold that is settled already is not raised.
import type { DatabaseFunction } from './database-function.ts';

export const raiseHolds: DatabaseFunction = {
  name: 'raise_holds',
  version: 1,
  text: `
    create or replace function raise_holds(items jsonb) returns table (ordinal int, granted boolean) language plpgsql set enable_seqscan = off as $$
    declare
      item record;
      own hold;
      more bigint;
      ok boolean;
      slot int;
    begin
      perform 1 from account where workspace_id in (
        select hold.workspace_id from hold where on_account
          and run_id in (select (value->>'run_id')::uuid from jsonb_array_elements(items)))
      order by workspace_id for update;
      perform 1 from budget_use used where (used.budget_id, used.period_start) in (
        select unnest(hold.budget_ids), unnest(hold.period_starts) from hold
        where run_id in (select (value->>'run_id')::uuid from jsonb_array_elements(items)))
      order by used.budget_id, used.period_start for update;
      for item in
        select place, (value->>'run_id')::uuid as run_id, (value->>'amount_nano')::bigint as amount
        from jsonb_array_elements(items) with ordinality as each (value, place)
      loop
        select * into own from hold where hold.run_id = item.run_id for update;
        ok := found;
        more := item.amount - own.amount_nano;
        if ok and more > 0 then
          if own.on_account then
            select balance_nano - reserved_nano >= more into ok from account where workspace_id = own.workspace_id;
          end if;
          for slot in select generate_subscripts(own.budget_ids, 1) loop
            ok := ok and coalesce((
              select limit_nano - spent_nano - reserved_nano >= more from budget_use used join budget on budget.id = used.budget_id
              where used.budget_id = own.budget_ids[slot] and used.period_start = own.period_starts[slot]), true);
          end loop;
          if ok then
            update hold set amount_nano = item.amount where hold.run_id = item.run_id;
            if own.on_account then
              update account set reserved_nano = reserved_nano + more, updated_at = now() where workspace_id = own.workspace_id;
            end if;
            update budget_use used set reserved_nano = reserved_nano + more
            from unnest(own.budget_ids, own.period_starts) mine (id, start)
            where used.budget_id = mine.id and used.period_start = mine.start;
          end if;
        end if;
        ordinal := item.place;
        granted := ok;
        return next;
      end loop;
    end $$`,
};
