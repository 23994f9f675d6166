// Owns `withdraw_run`: it undoes the beginning of a run for which no provider was called: it deletes the row and the hold, and frees the key.
import type { DatabaseFunction } from './database-function.ts';

export const withdrawRun: DatabaseFunction = {
  name: 'withdraw_run',
  version: 1,
  text: `
    create or replace function withdraw_run(run uuid, workspace uuid, owner text, idempotency text) returns void language plpgsql set enable_seqscan = off as $$
    begin
      delete from completion_run where id = run and status = 'RUNNING';
      if found then
        perform settle_holds(array[run], array[0::bigint], array['']);
        delete from idempotency_key where workspace_id = workspace and caller = owner and key = idempotency and run_id = run;
      end if;
    end $$`,
};
