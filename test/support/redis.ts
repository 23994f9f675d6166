// Owns the Redis of the tests: a real one. Without it the suites that need it are skipped, except on CI, where they fail.
import { Redis } from 'ioredis';
import { describe } from 'vitest';

export const REDIS_URL = process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379';

const usable = process.env.CI === 'true' || (await answers());

/** Suites of several nodes need both PostgreSQL and Redis. */
export const redisUsable = () => usable;

export function withRedis(name: string, suite: () => void): void {
  describe.skipIf(!usable)(name, suite);
}

async function answers(): Promise<boolean> {
  const redis = new Redis(REDIS_URL, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 1_000 });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return true;
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}
