import { beforeAll, describe, expect, test } from 'vitest';
import { WorkspaceEntity } from '../../src/storage/entities/workspace.entity.ts';
import { toStorageError } from '../../src/storage/errors.ts';
import type { Storage } from '../../src/storage/orm.ts';
import { startTestApp } from '../support/app.ts';
import {
  createDatabase,
  describeEachDatabase,
  openTestStorage,
  type TestDatabase,
} from '../support/databases.ts';

const statement = (text: string) => ({ name: '', text });

describeEachDatabase('the database', (kind) => {
  let storage: Storage;
  beforeAll(async () => {
    storage = await openTestStorage(kind, { connections: 2, acquireTimeoutMs: 200, statementTimeoutMs: 700 });
  });

  test('the database tells a constraint’s refusal by the constraint’s name', async () => {
    const insert = storage.sql.query(
      statement(
        "insert into workspace (id, slug, display_name) select gen_random_uuid(), 'twice', 'x' from generate_series(1, 2)",
      ),
      [],
    );
    await expect(insert).rejects.toMatchObject({ kind: 'conflict', constraint: 'workspace_slug_key' });
  });

  test('the database tells a mistake of ours as a fault', async () => {
    await expect(storage.sql.query(statement('select nonsense'), [])).rejects.toMatchObject({
      kind: 'fault',
    });
  });

  test('the database tells a value that breaks the statement as invalid, not as an outage', async () => {
    const search = storage.entities().find(WorkspaceEntity, { slug: { $like: '%a\0b%' } });
    const error = await search.then(() => undefined, toStorageError);
    expect(error).toMatchObject({ kind: 'invalid' });
    expect(
      toStorageError({ code: '08P01', message: 'no more connections allowed (max_client_conn)' }),
    ).toMatchObject({
      kind: 'unavailable',
    });
  });

  test('the database is migrated once, however often it is asked', async () => {
    expect(await storage.migrate()).toEqual([]);
  });

  describe.skipIf(kind === 'embedded')('server', () => {
    test('a database server is waited for a bounded time when every connection is busy, and is then unavailable', async () => {
      const busy = [1, 2].map(() => storage.sql.query(statement('select pg_sleep(0.6)'), []));
      await expect(storage.sql.query(statement('select 1'), [])).rejects.toMatchObject({
        kind: 'unavailable',
      });
      await Promise.all(busy);
      expect(await storage.sql.query(statement('select 1 as one'), [])).toEqual([{ one: 1 }]);
    });

    test('a database server gives up a statement that takes too long', async () => {
      await expect(storage.sql.query(statement('select pg_sleep(5)'), [])).rejects.toMatchObject({
        kind: 'unavailable',
      });
    });

    test('a database server knows its connections by name', async () => {
      const rows = await storage.sql.query<{ name: string }>(
        statement("select current_setting('application_name') as name"),
        [],
      );
      expect(rows).toEqual([{ name: 'modelgraph-test' }]);
      const viaOrm = await storage.entities().execute("select current_setting('application_name') as name");
      expect(viaOrm).toEqual(rows);
    });
  });
});

describeEachDatabase('a gateway whose database is gone', (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase(kind);
  });

  test.skipIf(kind === 'embedded')(
    'a gateway whose database is gone answers STORAGE_UNAVAILABLE, lives, and is not ready',
    async () => {
      const app = await startTestApp(kind, { database, environment: { DATABASE_ACQUIRE_TIMEOUT_MS: '300' } });
      await database.drop();
      const { errors } = await app.graph('{ providerSpecs { totalCount } }');
      expect(errors?.[0]?.extensions.code).toBe('STORAGE_UNAVAILABLE');
      expect((await app.graph('{ viewer { caller } }')).errors).toBeUndefined();
      expect((await fetch(`${app.url}/health/live`)).status).toBe(200);
      const ready = await fetch(`${app.url}/health/ready`);
      expect([ready.status, JSON.stringify(await ready.json())]).toEqual([
        503,
        expect.stringContaining('database'),
      ]);
      await app.close();
    },
  );
});
