// Owns the databases of the tests: every storage suite runs on the embedded one and on PostgreSQL, each time on a fresh one.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, describe } from 'vitest';
import { openStorage, type Storage, type StorageOptions } from '../../src/storage/orm.ts';

const ADMIN_URL = process.env.TEST_DATABASE_URL ?? 'postgresql://postgres@127.0.0.1:5432/postgres';
const CONNECT_TIMEOUT_MS = 2_000;

export type DatabaseKind = Storage['kind'];

export interface TestDatabase {
  readonly kind: DatabaseKind;
  /** Absent for the embedded database. */
  readonly url: string | undefined;
  readonly dataDir: string;
  drop(): Promise<void>;
}

/** Runs the suite once for each kind of database. Without PostgreSQL its part is skipped, except on CI, where it fails. */
export function describeEachDatabase(name: string, suite: (kind: DatabaseKind) => void): void {
  for (const kind of ['embedded', 'postgresql'] as const) {
    describe.skipIf(kind === 'postgresql' && !usable)(`${name} on ${kind}`, () => suite(kind));
  }
}

export const postgresUsable = () => usable;

const usable = process.env.CI === 'true' || (await answers());

/** A fresh, empty database; the caller drops it. */
export async function createDatabase(kind: DatabaseKind): Promise<TestDatabase> {
  if (kind === 'embedded') return { kind, url: undefined, dataDir: 'memory://', drop: async () => {} };
  const name = `modelgraph_test_${randomUUID().replaceAll('-', '')}`;
  await asAdmin((client) => client.query(`create database ${name}`));
  const url = new URL(ADMIN_URL);
  url.pathname = `/${name}`;
  return {
    kind,
    url: url.href,
    dataDir: 'memory://',
    drop: () => asAdmin((client) => client.query(`drop database if exists ${name} with (force)`)),
  };
}

/** A migrated storage on a fresh database, closed and dropped when the suite ends. Call it in `beforeAll`. */
export async function openTestStorage(
  kind: DatabaseKind,
  options: Partial<StorageOptions> = {},
): Promise<Storage> {
  const database = await createDatabase(kind);
  const storage = await openStorage({
    ...(database.url === undefined ? {} : { databaseUrl: database.url }),
    dataDir: database.dataDir,
    connections: 4,
    acquireTimeoutMs: 2_000,
    statementTimeoutMs: 10_000,
    applicationName: 'modelgraph-test',
    ...options,
  });
  opened.push(async () => {
    await storage.close();
    await database.drop();
  });
  await storage.migrate();
  return storage;
}

const opened: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function asAdmin(work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({
    connectionString: ADMIN_URL,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

async function answers(): Promise<boolean> {
  try {
    await asAdmin((client) => client.query('select 1'));
    return true;
  } catch {
    return false;
  }
}
