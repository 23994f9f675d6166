// Owns the database of 24 November 2026 (`test/storage/fixtures/schema-20261124.sql`), loaded as a test needs it.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { createDatabase, type DatabaseKind, type TestDatabase } from './databases.ts';

const DUMP = readFileSync(new URL('../storage/fixtures/schema-20261124.sql', import.meta.url), 'utf8');

/** API key of the dump's workspace `fixture`, with scope ADMIN. */
export const FORMER_KEY = /workspace `fixture` is (\S+)/.exec(DUMP)?.[1] ?? '';
/** The key that the dump's secrets are sealed with. */
export const FORMER_SECRET_KEYS = `fixture:${Buffer.alloc(32, 7).toString('base64')}`;

/** Loads the dump, then runs the given statements; the caller drops the database. */
export async function createFormerDatabase(kind: DatabaseKind, more = ''): Promise<TestDatabase> {
  const statements = `${DUMP}\n${more}`;
  if (kind === 'postgresql') {
    const database = await createDatabase(kind);
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(statements);
    await client.end();
    return database;
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'modelgraph-'));
  const database = new PGlite(join(dataDir, 'database'));
  await database.exec(statements);
  await database.close();
  return { kind, url: undefined, dataDir, drop: () => rm(dataDir, { recursive: true, force: true }) };
}
