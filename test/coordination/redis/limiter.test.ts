import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MemoryLimiter } from '../../../src/coordination/memory/limiter.ts';
import { ShareLimiter } from '../../../src/coordination/memory/share-limiter.ts';
import { RedisLimiter } from '../../../src/coordination/redis/limiter.ts';
import { RedisLink } from '../../../src/coordination/redis/link.ts';
import { delay } from '../../../src/kernel/async.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { silentTelemetry } from '../../../src/kernel/telemetry.ts';
import { limiterContract } from '../../contracts/limiter.ts';
import { ownRedisUsable, startOwnRedis } from '../../support/own-redis.ts';
import { REDIS_URL, withRedis } from '../../support/redis.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';

async function openLimiter(prefix: string, url = REDIS_URL, commandMs = 500, nodes = 2) {
  const link = new RedisLink({ url, telemetry: silentTelemetry, commandMs });
  await link.ready(1_000);
  const alone = new ShareLimiter(new MemoryLimiter({ clock: systemClock }), () => nodes);
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

  test('limits in Redis fall back to a share while Redis is away, and are exact again when it is back', async () => {
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
    // Two nodes: five each, and one is taken already.
    expect(alone.filter((refused) => refused === null)).toHaveLength(4);
    proxy.mend();
    await expect.poll(async () => (await take()).remaining[0]).toBe(8);
  });

  test('limits do not begin anew when Redis is left out: what was granted by Redis counts on', async () => {
    const proxy = await startTcpProxy(Number(new URL(REDIS_URL).port || 6379));
    const { link, limiter } = await openLimiter(`test:${randomUUID()}`, proxy.redisUrl, 500, 1);
    onTestFinished(async () => {
      limiter.dispose();
      await link.close();
      await proxy[Symbol.asyncDispose]();
    });
    const tokens = { key: 'tokens', windowMs: 60_000, limit: 100, amount: 50 };
    const place = { key: 'places', windowMs: null, limit: 1, amount: 1 };
    expect((await limiter.take('one', [tokens, place])).refused).toBeNull();
    expect((await limiter.take('two', [tokens])).refused).toBeNull();
    limiter.settle('two', [{ ...tokens, used: 20 }]);
    proxy.cut();
    expect(await limiter.take('three', [{ ...tokens, amount: 31 }])).toMatchObject({
      refused: 0,
      remaining: [30],
    });
    expect(await limiter.take('four', [place])).toMatchObject({ refused: 0 });
    limiter.settle('one', [
      { ...tokens, used: 50 },
      { ...place, used: 1 },
    ]);
    expect((await limiter.take('five', [place])).refused).toBeNull();
  });

  test.skipIf(!ownRedisUsable()).each(['full', 'read-only'] as const)(
    'limits in Redis fall back to a share while Redis answers but is %s, and are exact again when it takes writes',
    async (how) => {
      await using redis = await startOwnRedis();
      const { link, limiter } = await openLimiter('test', redis.url);
      onTestFinished(async () => {
        limiter.dispose();
        await link.close();
      });
      const want = { key: 'requests', windowMs: 60_000, limit: 10, amount: 1 };
      const take = () => limiter.take(randomUUID(), [want]);
      expect((await take()).remaining).toEqual([9]);
      await redis.stopWrites(how);
      expect((await take()).remaining).toEqual([3]);
      // Its probes are answered, and refused, all the time.
      await expect.poll(() => link.onPath).toBe(false);
      await delay(600);
      expect(link.onPath).toBe(false);
      expect((await take()).remaining).toEqual([2]);
      await redis.takeWrites();
      await expect.poll(() => link.onPath).toBe(true);
      expect((await take()).remaining).toEqual([8]);
    },
  );

  test('limits in Redis are exact while Redis is late, until it has been three times', async () => {
    const proxy = await startTcpProxy(Number(new URL(REDIS_URL).port || 6379));
    const { link, limiter } = await openLimiter(`test:${randomUUID()}`, proxy.redisUrl, 100);
    onTestFinished(async () => {
      limiter.dispose();
      await link.close();
      await proxy[Symbol.asyncDispose]();
    });
    const want = { key: 'requests', windowMs: 60_000, limit: 1_000, amount: 1 };
    let takes = 0;
    const take = () => {
      takes += 1;
      return limiter.take(randomUUID(), [want]);
    };
    await expect.poll(async () => (await take()).remaining[0]).toBeGreaterThan(900);
    const [before = 0] = (await take()).remaining;
    proxy.delay(150);
    // A share would be half of them.
    expect((await take()).remaining).toEqual([before - 1]);
    expect(link.onPath).toBe(true);
    const leftOfShare = async () => [((await take()).remaining[0] ?? 0) + takes, link.onPath];
    await expect.poll(leftOfShare).toEqual([500, false]);
  });

  test('limits in Redis keep no key longer than it counts', async () => {
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
