import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openStorage } from '../../../src/storage/orm.ts';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { type CatalogueCalls, catalogueCalls } from '../../support/catalogue-calls.ts';
import { createDatabase, describeEachDatabase, type TestDatabase } from '../../support/databases.ts';
import { type FakeUpstream, startFakeUpstream } from '../../support/fake-upstream.ts';

const SECRET = 'sk-stored-0123456789-wxyz';
const LIST = { headers: { 'content-type': 'application/json' }, body: '{"object":"list","data":[]}' };
const CHECK = `mutation ($id: ID!) { checkProviderConfig(input: {id: $id}) {
  providerConfig { health { state message: errorMessage } } userErrors { message } } }`;

async function healthOf(
  calls: CatalogueCalls,
  id: string,
): Promise<{ state: string; message: string | null }> {
  const { data } = await calls.run(CHECK, { id });
  return data.checkProviderConfig.providerConfig.health;
}

describeEachDatabase('a stored secret', (kind) => {
  let app: TestApp;
  let installation: CatalogueCalls;
  let owner: CatalogueCalls;
  let editor: CatalogueCalls;
  let trusted: FakeUpstream;
  let foreign: FakeUpstream;

  beforeAll(async () => {
    trusted = await startFakeUpstream(() => LIST);
    foreign = await startFakeUpstream(() => LIST);
    app = await startTestApp(kind, { environment: { OPERATORS_KEY: 'sk-operator-0123456789' } });
    installation = catalogueCalls(app, app.adminKey);
    const workspace = await app.createWorkspace(['ADMIN']);
    owner = catalogueCalls(app, workspace.key);
    editor = catalogueCalls(app, await keyIn(workspace.id));
  });
  afterAll(() => Promise.all([trusted.close(), foreign.close()]));

  const keyIn = async (workspaceId: string) => {
    const input = { name: 'Editor', scopes: ['CATALOGUE'], workspaceId };
    const made = await app.graph(
      'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }',
      { input },
    );
    return made.data.createApiKey.secret as string;
  };
  let serial = 0;
  /** A provider that the installation shares, at the trusted server. */
  const shared = (over: Record<string, unknown> = {}) =>
    installation.provider({
      key: `bound-${kind}-${++serial}`,
      baseUrl: `${trusted.url}/v1`,
      owner: 'INSTALLATION',
      ...over,
    });
  const configOf = (providerKey: string, over: Record<string, unknown> = {}) =>
    owner.config({ providerKey, secret: SECRET, headers: { 'x-more': SECRET }, ...over });
  const leaked = () =>
    foreign.requests.filter(({ headers }) => JSON.stringify(headers).includes('sk-')).length;

  test('a stored secret is not sent to where a key without ADMIN moves the provider', async () => {
    const spec = await shared();
    const config = await configOf(spec.key);
    expect(await healthOf(editor, config.id)).toMatchObject({ state: 'HEALTHY' });
    const moved = await editor.mutate('updateProviderSpec', {
      id: spec.id,
      version: spec.version,
      baseUrl: `${foreign.url}/v1`,
    });
    const health = await healthOf(editor, config.id);
    expect(health.state).toBe('UNHEALTHY');
    expect(health.message).toContain(`was given for ${trusted.url}`);
    expect(health.message).toContain(foreign.url);
    const plan = await owner.run(
      `{ routePlan(input: {model: "${spec.key}/m", messages: [{role: USER, text: "x"}]}) { candidates { instanceId } } }`,
    );
    expect(plan.data?.routePlan?.candidates ?? []).toEqual([]);
    expect(leaked()).toBe(0);
    // Without the copy the provider is again where the secret was given for.
    await editor.mutate('deleteProviderSpec', { id: moved.row.id, version: moved.row.version });
    expect(await healthOf(editor, config.id)).toMatchObject({ state: 'HEALTHY' });
  });

  test('a stored secret is not sent to where a new provider of the same key stands', async () => {
    const spec = await shared();
    const config = await configOf(spec.key);
    await editor.provider({ key: spec.key, baseUrl: `${foreign.url}/v1` });
    expect((await healthOf(editor, config.id)).state).toBe('UNHEALTHY');
    expect(leaked()).toBe(0);
  });

  test('a stored secret is not sent to the shared provider once the own one that it was given for is deleted', async () => {
    const spec = await shared({ baseUrl: `${foreign.url}/v1` });
    const own = await owner.provider({ key: spec.key, baseUrl: `${trusted.url}/v1` });
    const config = await configOf(spec.key);
    await editor.mutate('deleteProviderSpec', { id: own.id, version: own.version });
    expect((await healthOf(editor, config.id)).state).toBe('UNHEALTHY');
    expect(leaked()).toBe(0);
  });

  test.each([
    ['the default of a setting in its host', { settingsSchema: { default: 'B' } }],
    [
      'another way to sign in',
      { auth: { type: 'header', header: 'x-api-key', prefix: '', optional: false } },
    ],
    ['another protocol', { protocol: 'openai-responses' }],
  ])('a stored secret is not sent after a key without ADMIN gave its provider %s', async (_what, change) => {
    const schemaOf = (host: string) => ({
      type: 'object',
      properties: { host: { type: 'string', default: host }, port: { type: 'string' } },
    });
    const port = new URL(trusted.url).port;
    const spec = await shared({
      baseUrl: `http://{host}:${port}/v1`,
      settingsSchema: schemaOf('127.0.0.1'),
    });
    const config = await configOf(spec.key);
    expect(await healthOf(editor, config.id)).toMatchObject({ state: 'HEALTHY' });
    const before = trusted.requests.length;
    const { problems } = await editor.mutate('updateProviderSpec', {
      id: spec.id,
      version: spec.version,
      ...change,
      ...('settingsSchema' in change ? { settingsSchema: schemaOf('localhost') } : {}),
    });
    expect(problems).toEqual([]);
    expect(await healthOf(editor, config.id)).toMatchObject({
      state: 'UNHEALTHY',
      message: expect.stringContaining('Give the secret again'),
    });
    expect(trusted.requests.length).toBe(before);
  });

  test('a stored secret may be given again by a key without ADMIN for the new address, together with the headers', async () => {
    const spec = await shared();
    const config = await configOf(spec.key);
    const move = { id: config.id, version: config.version, baseUrl: `${foreign.url}/v1` };
    expect(await editor.refused('updateProviderConfig', move)).toEqual([
      'secret BAD_USER_INPUT',
      'headers BAD_USER_INPUT',
    ]);
    expect(await editor.refused('updateProviderConfig', { ...move, secret: 'given-anew-01' })).toEqual([
      'headers BAD_USER_INPUT',
    ]);
    const { row, problems } = await editor.mutate('updateProviderConfig', {
      ...move,
      secret: 'given-anew-01',
      headers: { 'x-more': 'given-anew-02' },
    });
    expect(problems).toEqual([]);
    expect(await healthOf(editor, row.id)).toMatchObject({ state: 'HEALTHY' });
    expect(foreign.requests.at(-1)?.headers).toMatchObject({
      authorization: 'Bearer given-anew-01',
      'x-more': 'given-anew-02',
    });
    expect(leaked()).toBe(0);
  });

  test('a stored secret is not sent to another address in the settings by a key without ADMIN', async () => {
    const spec = await shared({
      settingsSchema: { type: 'object', properties: { oauthUrl: { type: 'string' } } },
    });
    const config = await configOf(spec.key, { settings: { oauthUrl: trusted.url }, headers: null });
    expect(
      await editor.refused('updateProviderConfig', {
        id: config.id,
        version: config.version,
        settings: { oauthUrl: foreign.url },
      }),
    ).toEqual(['secret BAD_USER_INPUT']);
  });

  test('a stored secret follows the address that an administrator gives a config or its provider', async () => {
    const second = await startFakeUpstream(() => LIST);
    onTestFinished(() => second.close());
    const spec = await shared();
    const config = await configOf(spec.key);
    const moved = await owner.mutate('updateProviderSpec', {
      id: spec.id,
      version: spec.version,
      baseUrl: `${second.url}/v1`,
    });
    expect(await healthOf(owner, config.id)).toMatchObject({ state: 'HEALTHY' });
    expect(second.requests.at(-1)?.headers).toMatchObject({
      authorization: `Bearer ${SECRET}`,
      'x-more': SECRET,
    });
    // A key without ADMIN moves it on: an administrator confirms it for one config by giving that its address.
    await editor.mutate('updateProviderSpec', {
      id: moved.row.id,
      version: moved.row.version,
      baseUrl: `${trusted.url}/v2`,
    });
    expect((await healthOf(owner, config.id)).state).toBe('UNHEALTHY');
    const { row } = await owner.mutate('updateProviderConfig', {
      id: config.id,
      version: config.version,
      baseUrl: null,
    });
    expect(await healthOf(owner, row.id)).toMatchObject({ state: 'HEALTHY' });
  });

  test('a stored secret follows the installation that moves its own row, for every workspace', async () => {
    const second = await startFakeUpstream(() => LIST);
    onTestFinished(() => second.close());
    const spec = await shared();
    const config = await configOf(spec.key);
    await installation.mutate('updateProviderSpec', {
      id: spec.id,
      version: spec.version,
      baseUrl: `${second.url}/v1`,
    });
    expect(await healthOf(owner, config.id)).toMatchObject({ state: 'HEALTHY' });
  });

  test('a stored secret that is kept in the environment follows administrators of the installation only', async () => {
    const spec = await shared();
    const config = await installation.config({
      providerKey: spec.key,
      secret: undefined,
      secretEnv: 'OPERATORS_KEY',
    });
    const mine = await app.graph('{ viewer { workspaceId } }');
    const here = catalogueCalls(app, await keyIn(mine.data.viewer.workspaceId));
    expect(await healthOf(here, config.id)).toMatchObject({ state: 'HEALTHY' });
    const copy = await here.mutate('updateProviderSpec', {
      id: spec.id,
      version: spec.version,
      baseUrl: `${foreign.url}/v1`,
    });
    expect((await healthOf(here, config.id)).state).toBe('UNHEALTHY');
    expect(leaked()).toBe(0);
    const { row } = await installation.mutate('updateProviderConfig', {
      id: config.id,
      version: config.version,
      baseUrl: null,
    });
    expect(await healthOf(here, row.id)).toMatchObject({ state: 'HEALTHY' });
    expect(foreign.requests.at(-1)?.headers.authorization).toBe('Bearer sk-operator-0123456789');
    await here.mutate('deleteProviderSpec', { id: copy.row.id, version: copy.row.version });
  });
});

describeEachDatabase('a database from before secrets were bound', (kind) => {
  /** Takes away what binds the secrets: a build that knew nothing of it left both columns empty. */
  const olden = async (database: TestDatabase) => {
    const storage = await openStorage({
      ...(database.url === undefined ? {} : { databaseUrl: database.url }),
      dataDir: join(database.dataDir, 'database'),
      connections: 2,
      acquireTimeoutMs: 2_000,
      statementTimeoutMs: 5_000,
      applicationName: 'modelgraph-test',
    });
    const text = 'update provider_config set secret_destination = null, headers_destination = null';
    await storage.sql.query({ name: '', text }, []);
    await storage.close();
  };

  test('a database from before secrets were bound has each secret bound at the first start to the address that its config has then', async () => {
    const trusted = await startFakeUpstream(() => LIST);
    const foreign = await startFakeUpstream(() => LIST);
    onTestFinished(async () => {
      await Promise.all([trusted.close(), foreign.close()]);
    });
    const dataDir = mkdtempSync(join(tmpdir(), 'modelgraph-bound-'));
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    const database = { ...(await createDatabase(kind)), dataDir };
    onTestFinished(() => database.drop());
    const start = () =>
      startTestApp(kind, { database, environment: { BOOTSTRAP_API_KEY: 'mg_carried-over-0123456789' } });

    const first = await start();
    const made = catalogueCalls(first, first.adminKey);
    const spec = await made.provider({ key: 'carried', baseUrl: `${trusted.url}/v1` });
    const config = await made.config({
      providerKey: 'carried',
      secret: SECRET,
      headers: { 'x-more': SECRET },
    });
    const editorKey = (
      await first.graph('mutation { createApiKey(input: {name: "Editor", scopes: [CATALOGUE]}) { secret } }')
    ).data.createApiKey.secret;
    await first.close();
    await olden(database);

    const second = await start();
    const calls = catalogueCalls(second, editorKey);
    expect(await healthOf(calls, config.id)).toMatchObject({ state: 'HEALTHY' });
    expect(trusted.requests.at(-1)?.headers).toMatchObject({
      authorization: `Bearer ${SECRET}`,
      'x-more': SECRET,
    });
    await calls.mutate('updateProviderSpec', { id: spec.id, version: spec.version, baseUrl: foreign.url });
    expect((await healthOf(calls, config.id)).state).toBe('UNHEALTHY');
    expect(foreign.requests).toEqual([]);
    await second.close();
  }, 60_000);
});
