import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RedisLink } from '../../../src/coordination/redis/link.ts';
import { createRedisTokenCache } from '../../../src/coordination/redis/token-cache.ts';
import { delay } from '../../../src/kernel/async.ts';
import { type Clock, systemClock } from '../../../src/kernel/clock.ts';
import { silentTelemetry } from '../../../src/kernel/telemetry.ts';
import { tokenCacheContract } from '../../contracts/token-cache.ts';
import { ownRedisUsable, startOwnRedis } from '../../support/own-redis.ts';
import { REDIS_URL, withRedis } from '../../support/redis.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';

const sealing = {
  seal: (text: string) => Buffer.from(text).toString('base64'),
  open: (sealed: string) => Buffer.from(sealed, 'base64').toString(),
};

async function openCache(clock: Clock, prefix = `test:${randomUUID()}:`, url = REDIS_URL) {
  const link = new RedisLink({ url, telemetry: silentTelemetry, commandMs: 500 });
  await link.ready(1_000);
  return {
    prefix,
    link,
    cache: createRedisTokenCache({ link, clock, prefix, ...sealing }),
    [Symbol.asyncDispose]: () => link.close(),
  };
}

withRedis('tokens in Redis', () => {
  describe('as a token cache', () => {
    tokenCacheContract((clock) => openCache(clock));
  });

  const request = (fetch: () => Promise<string>, over = {}) => ({
    minLifeMs: 60_000,
    signal: new AbortController().signal,
    fetch: async () => ({ token: await fetch(), expiresAtMs: Date.now() + 1_800_000 }),
    ...over,
  });

  test('many askers on two nodes share one fetch of a token, and one more after a rejection', async () => {
    await using one = await openCache(systemClock);
    await using two = await openCache(systemClock, one.prefix);
    let fetches = 0;
    const fetch = async () => {
      fetches += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return `t${fetches}`;
    };
    const ask = (over = {}) =>
      Promise.all(
        [one, two].flatMap(({ cache }) =>
          Array.from({ length: 10 }, () => cache.get('k', request(fetch, over))),
        ),
      );
    expect(new Set(await ask())).toEqual(new Set(['t1']));
    expect(new Set(await ask({ rejected: 't1' }))).toEqual(new Set(['t2']));
    expect(fetches).toBe(2);
  });

  test('tokens lie in Redis sealed, and no longer than they live', async () => {
    await using one = await openCache(systemClock);
    await one.cache.get(
      'k',
      request(async () => 'secret-token'),
    );
    const redis = new Redis(REDIS_URL);
    const stored = await redis.get(`${one.prefix}k`);
    expect(stored).not.toContain('secret-token');
    expect(await redis.pttl(`${one.prefix}k`)).toBeGreaterThan(1_000_000);
    expect(await redis.exists(`${one.prefix}lock:k`)).toBe(0);
    redis.disconnect();
  });

  test('tokens are fetched by each node itself while Redis is away', async () => {
    await using lost = await openCache(systemClock, undefined, 'redis://127.0.0.1:9');
    expect(
      await lost.cache.get(
        'k',
        request(async () => 'own'),
      ),
    ).toBe('own');
  });

  test('a token is not fetched for whoever left while Redis was being asked', async () => {
    const proxy = await startTcpProxy(Number(new URL(REDIS_URL).port || 6379));
    await using slow = await openCache(systemClock, undefined, proxy.redisUrl);
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    proxy.delay(40);
    const leaving = new AbortController();
    let fetches = 0;
    const asked = slow.cache.get('k', {
      minLifeMs: 60_000,
      signal: leaving.signal,
      fetch: async (signal) => {
        fetches += 1;
        signal.throwIfAborted();
        return { token: 't', expiresAtMs: Date.now() + 1_800_000 };
      },
    });
    setTimeout(() => leaving.abort(new Error('left')), 10);
    await expect(asked).rejects.toThrow('left');
    // Both round trips to Redis are over by then.
    await delay(200);
    expect(fetches).toBe(0);
  });

  test.skipIf(!ownRedisUsable()).each(['full', 'read-only'] as const)(
    'a token is good for the node that fetched it where Redis is %s and cannot keep it',
    async (how) => {
      await using redis = await startOwnRedis();
      await using one = await openCache(systemClock, undefined, redis.url);
      const fetch = async () => {
        await redis.stopWrites(how);
        return 'kept by nobody';
      };
      expect(await one.cache.get('k', request(fetch))).toBe('kept by nobody');
      expect(await one.cache.get('other', request(fetch))).toBe('kept by nobody');
    },
  );
});
