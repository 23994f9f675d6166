// Owns the figures of attempts over a window of time: numbers, latencies and costs.
import type { SqlClient } from '../sql.ts';

/** The grouping of the figures. */
export type FiguresGroup = 'instance' | 'model' | 'config';

export interface FiguresQuery {
  readonly workspaceId: string;
  readonly group: FiguresGroup;
  readonly since: Date;
  readonly until: Date;
  /** Only these keys of the group. */
  readonly keys?: readonly string[];
  /** Only completions that asked for this name. */
  readonly model?: string;
}

export interface FiguresRow {
  /** Instance id, canonical id or config id. */
  readonly key: string;
  readonly canonical_id: string;
  readonly attempts: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly first_token_p50_ms: number | null;
  readonly first_token_p95_ms: number | null;
  readonly input_tokens: string;
  readonly output_tokens: string;
  readonly cost_nano: string | null;
}

const COLUMNS: Readonly<Record<FiguresGroup, string>> = {
  instance: 'attempt.instance_id::text',
  model: 'attempt.canonical_id',
  config: 'attempt.config_id::text',
};

/** Latencies and costs are those of answers that were kept. */
function figures(group: FiguresGroup) {
  const column = COLUMNS[group];
  const kept = "filter (where attempt.outcome = 'SUCCEEDED')";
  const percentile = (share: number, of: string) =>
    `round(percentile_cont(${share}) within group (order by ${of}) ${kept})::int`;
  return {
    name: `figures-by-${group}`,
    text: `
      select ${column} as key, min(attempt.canonical_id) as canonical_id, count(*)::int as attempts,
        (count(*) ${kept})::int as succeeded, (count(*) filter (where attempt.outcome = 'FAILED'))::int as failed,
        ${percentile(0.5, 'attempt.duration_ms')} as p50_ms, ${percentile(0.95, 'attempt.duration_ms')} as p95_ms,
        ${percentile(0.5, 'attempt.first_token_ms')} as first_token_p50_ms,
        ${percentile(0.95, 'attempt.first_token_ms')} as first_token_p95_ms,
        coalesce(sum(attempt.input_tokens + attempt.cache_read_tokens + attempt.cache_write_tokens) ${kept}, 0)::text as input_tokens,
        coalesce(sum(attempt.output_tokens + attempt.reasoning_tokens) ${kept}, 0)::text as output_tokens,
        (sum(attempt.cost_nano) ${kept})::text as cost_nano
      from run_attempt attempt join completion_run run on run.id = attempt.run_id
      where run.workspace_id = $1 and attempt.started_at >= $2::timestamptz and attempt.started_at < $3::timestamptz
        and ${column} is not null
        and ($4::jsonb is null or ${column} in (select jsonb_array_elements_text($4::jsonb)))
        and ($5::text is null or run.model = $5)
      group by 1 order by succeeded desc, 1 limit 500`,
  };
}

const STATEMENTS = {
  instance: figures('instance'),
  model: figures('model'),
  config: figures('config'),
} as const;

export class FiguresRepository {
  readonly #sql: SqlClient;

  constructor(storage: { readonly sql: SqlClient }) {
    this.#sql = storage.sql;
  }

  figures({ workspaceId, group, since, until, keys, model }: FiguresQuery): Promise<FiguresRow[]> {
    return this.#sql.query<FiguresRow>(STATEMENTS[group], [
      workspaceId,
      since.toISOString(),
      until.toISOString(),
      keys ? JSON.stringify(keys) : null,
      model ?? null,
    ]);
  }
}
