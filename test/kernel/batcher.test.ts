import { expect, test } from 'vitest';
import { type Deferred, deferred, delay, nextTurn } from '../../src/kernel/async.ts';
import { type BatchDeadline, Batcher, type BatchFailure } from '../../src/kernel/batcher.ts';

/** A batcher of numbers whose batches a test answers by hand. */
function openBatcher(over: { failure?: BatchFailure; deadline?: BatchDeadline<number, string> } = {}) {
  const batches: { readonly items: readonly number[]; readonly answer: Deferred<readonly string[]> }[] = [];
  const batcher = new Batcher<number, string>({
    work: (items) => {
      const answer = deferred<readonly string[]>();
      batches.push({ items, answer });
      return answer.promise;
    },
    maxBatch: 4,
    failureOf: () => over.failure ?? 'batch',
    ...(over.deadline ? { deadline: over.deadline } : {}),
  });
  const answer = (index: number) => {
    const batch = batches[index];
    batch?.answer.resolve(batch.items.map((item) => `done ${item}`));
  };
  return { batcher, batches, answer, itemsOf: (index: number) => batches[index]?.items };
}

test('one batch is under way while the next gathers, and each item of it gets its own answer', async () => {
  const { batcher, batches, answer, itemsOf } = openBatcher();
  const first = [1, 2].map((item) => batcher.add(item));
  await nextTurn();
  const second = [3, 4, 5, 6, 7].map((item) => batcher.add(item));
  await nextTurn();
  expect(batches.map(({ items }) => items)).toEqual([[1, 2]]);
  answer(0);
  expect(await Promise.all(first)).toEqual(['done 1', 'done 2']);
  await nextTurn();
  expect(itemsOf(1)).toEqual([3, 4, 5, 6]);
  answer(1);
  await nextTurn();
  expect(itemsOf(2)).toEqual([7]);
  answer(2);
  expect(await Promise.all(second)).toEqual(['done 3', 'done 4', 'done 5', 'done 6', 'done 7']);
});

test('an outage fails the batch under way and everything that has gathered, which is never started', async () => {
  const { batcher, batches } = openBatcher({ failure: 'outage' });
  const first = batcher.add(1);
  await nextTurn();
  const second = batcher.add(2);
  batches[0]?.answer.reject(new Error('away'));
  await expect(first).rejects.toThrow('away');
  await expect(second).rejects.toThrow('away');
  await nextTurn();
  expect(batches).toHaveLength(1);
  void batcher.add(3);
  await nextTurn();
  expect(batches.at(-1)?.items).toEqual([3]);
});

test('of a batch that one item spoils, only that item fails, and the others are found in few steps', async () => {
  let calls = 0;
  const batcher = new Batcher<number, number>({
    work: async (items) => {
      calls += 1;
      if (items.includes(13)) throw new Error('thirteen');
      return items.map((item) => item * 2);
    },
    maxBatch: 64,
    failureOf: () => 'item',
  });
  const answers = await Promise.allSettled(Array.from({ length: 64 }, (_, item) => batcher.add(item)));
  expect(answers.flatMap(({ status }, item) => (status === 'rejected' ? [item] : []))).toEqual([13]);
  expect(calls).toBe(1 + 2 * 6);
});

test('an item that waits too long for its batch is refused: not started if it had only gathered, undone if it is done late', async () => {
  const undone: [number, string][] = [];
  const { batcher, batches, answer, itemsOf } = openBatcher({
    deadline: {
      afterMs: 30,
      refusal: () => new Error('too late'),
      undo: async (item, result) => void undone.push([item, result]),
    },
  });
  const startedAt = performance.now();
  const underWay = batcher.add(1);
  await nextTurn();
  const gathered = batcher.add(2);
  await expect(underWay).rejects.toThrow('too late');
  await expect(gathered).rejects.toThrow('too late');
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  const later = batcher.add(3);
  later.catch(() => {});
  answer(0);
  await expect.poll(() => batches.length).toBe(2);
  expect(undone).toEqual([[1, 'done 1']]);
  expect(itemsOf(1)).toEqual([3]);
});

test('an answer to a batch that has arrived counts, however late a busy process looks at the clock', async () => {
  const batcher = new Batcher<number, number>({
    work: async (items) => {
      await delay(10);
      return items;
    },
    maxBatch: 4,
    failureOf: () => 'batch',
    deadline: { afterMs: 20, refusal: () => new Error('too late'), undo: async () => {} },
  });
  const answer = batcher.add(1);
  await nextTurn();
  const until = performance.now() + 60;
  while (performance.now() < until);
  expect(await answer).toBe(1);
});

test('an item whose signal is aborted before its batch starts is left out; under way it is done', async () => {
  const { batcher, answer, itemsOf } = openBatcher();
  const [early, late] = [new AbortController(), new AbortController()];
  const first = batcher.add(1, late.signal);
  await nextTurn();
  late.abort(new Error('gone'));
  const second = batcher.add(2, early.signal);
  const third = batcher.add(3);
  early.abort(new Error('gone'));
  answer(0);
  expect(await first).toBe('done 1');
  await expect(second).rejects.toThrow('gone');
  await nextTurn();
  expect(itemsOf(1)).toEqual([3]);
  answer(1);
  await third;
});
