import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MemoryLimiter } from '../../../src/coordination/memory/limiter.ts';
import { ShareLimiter } from '../../../src/coordination/memory/share-limiter.ts';
import { RedisLimiter } from '../../../src/coordination/redis/limiter.ts';
import { RedisLink } from '../../../src/coordination/redis/link.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { silentLogger } from '../../../src/kernel/logger.ts';
import { limiterContract } from '../../contracts/limiter.ts';
import { REDIS_URL, withRedis } from '../../support/redis.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';

async function openLimiter(prefix: string, url = REDIS_URL, commandMs = 500) {
  const link = new RedisLink({ url, logger: silentLogger, commandMs });
  await link.ready(1_000);
  const alone = new ShareLimiter(new MemoryLimiter({ clock: systemClock }), () => 2);
  return { link, limiter: new RedisLimiter({ link, alone, prefix }) };
}

withRedis('limits in Redis', () => {
  describe('counted by two nodes', () => {
    limiterContract(async () => {
      const prefix = `test:${randomUUID()}`;
      const [a, b] = [await openLimiter(prefix), await openLimiter(prefix)];
      return {
        one: a.limiter,
        other: b.limiter,
        async [Symbol.asyncDispose]() {
          for (const { limiter, link } of [a, b]) {
            limiter.dispose();
            await link.close();
          }
        },
      };
    });
  });

  test('fall back to a share while Redis is away, and are exact again when it is back', async () => {
    const proxy = await startTcpProxy(Number(new URL(REDIS_URL).port || 6379));
    const { link, limiter } = await openLimiter(`test:${randomUUID()}`, proxy.redisUrl, 50);
    onTestFinished(async () => {
      limiter.dispose();
      await link.close();
      await proxy[Symbol.asyncDispose]();
    });
    const want = { key: 'requests', windowMs: 60_000, limit: 10, amount: 1 };
    const take = () => limiter.take(randomUUID(), [want]);
    expect((await take()).remaining).toEqual([9]);
    proxy.cut();
    const alone = [];
    for (let count = 0; count < 8; count += 1) alone.push((await take()).refused);
    // Two nodes: five each.
    expect(alone.filter((refused) => refused === null)).toHaveLength(5);
    proxy.mend();
    await expect.poll(async () => (await take()).remaining[0]).toBe(8);
  });

  test('are exact while Redis is late, until it has been three times', async () => {
    const proxy = await startTcpProxy(Number(new URL(REDIS_URL).port || 6379));
    const { link, limiter } = await openLimiter(`test:${randomUUID()}`, proxy.redisUrl, 100);
    onTestFinished(async () => {
      limiter.dispose();
      await link.close();
      await proxy[Symbol.asyncDispose]();
    });
    const want = { key: 'requests', windowMs: 60_000, limit: 1_000, amount: 1 };
    const take = () => limiter.take(randomUUID(), [want]);
    await expect.poll(async () => (await take()).remaining[0]).toBeGreaterThan(900);
    const [before = 0] = (await take()).remaining;
    proxy.delay(150);
    // A share would be half of them.
    expect((await take()).remaining).toEqual([before - 1]);
    expect(link.onPath).toBe(true);
    await expect.poll(async () => [(await take()).remaining[0], link.onPath]).toEqual([499, false]);
  });

  test('keep no key longer than it counts', async () => {
    const prefix = `test:${randomUUID()}`;
    const { link, limiter } = await openLimiter(prefix);
    const redis = new Redis(REDIS_URL);
    onTestFinished(async () => {
      limiter.dispose();
      await link.close();
      redis.disconnect();
    });
    await limiter.take('a', [
      { key: 'tokens', windowMs: 60_000, limit: 10, amount: 1 },
      { key: 'places', windowMs: null, limit: 10, amount: 1 },
    ]);
    expect(await redis.pttl(`${prefix}:tokens`)).toBeGreaterThan(60_000);
    expect(await redis.pttl(`${prefix}:tokens`)).toBeLessThanOrEqual(120_000);
    expect(await redis.pttl(`${prefix}:places`)).toBeGreaterThan(0);
  });
});
