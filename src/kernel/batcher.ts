// Owns batching: while one batch is under way the next one gathers, and each caller waits for the answer of its own batch.
import { type Deferred, deferred } from './async.ts';

/**
 * What the failure of a batch means. `item`: one of its items may be at fault, so the batch is done again in halves until that item fails alone.
 * `batch`: every item of the batch fails with the same error. `outage`: the items that have gathered since fail with it too, because another try would
 * fail as well.
 */
export type BatchFailure = 'item' | 'batch' | 'outage';

interface BatcherOptions<Item, Result> {
  /** Does a batch; gives one answer for each item, in the same order. */
  readonly work: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly maxBatch: number;
  readonly failureOf: (error: unknown) => BatchFailure;
  /** Absent: an item waits as long as its batch takes. */
  readonly deadline?: BatchDeadline<Item, Result>;
}

export interface BatchDeadline<Item, Result> {
  readonly afterMs: number;
  /** Makes the error for an item that had no answer in time. If its batch had not started, the item is never done. */
  readonly refusal: () => Error;
  /** Called when an item that was refused while its batch was under way has been done after all. The next batch waits for this; it must not raise. */
  readonly undo: (item: Item, result: Result) => Promise<void>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly reply: Deferred<Result>;
  readonly signal: AbortSignal | undefined;
  readonly sinceMs: number;
  refused: boolean;
}

export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>;
  #gathering: Waiting<Item, Result>[] = [];
  #underWay: readonly Waiting<Item, Result>[] = [];
  #working = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options;
  }

  /** Adds the item and gives its answer. An item whose signal is aborted before its batch starts is left out, and fails with the signal's reason. */
  add(item: Item, signal?: AbortSignal): Promise<Result> {
    const waiting = { item, signal, reply: deferred<Result>(), sinceMs: performance.now(), refused: false };
    this.#gathering.push(waiting);
    if (this.#options.deadline) this.#timer ??= this.#lookAfter(this.#options.deadline.afterMs);
    if (!this.#working) {
      this.#working = true;
      // Items that arrive in the same turn of the event loop share the first batch too.
      queueMicrotask(() => void this.#doAll());
    }
    return waiting.reply.promise;
  }

  async #doAll(): Promise<void> {
    while (this.#gathering.length > 0) {
      this.#underWay = this.#gathering.splice(0, this.#options.maxBatch);
      await this.#do(this.#underWay);
      this.#underWay = [];
    }
    this.#working = false;
  }

  async #do(taken: readonly Waiting<Item, Result>[]): Promise<void> {
    const batch = taken.filter((waiting) => isWanted(waiting));
    if (batch.length === 0) return;
    let results: readonly Result[];
    try {
      results = await this.#options.work(batch.map(({ item }) => item));
    } catch (error) {
      await this.#failed(batch, error);
      return;
    }
    const undone: Promise<void>[] = [];
    for (const [index, waiting] of batch.entries()) {
      const result = results[index] as Result;
      const undo = waiting.refused && this.#options.deadline?.undo(waiting.item, result);
      if (undo) undone.push(undo);
      else waiting.reply.resolve(result);
    }
    if (undone.length > 0) await Promise.all(undone);
  }

  async #failed(batch: readonly Waiting<Item, Result>[], error: unknown): Promise<void> {
    const meaning = this.#options.failureOf(error);
    if (meaning === 'item' && batch.length > 1) {
      const middle = batch.length >> 1;
      await this.#do(batch.slice(0, middle));
      await this.#do(batch.slice(middle));
      return;
    }
    for (const waiting of batch) refuse(waiting, error);
    if (meaning !== 'outage') return;
    for (const waiting of [...this.#underWay, ...this.#gathering.splice(0)]) refuse(waiting, error);
  }

  /** One timer serves all items, since they wait in order of arrival and each for the same time. */
  #lookAfter(ms: number): NodeJS.Timeout {
    // Node runs all due timers before it reads sockets. The check is put behind that read, so that an answer that has arrived counts as in time.
    return setTimeout(() => setImmediate(() => this.#refuseLate()), ms).unref();
  }

  #refuseLate(): void {
    const { deadline } = this.#options;
    if (!deadline) return;
    const lateBefore = performance.now() - deadline.afterMs;
    for (const waiting of [...this.#underWay, ...this.#gathering]) {
      if (waiting.sinceMs <= lateBefore) refuse(waiting, deadline.refusal());
    }
    this.#gathering = this.#gathering.filter(({ refused }) => !refused);
    const oldest = this.#underWay.find(({ refused }) => !refused) ?? this.#gathering[0];
    this.#timer = oldest && this.#lookAfter(oldest.sinceMs - lateBefore);
  }
}

function isWanted<Item, Result>(waiting: Waiting<Item, Result>): boolean {
  if (waiting.signal?.aborted) refuse(waiting, waiting.signal.reason);
  return !waiting.refused;
}

function refuse<Item, Result>(waiting: Waiting<Item, Result>, error: unknown): void {
  if (waiting.refused) return;
  waiting.refused = true;
  waiting.reply.reject(error);
}
