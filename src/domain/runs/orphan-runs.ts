// Owns ending the runs that no node runs: those of dead nodes, and rows of this node whose end was lost before it was stored.
import type { EventLog } from '../../coordination/contract.ts';
import type { Clock } from '../../kernel/clock.ts';
import { StorageError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Telemetry } from '../../kernel/telemetry.ts';
import type { CompletionRunEntity } from '../../storage/entities/completion-run.entity.ts';
import type { RunRepository } from '../../storage/repositories/run.repository.ts';
import type { Kinds } from './kinds.ts';
import { type RunEvent, toEndedEvent } from './run-event.ts';
import { reportEnd } from './run-report.ts';
import { toRunEnd, toRunRecord } from './stored-run.ts';

export interface OrphanDependencies {
  readonly nodeId: string;
  readonly runs: RunRepository;
  readonly kinds: Kinds;
  readonly log: EventLog<RunEvent>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
}

/** How far beyond the last known event another node places an end, so that it lies beyond every event that the dead owner may have shown. */
export const TAKEN_OVER_SEQ_STEP = 1_000_000;
/** The most rows in memory at once, since each holds the text of its run. */
const ENDED_AT_ONCE = 100;

export class OrphanRuns {
  readonly #needs: OrphanDependencies;
  /** Ids of runs that this node has taken and not ended yet. */
  readonly #taken = new Set<string>();

  constructor(needs: OrphanDependencies) {
    this.#needs = needs;
  }

  /** `null`: no other node can exist. */
  async takeFromDead(leaseSeconds: number | null): Promise<void> {
    const { runs, nodeId } = this.#needs;
    for (const id of await runs.takeOrphans(nodeId, leaseSeconds)) this.#taken.add(id);
  }

  /** Takes the running rows of this node that it does not run. */
  async takeStrays(runningIds: readonly string[]): Promise<void> {
    const { runs, nodeId } = this.#needs;
    for (const id of await runs.takeStrays(nodeId, runningIds)) this.#taken.add(id);
  }

  /** Ends the runs that were taken, with the output in their last progress records. Those that cannot be ended now are tried again the next time. */
  async endTaken(): Promise<void> {
    const ids = [...this.#taken];
    for (let from = 0; from < ids.length; from += ENDED_AT_ONCE) {
      const some = ids.slice(from, from + ENDED_AT_ONCE);
      const rows = new Map((await this.#needs.runs.byIds(some)).map((row) => [row.id, row]));
      await Promise.all(some.map((id) => this.#endOne(id, rows.get(id))));
    }
  }

  async #endOne(id: string, row: CompletionRunEntity | undefined): Promise<void> {
    try {
      if (row?.status === 'RUNNING') await this.#end(row);
      this.#taken.delete(id);
    } catch (error) {
      this.#needs.logger.error(
        { runId: id, err: error },
        'A run that no node carries on could not be ended yet',
      );
      // A run that the database refuses to end is forgotten here, and found again by the next search for rows that no node runs.
      if (!(error instanceof StorageError && error.kind === 'unavailable')) this.#taken.delete(id);
    }
  }

  async #end(row: CompletionRunEntity): Promise<void> {
    const { clock, runs, kinds, log, telemetry } = this.#needs;
    const kind = kinds.get(row.kind);
    const record = {
      ...toRunRecord(row, kinds),
      status: 'INTERRUPTED' as const,
      error: {
        code: 'NODE_LOST' as const,
        message: 'The node that ran this completion was lost; this is what it had recorded',
        retryAfterMs: null,
      },
      attempts: [],
      lastSeq: row.progressSeq + TAKEN_OVER_SEQ_STEP,
      endedAt: clock.now(),
    };
    if (!(await runs.end(toRunEnd(record, kind, row.epoch)))) return;
    reportEnd(telemetry, record, 'another node');
    const end = toEndedEvent(record);
    // The committed row is the truth. The event log gets the end afterwards, whenever it can be reached.
    if (end && kind.keeping === 'durable') log.conclude(row.id, [end]);
  }
}
