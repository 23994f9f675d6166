// Owns the statement of the usage report: the usage and cost of ended completions, by one grouping.
import { firstIdAt } from '../../kernel/ids.ts';
import type { SqlClient } from '../sql.ts';

export const USAGE_GROUPS = [
  'model',
  'provider',
  'instance',
  'caller',
  'status',
  'day',
  'month',
  'metadata',
] as const;
export type UsageGroup = (typeof USAGE_GROUPS)[number];

export interface UsageQuery {
  readonly workspaceId: string;
  readonly group: UsageGroup;
  readonly since: Date;
  readonly until: Date;
  readonly caller?: string;
  /** The entry of `metadata` to group by, in a report on it. */
  readonly metadataKey?: string;
}

/** Sums as decimal text, since they may exceed what a JavaScript number holds. */
export interface UsageRow {
  readonly key: string;
  readonly runs: number;
  readonly finished: number;
  readonly failed: number;
  readonly input_tokens: string;
  readonly cache_read_tokens: string;
  readonly cache_write_tokens: string;
  readonly output_tokens: string;
  readonly reasoning_tokens: string;
  readonly cost_nano: string;
  readonly absorbed_nano: string;
  readonly unpriced: number;
}

/**
 * Ids sort by the time at which they were made, so the index on ids serves the window of time; this allows for the time between making an id and writing
 * its row.
 */
const SLACK_MS = 60_000;

const KEYS: Readonly<Record<UsageGroup, string>> = {
  model: "coalesce(run.canonical_id, '')",
  provider: "split_part(coalesce(run.canonical_id, ''), '/', 1)",
  instance: "coalesce(run.instance_id::text, '')",
  caller: 'run.caller',
  status: 'run.status',
  day: "to_char(run.created_at at time zone 'UTC', 'YYYY-MM-DD')",
  month: "to_char(run.created_at at time zone 'UTC', 'YYYY-MM')",
  metadata: "coalesce(run.metadata->>$7::text, '')",
};

function statementOf(group: UsageGroup) {
  return {
    name: `usage-by-${group}`,
    text: `
      select ${KEYS[group]} as key, count(*)::int as runs,
        (count(*) filter (where run.status = 'FINISHED'))::int as finished,
        (count(*) filter (where run.status = 'FAILED'))::int as failed,
        sum(run.input_tokens)::text as input_tokens, sum(run.cache_read_tokens)::text as cache_read_tokens,
        sum(run.cache_write_tokens)::text as cache_write_tokens, sum(run.output_tokens)::text as output_tokens,
        sum(run.reasoning_tokens)::text as reasoning_tokens, coalesce(sum(run.cost_nano), 0)::text as cost_nano,
        coalesce(sum(absorbed.cost_nano), 0)::text as absorbed_nano,
        (count(*) filter (where run.cost_nano is null and run.output_tokens + run.input_tokens > 0))::int as unpriced
      from completion_run run
      left join lateral (
        select sum(attempt.cost_nano) as cost_nano from run_attempt attempt
        where attempt.run_id = run.id and attempt.absorbed) absorbed on true
      where run.workspace_id = $1 and run.created_at >= $2::timestamptz and run.created_at < $3::timestamptz
        and run.id >= $5::uuid and run.id < $6::uuid and run.status <> 'RUNNING' and ($4::text is null or run.caller = $4)
      group by 1 order by ${group === 'day' || group === 'month' ? '1' : 'sum(run.cost_nano) desc nulls last, 2 desc, 1'} limit 1000`,
  };
}

const STATEMENTS = Object.fromEntries(USAGE_GROUPS.map((group) => [group, statementOf(group)]));

export class UsageRepository {
  readonly #sql: SqlClient;

  constructor(storage: { readonly sql: SqlClient }) {
    this.#sql = storage.sql;
  }

  report({ workspaceId, group, since, until, caller, metadataKey }: UsageQuery): Promise<UsageRow[]> {
    return this.#sql.query<UsageRow>(STATEMENTS[group] as ReturnType<typeof statementOf>, [
      workspaceId,
      since.toISOString(),
      until.toISOString(),
      caller ?? null,
      firstIdAt(new Date(since.getTime() - SLACK_MS)),
      firstIdAt(new Date(until.getTime() + SLACK_MS)),
      ...(group === 'metadata' ? [metadataKey ?? null] : []),
    ]);
  }
}
