import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FORMER_MIGRATIONS, SQUASHED_INTO } from '../../src/storage/former-migrations.ts';
import { digestOf } from '../../src/storage/function-update.ts';
import type { DatabaseFunction } from '../../src/storage/functions/database-function.ts';
import { openStorage, type Storage } from '../../src/storage/orm.ts';
import { SCHEMA, type Schema, updateSchema } from '../../src/storage/schema-update.ts';
import { describeDatabase } from '../support/database-catalogue.ts';
import {
  createDatabase,
  describeEachDatabase,
  openTestStorage,
  type TestDatabase,
} from '../support/databases.ts';
import { createFormerDatabase } from '../support/former-database.ts';

/** Of each function that a release had: a text that changes without its version is found here. Add a line with each change. */
const DIGESTS = JSON.parse(
  readFileSync(new URL('./fixtures/function-digests.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, string>>;

const closers: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function open(database: TestDatabase): Promise<Storage> {
  const storage = await openStorage({
    ...(database.url === undefined ? {} : { databaseUrl: database.url }),
    dataDir: database.dataDir === 'memory://' ? database.dataDir : join(database.dataDir, 'database'),
    connections: 4,
    acquireTimeoutMs: 2_000,
    statementTimeoutMs: 10_000,
    applicationName: 'modelgraph-test',
  });
  closers.push(async () => {
    await storage.close();
    await database.drop();
  });
  return storage;
}

const queryOf =
  ({ sql }: Storage) =>
  <Row extends object>(text: string): Promise<Row[]> =>
    sql.query<Row>({ name: '', text }, []);

const FIRST: DatabaseFunction = {
  name: 'answer_to_all',
  version: 1,
  text: 'create or replace function answer_to_all() returns int language sql as $$ select 41 $$',
};
const SECOND: DatabaseFunction = { ...FIRST, version: 2, text: FIRST.text.replace('41', '42') };

const schemaWith = (...functions: DatabaseFunction[]): Schema => ({
  ...SCHEMA,
  functions: { ...SCHEMA.functions, present: [...SCHEMA.functions.present, ...functions] },
});

describeEachDatabase('a database of 24 November 2026', (kind) => {
  let storage: Storage;
  let fresh: Storage;
  let applied: string[];

  beforeAll(async () => {
    storage = await open(await createFormerDatabase(kind));
    applied = await storage.migrate();
    fresh = await openTestStorage(kind);
  });

  test('a database of 24 November 2026 is carried over: only the migrations of later days are run', () => {
    const later = SCHEMA.migrations.filter(({ name }) => !SQUASHED_INTO.includes(name));
    expect(applied.filter((name) => name.startsWith('migration'))).toEqual(
      later.map(({ name }) => `migration ${name}`),
    );
    expect(applied).toHaveLength(later.length + SCHEMA.functions.present.length);
  });

  test('a database of 24 November 2026 has, object by object, what a fresh database has', async () => {
    const expected = await describeDatabase(queryOf(fresh));
    expect(expected.length).toBeGreaterThan(300);
    expect(await describeDatabase(queryOf(storage))).toEqual(expected);
  });

  test('a database of 24 November 2026 keeps its rows', async () => {
    const rows = await queryOf(storage)(
      'select status, count(*)::int as runs from completion_run group by 1 order by 1',
    );
    expect(rows).toEqual([
      { status: 'CANCELLED', runs: 1 },
      { status: 'FAILED', runs: 1 },
      { status: 'FINISHED', runs: 2 },
      { status: 'INTERRUPTED', runs: 1 },
      { status: 'RUNNING', runs: 1 },
    ]);
  });

  test('a database of 24 November 2026 has nothing left to apply at the next start', async () => {
    expect(await storage.migrate()).toEqual([]);
  });
});

describeEachDatabase('an older database', (kind) => {
  test('a database that is older than the upgrades reach is refused with what it lacks and what to do, and is left as it was', async () => {
    const last = FORMER_MIGRATIONS.at(-1);
    const storage = await open(
      await createFormerDatabase(kind, `delete from migration where name = '${last}'`),
    );
    const before = await describeDatabase(queryOf(storage));
    await expect(storage.migrate()).rejects.toThrow(
      new RegExp(`lacks what ${last} changed.*start a build that still has these migrations.*on it once`),
    );
    expect(await describeDatabase(queryOf(storage))).toEqual(before);
  });
});

describeEachDatabase('functions of the database', (kind) => {
  let storage: Storage;
  const answer = async () =>
    (await queryOf(storage)<{ answer: number }>('select answer_to_all() as answer'))[0]?.answer;

  beforeAll(async () => {
    storage = await openTestStorage(kind);
  });

  test('an older build that starts after a newer one leaves the newer text of a database function alone', async () => {
    expect(await updateSchema(storage, schemaWith(FIRST))).toEqual(['function answer_to_all, version 1']);
    expect(await answer()).toBe(41);
    expect(await updateSchema(storage, schemaWith(SECOND))).toEqual(['function answer_to_all, version 2']);
    expect(await answer()).toBe(42);
    expect(await updateSchema(storage, schemaWith(FIRST))).toEqual([]);
    expect(await answer()).toBe(42);
  });

  test('another text of a database function under the version that the database has is refused', async () => {
    const changed = { ...SECOND, text: SECOND.text.replace('42', '43') };
    await expect(updateSchema(storage, schemaWith(changed))).rejects.toThrow(
      /another text of its function answer_to_all/,
    );
    expect(await answer()).toBe(42);
  });

  test('a database function that no build has any more stays until it is listed as dropped', async () => {
    expect(await updateSchema(storage, SCHEMA)).toEqual([]);
    expect(await answer()).toBe(42);
    const dropping = {
      ...SCHEMA,
      functions: { ...SCHEMA.functions, dropped: { answer_to_all: 'answer_to_all()' } },
    };
    expect(await updateSchema(storage, dropping)).toEqual(['function answer_to_all is dropped']);
    await expect(answer()).rejects.toThrow(/answer_to_all/);
    expect(await updateSchema(storage, dropping)).toEqual([]);
  });

  test('a start with no function to apply asks the database once', async () => {
    const asked: string[] = [];
    const counting = {
      entities: () => {
        throw new Error('No transaction is needed');
      },
      sql: {
        ...storage.sql,
        query: <Row extends object>(
          statement: { name: string; text: string },
          values: readonly unknown[],
        ) => {
          asked.push(statement.text);
          return storage.sql.query<Row>(statement, values);
        },
      },
    };
    expect(await updateSchema(counting, SCHEMA)).toEqual([]);
    expect(asked).toHaveLength(1);
  });
});

describeEachDatabase('first start', (kind) => {
  test('nodes that start together on an empty database apply each migration and function once', async () => {
    const storage = await open(await createDatabase(kind));
    const applied = await Promise.all([storage.migrate(), storage.migrate(), storage.migrate()]);
    expect(applied.flat().sort()).toEqual(
      [
        ...SCHEMA.migrations.map(({ name }) => `migration ${name}`),
        ...SCHEMA.functions.present.map(({ name, version }) => `function ${name}, version ${version}`),
      ].sort(),
    );
  });
});

describe('texts of the functions', () => {
  test('the texts of the functions have the digest that is noted for their version: who changes a text raises the version and notes the new digest', () => {
    const digests = SCHEMA.functions.present.map(({ name, version, text }) => [
      `${name} ${version}`,
      digestOf(text),
    ]);
    expect(DIGESTS).toMatchObject(Object.fromEntries(digests));
  });
});
