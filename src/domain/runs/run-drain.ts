// Owns the end of a node's work on runs: it refuses new runs and waits until the runs of this node, and those that are being begun, have ended.
import { abortable } from '../../kernel/async.ts';
import { GatewayError } from '../../kernel/errors.ts';
import type { RunExecutor } from './executor.ts';

/** How long runs that were stopped may take to write their ends. */
const SETTLE_MS = 3_000;

/** The error of a node that is shutting down: the caller tries again, and the load balancer sends it to another node. */
export function nodeDraining(): GatewayError {
  return new GatewayError('NODE_DRAINING', 'This node is shutting down; ask again', { retryAfterMs: 1_000 });
}

export class RunDrain {
  readonly #executor: RunExecutor;
  readonly #beginning = new Set<Promise<string>>();
  #isDraining = false;
  #graceIsOver = false;

  constructor(executor: RunExecutor) {
    this.#executor = executor;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Begins a run, and makes the drain wait for it. Raises `NODE_DRAINING` once the node is shutting down. */
  async begin(begin: () => Promise<string>): Promise<string> {
    if (this.#isDraining) throw nodeDraining();
    const beginning = begin();
    this.#beginning.add(beginning);
    try {
      const runId = await beginning;
      if (this.#graceIsOver) this.#executor.get(runId)?.stop('interrupted');
      return runId;
    } finally {
      this.#beginning.delete(beginning);
    }
  }

  /** Resolves in bounded time with the number of runs that could not be ended: this node's next start, or another node, ends them. */
  async drain(graceMs: number): Promise<number> {
    this.#isDraining = true;
    if (await this.#isEmptyWithin(graceMs)) return 0;
    this.#graceIsOver = true;
    for (const run of this.#executor.active()) run.stop('interrupted');
    if (await this.#isEmptyWithin(SETTLE_MS)) return 0;
    this.#executor.giveUp();
    return this.#beginning.size + this.#executor.activeCount;
  }

  async #isEmptyWithin(ms: number): Promise<boolean> {
    const timeUp = AbortSignal.timeout(ms);
    for (;;) {
      // Runs that were being begun have become active by the time the loop looks again.
      const ends = Array.from(this.#executor.active(), ({ ended }) => ended);
      const pending = [...this.#beginning, ...ends];
      if (pending.length === 0) return true;
      try {
        await abortable(Promise.allSettled(pending), timeUp);
      } catch {
        return false;
      }
    }
  }
}
