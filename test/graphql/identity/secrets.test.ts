import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../../src/configuration/config.ts';
import { SecretRotation } from '../../../src/domain/identity/secret-rotation.ts';
import { parseKeyRing, SecretVault } from '../../../src/domain/identity/secret-vault.ts';
import { openStorage } from '../../../src/storage/orm.ts';
import { SecretRepository } from '../../../src/storage/repositories/secret.repository.ts';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { catalogueCalls } from '../../support/catalogue-calls.ts';
import { createDatabase, describeEachDatabase, type TestDatabase } from '../../support/databases.ts';
import { startFakeUpstream } from '../../support/fake-upstream.ts';

const ringKey = (id: string, fill: number) => `${id}:${Buffer.alloc(32, fill).toString('base64')}`;
const OLD = ringKey('old', 1);
const NEW = ringKey('new', 2);

describeEachDatabase('sealed secrets', (kind) => {
  /** A database that outlives its gateways. */
  const keptDatabase = async (): Promise<TestDatabase> => {
    if (kind === 'postgresql') {
      const database = await createDatabase(kind);
      onTestFinished(() => database.drop());
      return database;
    }
    const dataDir = mkdtempSync(join(tmpdir(), 'modelgraph-secrets-'));
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    return { kind, url: undefined, dataDir, drop: async () => {} };
  };
  const start = (database: TestDatabase, SECRET_KEYS: string, key: string) =>
    startTestApp(kind, { database, environment: { SECRET_KEYS, BOOTSTRAP_API_KEY: key } });
  const configured = async (app: TestApp, upstreamUrl: string, count: number) => {
    const mine = catalogueCalls(app, app.adminKey);
    const provider = await mine.provider({ baseUrl: upstreamUrl, protocol: 'openai-chat' });
    const configs = [];
    for (let index = 0; index < count; index += 1) {
      configs.push(
        await mine.config({
          providerKey: provider.key,
          secret: `sk-secret-${index}-0123456789`,
          headers: { 'x-index': `${index}` },
        }),
      );
    }
    return { mine, configs };
  };

  test('sealed secrets are sealed anew while the gateway runs, and then need the old key no more', async () => {
    const database = await keptDatabase();
    const key = `mg_${randomBytes(12).toString('hex')}`;
    const upstream = await startFakeUpstream(() => ({
      headers: { 'content-type': 'application/json' },
      body: '{"object":"list","data":[]}',
    }));
    onTestFinished(() => upstream.close());
    const first = await start(database, OLD, key);
    const { configs } = await configured(first, upstream.url, 3);
    await first.close();

    const missing = await start(database, NEW, key).catch((error: Error) => error.message);
    expect(missing).toMatch(/SECRET_KEYS.*need the keys old, which are missing; the ring has new/);
    const wrong = await start(database, `${NEW},${ringKey('old', 9)}`, key).catch(
      (error: Error) => error.message,
    );
    expect(wrong).toMatch(/SECRET_KEYS: the keys old are not those that sealed/);

    const second = await start(database, `${NEW},${OLD}`, key);
    const rotate = (input = '') =>
      second
        .graph(`mutation { rotateSecrets${input} { keyId resealed } }`)
        .then(({ data }) => data.rotateSecrets);
    expect(await rotate('(input: {dryRun: true})')).toEqual({ keyId: 'new', resealed: 3 });
    expect(await rotate()).toEqual({ keyId: 'new', resealed: 3 });
    expect(await rotate()).toEqual({ keyId: 'new', resealed: 0 });
    const events = await second.graph('{ auditEvents(filter: {action: "RESEALED"}) { totalCount } }');
    expect(events.data.auditEvents.totalCount).toBe(3);
    await second.close();

    const third = await start(database, NEW, key);
    const checked = await third.graph(
      'mutation ($id: ID!) { checkProviderConfig(input: {id: $id}) { userErrors { message } } }',
      {
        id: configs[1].id,
      },
    );
    expect(checked.errors).toBeUndefined();
    const request = upstream.requests.at(-1);
    expect(request?.headers).toMatchObject({
      authorization: 'Bearer sk-secret-1-0123456789',
      'x-index': '1',
    });
    await third.close();
  });

  test('sealed secrets are sealed anew from where an interruption left off', async () => {
    const database = await keptDatabase();
    const key = `mg_${randomBytes(12).toString('hex')}`;
    const app = await start(database, OLD, key);
    await configured(app, 'http://127.0.0.1:9', 5);
    await app.close();
    const storage = await openStorage({
      ...(database.url === undefined ? {} : { databaseUrl: database.url }),
      dataDir: join(database.dataDir, 'database'),
      connections: 2,
      acquireTimeoutMs: 2_000,
      statementTimeoutMs: 5_000,
      applicationName: 'modelgraph-test',
    });
    onTestFinished(() => storage.close());
    const repository = new SecretRepository(storage);
    let left = 2;
    const interrupted = Object.assign(Object.create(repository) as SecretRepository, {
      sealedOtherwise: repository.sealedOtherwise.bind(repository),
      reseal: (...args: Parameters<SecretRepository['reseal']>) => {
        if (left === 0) throw new Error('killed');
        left -= 1;
        return repository.reseal(...args);
      },
    });
    const vault = new SecretVault(parseKeyRing(`${NEW},${OLD}`), {});
    await expect(new SecretRotation(interrupted, vault).rotateAs('operator')).rejects.toThrow('killed');
    expect(await new SecretRotation(repository, vault).rotateAs('operator')).toEqual({
      keyId: 'new',
      resealed: 3,
    });
    await new SecretRotation(repository, new SecretVault(parseKeyRing(NEW), {})).requireKeys();
  });
});

test('secrets come from files too, and a file that is missing is named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'modelgraph-files-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'keys');
  writeFileSync(path, `${NEW}\n`);
  const config = readConfig({ SECRET_KEYS_FILE: path, OPENAI_API_KEY_FILE: path });
  expect(config.secretKeys?.reveal()).toBe(NEW);
  expect(config.environment.OPENAI_API_KEY).toBe(NEW);
  expect(() => readConfig({ SECRET_KEYS_FILE: join(folder, 'none') })).toThrow(
    /SECRET_KEYS_FILE: the file could not be read/,
  );
  expect(() => readConfig({ SECRET_KEYS_FILE: path, SECRET_KEYS: NEW })).toThrow(
    /SECRET_KEYS is set as well/,
  );
  expect(() => readConfig({ NODE_ENV: 'production', BOOTSTRAP_API_KEY: 'mg_0123456789abcdef' })).toThrow(
    /SECRET_KEYS/,
  );
});
