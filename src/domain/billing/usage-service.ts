// Owns the usage report: what the completions of a window used and cost, for the workspace or for the caller alone.
import type { Clock } from '../../kernel/clock.ts';
import { InputCheck } from '../../kernel/input-check.ts';
import type { UsageGroup, UsageRepository, UsageRow } from '../../storage/repositories/usage.repository.ts';
import { hasScope, requireScope, type Viewer } from '../identity/viewer.ts';

export type { UsageGroup, UsageRow };

export interface UsageReportQuery {
  readonly group: UsageGroup;
  readonly since?: Date;
  readonly until?: Date;
  readonly metadataKey?: string;
}

const DEFAULT_WINDOW_MS = 30 * 86_400_000;
const MAX_WINDOW_MS = 366 * 86_400_000;

export class UsageService {
  readonly #usage: UsageRepository;
  readonly #clock: Clock;

  constructor(usage: UsageRepository, clock: Clock) {
    this.#usage = usage;
    this.#clock = clock;
  }

  /** Grouped by time in order of time, otherwise the highest cost first; of the whole workspace with scope `read`, else of the caller alone. */
  async report(
    viewer: Viewer,
    query: UsageReportQuery,
  ): Promise<{ readonly since: Date; readonly until: Date; readonly rows: readonly UsageRow[] }> {
    requireScope(viewer, 'run', 'read');
    const until = query.until ?? this.#clock.now();
    const since = query.since ?? new Date(until.getTime() - DEFAULT_WINDOW_MS);
    const { group, metadataKey } = query;
    const check = new InputCheck();
    if (since >= until) check.add('since', 'must lie before "until"');
    if (until.getTime() - since.getTime() > MAX_WINDOW_MS) {
      check.add('since', 'a report covers at most 366 days');
    }
    if ((group === 'metadata') !== (metadataKey !== undefined)) {
      check.add('metadataKey', 'goes with groupBy METADATA, and is needed there');
    }
    check.text('metadataKey', metadataKey);
    check.raise();
    const rows = await this.#usage.report({
      workspaceId: viewer.workspaceId,
      group,
      since,
      until,
      ...(hasScope(viewer, 'read') ? {} : { caller: viewer.caller }),
      ...(metadataKey === undefined ? {} : { metadataKey }),
    });
    return { since, until, rows };
  }
}
