// Owns group commit: one group of writes is under way, the next gathers meanwhile, and each caller waits for its own group's commit.
import { type Deferred, deferred } from '../kernel/async.ts';
import { StorageError } from '../kernel/errors.ts';

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly reply: Deferred<Result>;
}

export class GroupedWriter<Item, Result> {
  readonly #write: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly #maxGroup: number;
  #gathering: Waiting<Item, Result>[] = [];
  #writing = false;

  /** `write` commits a group and answers for each item, in order. */
  constructor(write: (items: readonly Item[]) => Promise<readonly Result[]>, maxGroup = 256) {
    this.#write = write;
    this.#maxGroup = maxGroup;
  }

  /** Resolves once the item's group has been committed. */
  add(item: Item): Promise<Result> {
    const reply = deferred<Result>();
    this.#gathering.push({ item, reply });
    if (!this.#writing) {
      this.#writing = true;
      // Items that arrive in the same turn of the event loop share the first group too.
      queueMicrotask(() => void this.#writeAll());
    }
    return reply.promise;
  }

  async #writeAll(): Promise<void> {
    while (this.#gathering.length > 0) await this.#writeGroup(this.#gathering.splice(0, this.#maxGroup));
    this.#writing = false;
  }

  async #writeGroup(group: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#write(group.map(({ item }) => item));
      for (const [index, { reply }] of group.entries()) reply.resolve(results[index] as Result);
    } catch (error) {
      const mayBeOneItem =
        group.length > 1 && !(error instanceof StorageError && error.kind === 'unavailable');
      if (!mayBeOneItem) {
        for (const { reply } of group) reply.reject(error);
        return;
      }
      // The group was rolled back whole; one by one, only the faulty item fails.
      for (const waiting of group) await this.#writeGroup([waiting]);
    }
  }
}
