// Owns limits while nodes cannot count together: each node grants its share, which is the limit divided by the number of live nodes.
import type { CountingLimiter, LimitAnswer, LimitWant } from '../contract.ts';

export class ShareLimiter implements CountingLimiter {
  readonly #own: CountingLimiter;
  readonly #nodes: () => number;

  constructor(own: CountingLimiter, nodes: () => number) {
    this.#own = own;
    this.#nodes = nodes;
  }

  take(runId: string, wants: readonly LimitWant[]): Promise<LimitAnswer> | LimitAnswer {
    const nodes = this.#nodes();
    if (nodes <= 1) return this.#own.take(runId, wants);
    const share = wants.map((want) => ({ ...want, limit: Math.max(1, Math.floor(want.limit / nodes)) }));
    return this.#own.take(runId, share);
  }

  count(runId: string, wants: readonly LimitWant[]): void {
    this.#own.count(runId, wants);
  }

  settle(runId: string, wants: readonly (LimitWant & { readonly used: number })[]): void {
    this.#own.settle(runId, wants);
  }

  dispose(): void {
    this.#own.dispose();
  }
}
