// Owns two gateways of one installation within the test's process: one PostgreSQL, one Redis, and a proxy before each server.
import { randomBytes } from 'node:crypto';
import { afterAll, describe } from 'vitest';
import { startTestApp, type TestApp } from './app.ts';
import { createDatabase, postgresUsable, type TestDatabase } from './databases.ts';
import { REDIS_URL, redisUsable } from './redis.ts';
import { sandboxCatalogue } from './sandbox-catalogue.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export interface TwoNodes {
  readonly a: TestApp;
  readonly b: TestApp;
  /** Before PostgreSQL and Redis, as both nodes reach them. */
  readonly postgres: TcpProxy;
  readonly redis: TcpProxy;
  /** A key of the workspace `default`, good on both. */
  readonly key: string;
}

export function describeTwoNodes(name: string, suite: () => void): void {
  describe.skipIf(!(postgresUsable() && redisUsable()))(name, suite);
}

/** Call it in `beforeAll`. */
export async function startTwoNodes(environment: Record<string, string> = {}): Promise<TwoNodes> {
  const real = await createDatabase('postgresql');
  const url = new URL(real.url ?? '');
  const postgres = await startTcpProxy(Number(url.port || 5432));
  const redis = await startTcpProxy(Number(new URL(REDIS_URL).port || 6379));
  url.port = String(postgres.port);
  const database: TestDatabase = { ...real, url: url.href };
  const key = `mg_test_${randomBytes(16).toString('hex')}`;
  const options = {
    database,
    environment: { REDIS_URL: redis.redisUrl, LEASE_SECONDS: '2', BOOTSTRAP_API_KEY: key, ...environment },
    overrides: { catalogueData: await sandboxCatalogue() },
  };
  const a = await startTestApp('postgresql', options);
  const b = await startTestApp('postgresql', options);
  closers.push(async () => {
    postgres.mend();
    redis.mend();
    await a.close();
    await b.close();
    await postgres[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
    await real.drop();
  });
  return { a, b, postgres, redis, key };
}

const closers: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
