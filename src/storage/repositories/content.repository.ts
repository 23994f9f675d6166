// Owns the removal of prompts and outputs of completions. Their usage, cost and routing stay.
import type { SqlClient } from '../sql.ts';

/** Removes in small lots, the oldest first; nodes that do so at once take different runs. Runs that can still be replayed are left alone. */
const REMOVE = {
  name: 'remove-content',
  text: `update completion_run set input = '{}', text = '', reasoning = '', tool_calls = '[]', continuation = null,
           content_removed_at = now(), updated_at = now()
         where id in (
           select run.id from completion_run run join workspace on workspace.id = run.workspace_id
           where run.content_removed_at is null and run.ended_at is not null
             and run.ended_at < now() - greatest(
               make_interval(days => workspace.content_retention_days), make_interval(secs => $1))
           order by run.ended_at limit $2 for update of run skip locked)
         returning id`,
};

export class ContentRepository {
  readonly #sql: SqlClient;

  constructor(storage: { readonly sql: SqlClient }) {
    this.#sql = storage.sql;
  }

  /** The number of runs whose content was removed; fewer than `limit` means that there are no more. */
  async remove(replaySeconds: number, limit: number): Promise<number> {
    return (await this.#sql.query(REMOVE, [replaySeconds, limit])).length;
  }
}
