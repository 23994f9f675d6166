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
  /** A proxy before PostgreSQL and Redis, through which both nodes reach them. */
  readonly postgres: TcpProxy;
  readonly redis: Pick<TcpProxy, 'cut' | 'mend' | 'delay'>;
  /** A proxy before Redis for each node. */
  readonly redisOf: { readonly a: TcpProxy; readonly b: TcpProxy };
  /** URL of the real database, past the proxy. */
  readonly databaseUrl: string;
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
  const redisPort = Number(new URL(REDIS_URL).port || 6379);
  const redisOf = { a: await startTcpProxy(redisPort), b: await startTcpProxy(redisPort) };
  const bothRedis = Object.values(redisOf);
  const redis: TwoNodes['redis'] = {
    cut: () => bothRedis.forEach((proxy) => void proxy.cut()),
    mend: () => bothRedis.forEach((proxy) => void proxy.mend()),
    delay: (ms) => bothRedis.forEach((proxy) => void proxy.delay(ms)),
  };
  url.port = String(postgres.port);
  const database: TestDatabase = { ...real, url: url.href };
  const key = `mg_test_${randomBytes(16).toString('hex')}`;
  const optionsOf = async (node: 'a' | 'b') => ({
    database,
    environment: {
      REDIS_URL: redisOf[node].redisUrl,
      LEASE_SECONDS: '2',
      BOOTSTRAP_API_KEY: key,
      ...environment,
    },
    overrides: { catalogueData: await sandboxCatalogue() },
  });
  const a = await startTestApp('postgresql', await optionsOf('a'));
  const b = await startTestApp('postgresql', await optionsOf('b'));
  closers.push(async () => {
    postgres.mend();
    redis.mend();
    await a.close();
    await b.close();
    await postgres[Symbol.asyncDispose]();
    for (const proxy of bothRedis) await proxy[Symbol.asyncDispose]();
    await real.drop();
  });
  return { a, b, postgres, redis, redisOf, databaseUrl: real.url ?? '', key };
}

const closers: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
