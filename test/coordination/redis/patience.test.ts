import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { Patience } from '../../../src/coordination/redis/patience.ts';

const never = new Promise<never>(() => {});

function stall(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test('a call of Redis that does not come back is given up', async () => {
  await expect(new Patience().within(never, 20)).rejects.toThrow('No answer within 20 ms');
});

test('each call of Redis is waited for by its own time, and a fault is told at once', async () => {
  const patience = new Patience();
  const told: string[] = [];
  await Promise.allSettled([
    patience.within(never, 120).catch(() => told.push('long')),
    patience.within(never, 10).catch(() => told.push('short')),
    patience.within(Promise.reject(new Error('at once')), 10_000).catch(() => told.push('fault')),
    patience.within(Promise.resolve(), 10_000).then(() => told.push('result')),
  ]);
  expect(told.slice(0, 2).sort()).toEqual(['fault', 'result']);
  expect(told.slice(2)).toEqual(['short', 'long']);
});

test('an answer of Redis that came while the node itself could not look is taken, however late that is', async () => {
  const worker = new Worker(
    "const { parentPort } = require('node:worker_threads'); parentPort.on('message', (text) => parentPort.postMessage(text))",
    { eval: true },
  );
  await once(worker, 'online');
  const answer = once(worker, 'message');
  worker.postMessage('here');
  const waiting = new Patience().within(answer, 20);
  // Long enough for the whole wait, several times over, and work that comes due in between.
  for (let turn = 0; turn < 5; turn += 1) setTimeout(() => stall(60), turn);
  stall(200);
  await expect(waiting).resolves.toEqual(['here']);
  await worker.terminate();
});
