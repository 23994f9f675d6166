// Owns group commit: how a batch of writes that share one transaction fails.
import { type BatchDeadline, Batcher } from '../kernel/batcher.ts';
import { StorageError } from '../kernel/errors.ts';
import type { GroupCommitted, Telemetry } from '../kernel/telemetry.ts';

const MAX_GROUP = 256;

/** Makes a writer whose `write` commits a group and answers for each item, in order. An item that cannot be stored fails alone. */
export function createGroupedWriter<Item, Result>(
  group: GroupCommitted['group'],
  telemetry: Telemetry,
  write: (items: readonly Item[]) => Promise<readonly Result[]>,
  deadline?: BatchDeadline<Item, Result>,
): Batcher<Item, Result> {
  return new Batcher({
    async work(items) {
      const startedMs = performance.now();
      const results = await write(items);
      if (telemetry.isHeard) {
        const ms = performance.now() - startedMs;
        telemetry.emit({ type: 'group-committed', group, items: items.length, ms });
      }
      return results;
    },
    maxBatch: MAX_GROUP,
    // A group that failed was rolled back as a whole, so its items can be written again.
    failureOf: (error) => (error instanceof StorageError && error.kind === 'unavailable' ? 'outage' : 'item'),
    ...(deadline ? { deadline } : {}),
  });
}
