// Owns what a node does for its runs each second: progress records, cancels asked for elsewhere, its lease, and the runs of dead nodes.

import type { EventLog, RunBus } from '../../coordination/contract.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { CompletionRunEntity } from '../../storage/entities/completion-run.entity.ts';
import type { RunRepository } from '../../storage/repositories/run.repository.ts';
import { type CompletionEvent, toEndedEvent } from './completion-event.ts';
import type { RunExecutor } from './executor.ts';
import { RunProgressRecords } from './run-progress.ts';
import { toRunRecord } from './run-record.ts';
import { toRunEnd } from './settlement.ts';

export interface KeeperDependencies {
  readonly nodeId: string;
  readonly executor: RunExecutor;
  readonly runs: RunRepository;
  readonly log: EventLog<CompletionEvent>;
  readonly bus: RunBus;
  readonly clock: Clock;
  readonly logger: Logger;
  /** On the embedded database nobody else can be alive: every running row at start is an orphan. */
  readonly alone: boolean;
  /** A node that has not renewed its lease for so long is dead. */
  readonly leaseSeconds: number;
}

/** Parts of a lease: how often it is renewed, and the runs of dead nodes looked for. */
const RENEWALS_PER_LEASE = 5;
const MAX_TICK_MS = 1_000;
const LEASES_PER_TIDYING = 6;
/** An end that another node writes lies far beyond whatever the dead owner may have shown. */
export const TAKEN_OVER_SEQ_STEP = 1_000_000;

export class RunKeeper {
  readonly #needs: KeeperDependencies;
  readonly #progress: RunProgressRecords;
  #timer: NodeJS.Timeout | undefined;
  #stopHearing = () => {};
  readonly #lastDone = new Map<string, number>();
  #busy = false;
  #lastRenewalMs = Number.NEGATIVE_INFINITY;
  #renewedSinceMs = Number.POSITIVE_INFINITY;

  #liveNodes = 1;

  constructor(needs: KeeperDependencies) {
    this.#needs = needs;
    this.#progress = new RunProgressRecords(needs);
  }

  async start(): Promise<void> {
    await this.#renewLease();
    if (this.#needs.alone) await this.#endOrphans(0);
    this.#timer = setInterval(() => void this.#tick(), Math.min(MAX_TICK_MS, this.#renewEveryMs));
    this.#stopHearing = this.#needs.bus.onCancel((id) => this.#needs.executor.get(id)?.stop('cancelled'));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopHearing();
    await this.#needs.runs.dropLease(this.#needs.nodeId).catch(() => {});
  }

  async #tick(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      if (this.#isDue('renew', this.#renewEveryMs)) await this.#renewLease();
      await this.#progress.save();
      await this.#obeyCancels();
      const { alone, leaseSeconds, runs } = this.#needs;
      if (!alone && this.#mayDeclareOthersDead() && this.#isDue('reap', this.#renewEveryMs))
        await this.#endOrphans(leaseSeconds);
      if (this.#isDue('tidy', leaseSeconds * 1_000 * LEASES_PER_TIDYING)) {
        await runs.dropExpiredKeys();
        await this.#endStrays();
      }
    } catch (error) {
      this.#needs.logger.warn({ err: error }, 'Runs could not be kept this second; trying again');
    } finally {
      this.#busy = false;
    }
  }

  /** Nodes with a lease, this one included, as of the last renewal. */
  get liveNodes(): number {
    return this.#liveNodes;
  }

  get #renewEveryMs(): number {
    return (this.#needs.leaseSeconds * 1_000) / RENEWALS_PER_LEASE;
  }

  /** A tick is late now and then: what is due within a moment is done now. */
  #isDue(what: string, everyMs: number): boolean {
    const now = this.#needs.clock.monotonicMs();
    const last = this.#lastDone.get(what) ?? 0;
    if (now - last < everyMs * 0.9) return false;
    this.#lastDone.set(what, now);
    return true;
  }

  async #renewLease(): Promise<void> {
    const { runs, nodeId, clock, leaseSeconds } = this.#needs;
    this.#liveNodes = await runs.renewLease(nodeId, leaseSeconds);
    const now = clock.monotonicMs();
    if (now - this.#lastRenewalMs > this.#renewEveryMs * 2) this.#renewedSinceMs = now;
    this.#lastRenewalMs = now;
  }

  /** A node that was itself away for a while cannot tell who else was. */
  #mayDeclareOthersDead(): boolean {
    const now = this.#needs.clock.monotonicMs();
    const fresh = now - this.#lastRenewalMs <= this.#renewEveryMs * 2;
    return fresh && now - this.#renewedSinceMs >= this.#needs.leaseSeconds * 1_000;
  }

  async #obeyCancels(): Promise<void> {
    const { alone, executor, runs } = this.#needs;
    if (alone || executor.activeCount === 0) return;
    for (const id of await runs.cancelRequested(this.#activeIds())) executor.get(id)?.stop('cancelled');
  }

  /** Ends the runs of nodes that are gone, with what their last progress record holds. */
  async #endOrphans(leaseSeconds: number): Promise<void> {
    const orphans = await this.#needs.runs.takeOrphans(this.#needs.nodeId, leaseSeconds);
    for (const row of orphans) await this.#endOrphan(row);
  }

  /** A row of this node that nobody here runs: whatever was to end or undo it did not reach the database. */
  async #endStrays(): Promise<void> {
    const { runs, nodeId } = this.#needs;
    for (const row of await runs.takeStrays(nodeId, this.#activeIds())) await this.#endOrphan(row);
  }

  #activeIds(): string[] {
    return [...this.#needs.executor.active()].map(({ id }) => id);
  }

  async #endOrphan(row: CompletionRunEntity): Promise<void> {
    const { clock, runs, log, logger } = this.#needs;
    const endedAt = clock.now();
    const logged = await log.lastSeq(row.id).catch(() => 0);
    const seq = Math.max(row.progressSeq, logged) + TAKEN_OVER_SEQ_STEP;
    const record = {
      ...toRunRecord(row),
      status: 'INTERRUPTED' as const,
      error: {
        code: 'NODE_DRAINING' as const,
        message: 'The node that ran this completion stopped; this is what it had recorded',
        retryAfterMs: null,
      },
      attempts: [],
      lastSeq: seq,
      endedAt,
    };
    const won = await runs.end(toRunEnd(record, row.epoch));
    if (!won) return;
    logger.warn({ runId: row.id }, 'A run of a node that is gone was ended as interrupted');
    const end = toEndedEvent(record);
    // Without Redis now, whoever follows the run notices later that its log lacks its end.
    if (end) await log.conclude(row.id, [end]).catch(() => {});
  }
}
