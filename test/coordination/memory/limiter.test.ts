import { describe, expect, test } from 'vitest';
import { MemoryLimiter } from '../../../src/coordination/memory/limiter.ts';
import { ShareLimiter } from '../../../src/coordination/memory/share-limiter.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { limiterContract } from '../../contracts/limiter.ts';

describe('limiter in the process', () => {
  limiterContract(() => {
    const one = new MemoryLimiter({ clock: systemClock });
    return { one, other: one, [Symbol.asyncDispose]: async () => one.dispose() };
  });

  test('limits in the process are shared out over the nodes where these cannot count together', async () => {
    let nodes = 4;
    const limiter = new ShareLimiter(new MemoryLimiter({ clock: systemClock }), () => nodes);
    const want = { key: 'requests', windowMs: 60_000, limit: 10, amount: 1 };
    const grants = async () => {
      let count = 0;
      while ((await limiter.take(`run ${nodes} ${count}`, [want])).refused === null) count += 1;
      return count;
    };
    expect(await grants()).toBe(2);
    nodes = 1;
    expect(await grants()).toBe(8);
    nodes = 50;
    // A share is never nothing.
    expect((await limiter.take('x', [{ ...want, key: 'fresh' }])).refused).toBeNull();
    limiter.dispose();
  });
});
