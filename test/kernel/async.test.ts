import { expect, onTestFinished, test } from 'vitest';
import { abortable, nextTurn } from '../../src/kernel/async.ts';

test.each([
  ['before the wait begins', AbortSignal.abort(new Error('gone'))],
  ['while it is waited for', undefined],
])('a promise that fails after its wait was aborted %s is no unhandled rejection', async (_when, aborted) => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  const stop = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const waiting = abortable(promise, aborted ?? stop.signal);
  stop.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  reject(new Error('too late'));
  await nextTurn();
  await nextTurn();
  expect(unhandled).toEqual([]);
});
