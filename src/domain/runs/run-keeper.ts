// Owns what a node does for its runs each second: it writes progress records, finds out whether other nodes have changed its runs, and ends runs of dead nodes.

import type { RunBus } from '../../coordination/contract.ts';
import { delay } from '../../kernel/async.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { RunRepository } from '../../storage/repositories/run.repository.ts';
import type { RunExecutor } from './executor.ts';
import type { NodeLease } from './node-lease.ts';
import type { OrphanRuns } from './orphan-runs.ts';
import { RunProgressRecords } from './run-progress.ts';
import type { UnsureBegins } from './unsure-begins.ts';

export interface KeeperDependencies {
  readonly nodeId: string;
  readonly executor: RunExecutor;
  readonly runs: RunRepository;
  readonly lease: NodeLease;
  readonly orphans: OrphanRuns;
  readonly unsure: UnsureBegins;
  readonly bus: RunBus;
  readonly clock: Clock;
  readonly logger: Logger;
  /** True on the embedded database: no other node can exist, so every running row at start is an orphan. */
  readonly alone: boolean;
  /** A node that has not renewed its lease for this many seconds counts as dead. */
  readonly leaseSeconds: number;
}

const MAX_TICK_MS = 1_000;
const CLOSE_WITHIN_MS = 1_000;
const LEASES_PER_TIDYING = 6;
/** If so many intervals lie between two ticks, this process was paused, and other nodes may have declared it dead. */
const TICKS_OF_A_PAUSE = 3;
export class RunKeeper {
  readonly #needs: KeeperDependencies;
  readonly #progress: RunProgressRecords;
  readonly #lastDone = new Map<string, number>();
  /** Steps that have not finished, by name. */
  readonly #underWay = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #stopHearing = () => {};
  #lastTickMs: number;

  constructor(needs: KeeperDependencies) {
    this.#needs = needs;
    this.#progress = new RunProgressRecords(needs);
    this.#lastTickMs = needs.clock.monotonicMs();
  }

  async start(): Promise<void> {
    const { alone, orphans, bus, executor } = this.#needs;
    if (alone) {
      await orphans.takeFromDead(null);
      await orphans.endTaken();
    }
    this.#timer = setInterval(() => this.#tick(), this.#tickMs);
    this.#stopHearing = bus.onCancel((id) => executor.get(id)?.stop('cancelled'));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopHearing();
    await Promise.race([Promise.all(this.#underWay.values()), delay(CLOSE_WITHIN_MS)]);
  }

  get #tickMs(): number {
    return Math.min(MAX_TICK_MS, this.#needs.lease.renewEveryMs);
  }

  #tick(): void {
    const { alone, leaseSeconds, lease, orphans, runs, unsure, clock } = this.#needs;
    const sinceLastMs = clock.monotonicMs() - this.#lastTickMs;
    this.#lastTickMs = clock.monotonicMs();
    if (!alone && sinceLastMs > this.#tickMs * TICKS_OF_A_PAUSE && !lease.isHeld) this.#doubtOwnership();
    this.#step('progress', () => this.#progress.save());
    if (!alone) this.#step('watch', () => this.#watch());
    this.#step('unsure', () => unsure.withdraw());
    if (this.#isDue('reap', lease.renewEveryMs)) {
      this.#step('reap', async () => {
        if (!alone && lease.mayDeclareOthersDead) await orphans.takeFromDead(leaseSeconds);
        await orphans.endTaken();
      });
    }
    if (this.#isDue('strays', leaseSeconds * 1_000)) {
      this.#step('strays', () => orphans.takeStrays(this.#activeIds()));
    }
    if (this.#isDue('tidy', leaseSeconds * 1_000 * LEASES_PER_TIDYING)) {
      this.#step('tidy', () => runs.dropExpiredKeys());
    }
  }

  /** Runs a step by itself: it neither waits for other steps nor fails with them. A step that has not finished is not begun again. */
  #step(name: string, work: () => Promise<void>): void {
    if (this.#underWay.has(name)) return;
    const step = work()
      .catch((error: unknown) => {
        this.#needs.logger.warn({ err: error, step: name }, 'A part of keeping runs failed; trying again');
      })
      .finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, step);
  }

  /** True if the step is due now or within a moment, because a tick may come late. */
  #isDue(what: string, everyMs: number): boolean {
    const now = this.#needs.clock.monotonicMs();
    const last = this.#lastDone.get(what) ?? 0;
    if (now - last < everyMs * 0.9) return false;
    this.#lastDone.set(what, now);
    return true;
  }

  /** Asks the database about this node's runs: whether another node has taken or ended one, or a caller there has asked to cancel it. */
  async #watch(): Promise<void> {
    const { executor, runs, nodeId } = this.#needs;
    const asked = [...executor.active()].filter(({ settling }) => !settling);
    if (asked.length === 0) return;
    const owned = await runs.ownedBy(
      nodeId,
      asked.map(({ id }) => id),
    );
    for (const run of asked) {
      // This node may have written the run's end while the database was being asked.
      if (executor.get(run.id) !== run || run.settling) continue;
      const row = owned.get(run.id);
      if (!row) run.stop('replaced');
      else if (row.isCancelled) run.stop('cancelled');
    }
  }

  /**
   * Until the database has answered, faults of this node's runs lead to no further call: another node may have taken them, and then may call providers
   * itself.
   */
  #doubtOwnership(): void {
    const { executor, lease, logger } = this.#needs;
    const doubted = [...executor.active()];
    const ownership = lease
      .renew()
      .then(() => this.#watch())
      .catch((error: unknown) => {
        logger.warn(
          { err: error },
          'After a pause this node could not find out whether its runs are still its own',
        );
      })
      .finally(() => {
        for (const run of doubted) if (run.ownership === ownership) run.ownership = undefined;
      });
    for (const run of doubted) run.ownership = ownership;
  }

  #activeIds(): string[] {
    return [...this.#needs.executor.active()].map(({ id }) => id);
  }
}
