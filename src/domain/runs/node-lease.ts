// Owns a node's lease: a row in the database that says it is alive, renewed on a timer that waits for nothing else.
import { delay } from '../../kernel/async.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { RunRepository } from '../../storage/repositories/run.repository.ts';

export interface LeaseDependencies {
  readonly nodeId: string;
  readonly runs: RunRepository;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A node that has not renewed its lease for this many seconds counts as dead. */
  readonly leaseSeconds: number;
}

/** The next renewal does not wait for one that hangs; at most as many as fit in one lease are under way. */
const RENEWALS_PER_LEASE = 5;
const CLOSE_WITHIN_MS = 1_000;

export class NodeLease {
  readonly #needs: LeaseDependencies;
  readonly #underWay = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  /** When the last successful renewal was sent. */
  #renewedMs = Number.NEGATIVE_INFINITY;
  /** Since when every renewal has succeeded. */
  #unbrokenSinceMs = Number.POSITIVE_INFINITY;
  #liveNodes = 1;

  constructor(needs: LeaseDependencies) {
    this.#needs = needs;
  }

  /** When it resolves, the node has its lease. */
  async start(): Promise<void> {
    await this.renew();
    this.#timer = setInterval(() => this.#renewBehind(), this.renewEveryMs);
  }

  /** Gives the lease up, so that other nodes see at once that this one is gone. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    // A renewal that arrived after the lease was dropped would create the lease again.
    await Promise.race([Promise.allSettled(this.#underWay), delay(CLOSE_WITHIN_MS)]);
    await this.#needs.runs.dropLease(this.#needs.nodeId).catch(() => {});
  }

  get renewEveryMs(): number {
    return this.#leaseMs / RENEWALS_PER_LEASE;
  }

  /** The number of nodes with a lease, this one included, at the last renewal. */
  get liveNodes(): number {
    return this.#liveNodes;
  }

  /** False once the lease has run out: another node may have taken this one's runs. */
  get isHeld(): boolean {
    return this.#needs.clock.monotonicMs() - this.#renewedMs < this.#leaseMs;
  }

  /** False for a node that has missed a renewal within the last lease time: it was itself away, so it cannot tell whether others were. */
  get mayDeclareOthersDead(): boolean {
    const now = this.#needs.clock.monotonicMs();
    const isFresh = now - this.#renewedMs <= this.renewEveryMs * 2;
    return isFresh && now - this.#unbrokenSinceMs >= this.#leaseMs;
  }

  async renew(): Promise<void> {
    const { runs, nodeId, clock, leaseSeconds } = this.#needs;
    const sentMs = clock.monotonicMs();
    const liveNodes = await runs.renewLease(nodeId, leaseSeconds);
    if (sentMs < this.#renewedMs) return;
    this.#liveNodes = liveNodes;
    if (sentMs - this.#renewedMs > this.renewEveryMs * 2) this.#unbrokenSinceMs = sentMs;
    this.#renewedMs = sentMs;
  }

  get #leaseMs(): number {
    return this.#needs.leaseSeconds * 1_000;
  }

  #renewBehind(): void {
    if (this.#underWay.size >= RENEWALS_PER_LEASE) return;
    const renewal: Promise<void> = this.renew()
      .catch((error: unknown) => {
        this.#needs.logger.warn({ err: error }, 'The lease of this node could not be renewed; trying again');
      })
      .finally(() => this.#underWay.delete(renewal));
    this.#underWay.add(renewal);
  }
}
