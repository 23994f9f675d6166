// Owns the live figures of instances, models and configs: success rates and latencies from the attempts of a recent window.
import type { Clock } from '../../kernel/clock.ts';
import { InputCheck } from '../../kernel/input-check.ts';
import type { Nano } from '../../kernel/money.ts';
import type {
  FiguresGroup,
  FiguresRepository,
  FiguresRow,
} from '../../storage/repositories/figures.repository.ts';
import { requireScope, type Viewer } from '../identity/viewer.ts';

export type { FiguresGroup };

export interface Figures {
  /** Instance id, canonical id or config id. */
  readonly key: string;
  readonly canonicalId: string;
  readonly attempts: number;
  readonly answered: number;
  readonly failed: number;
  /** Share of successes among the attempts that were not stopped; `null` if there was none. */
  readonly successRate: number | null;
  /** Which share of all successful answers in the report this one gave. */
  readonly share: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly firstTokenP50Ms: number | null;
  readonly firstTokenP95Ms: number | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costNano: Nano | null;
  readonly costPerThousandNano: Nano | null;
}

export interface ReportQuery {
  readonly group: FiguresGroup;
  readonly since?: Date;
  readonly until?: Date;
  /** The name that completions asked for, e.g. `tag:chat`. */
  readonly model?: string;
}

const DEFAULT_WINDOW_MS = 24 * 3_600_000;
const MAX_WINDOW_MS = 366 * 24 * 3_600_000;
const PER_THOUSAND = 1_000n;

export class ReportService {
  readonly #figures: FiguresRepository;
  readonly #clock: Clock;

  constructor(figures: FiguresRepository, clock: Clock) {
    this.#figures = figures;
    this.#clock = clock;
  }

  /** Ordered by the number of successful answers, the largest first. */
  async report(viewer: Viewer, query: ReportQuery): Promise<{ since: Date; until: Date; rows: Figures[] }> {
    requireScope(viewer, 'read', 'catalogue');
    const until = query.until ?? this.#clock.now();
    const since = query.since ?? new Date(until.getTime() - DEFAULT_WINDOW_MS);
    const check = new InputCheck();
    if (since >= until) check.add('since', 'must lie before "until"');
    if (until.getTime() - since.getTime() > MAX_WINDOW_MS) {
      check.add('since', 'a report covers at most 366 days');
    }
    check.filter('', { model: query.model });
    check.raise();
    const { group, model } = query;
    const { workspaceId } = viewer;
    const rows = await this.#figures.figures({
      workspaceId,
      group,
      since,
      until,
      ...(model ? { model } : {}),
    });
    const answered = rows.reduce((sum, row) => sum + row.succeeded, 0);
    return { since, until, rows: rows.map((row) => toFigures(row, answered)) };
  }

  /** Figures of the last hours by key; a key without any attempt is absent. */
  async recent(
    viewer: Viewer,
    group: FiguresGroup,
    keys: readonly string[],
    hours: number,
  ): Promise<ReadonlyMap<string, Figures>> {
    const until = this.#clock.now();
    const since = new Date(until.getTime() - hours * 3_600_000);
    const rows = await this.#figures.figures({ workspaceId: viewer.workspaceId, group, since, until, keys });
    return new Map(rows.map((row) => [row.key, toFigures(row, 0)]));
  }
}

function toFigures(row: FiguresRow, answered: number): Figures {
  const ended = row.succeeded + row.failed;
  const costNano = row.cost_nano === null ? null : BigInt(row.cost_nano);
  return {
    key: row.key,
    canonicalId: row.canonical_id,
    attempts: row.attempts,
    answered: row.succeeded,
    failed: row.failed,
    successRate: ended === 0 ? null : row.succeeded / ended,
    share: answered === 0 ? null : row.succeeded / answered,
    p50Ms: row.p50_ms,
    p95Ms: row.p95_ms,
    firstTokenP50Ms: row.first_token_p50_ms,
    firstTokenP95Ms: row.first_token_p95_ms,
    inputTokens: Number(row.input_tokens),
    outputTokens: Number(row.output_tokens),
    costNano,
    costPerThousandNano:
      costNano === null || row.succeeded === 0 ? null : (costNano * PER_THOUSAND) / BigInt(row.succeeded),
  };
}
