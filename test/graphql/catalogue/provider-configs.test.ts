import { beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { type CatalogueCalls, catalogueCalls } from '../../support/catalogue-calls.ts';
import { describeEachDatabase } from '../../support/databases.ts';

const SECRET = 'sk-canary-0123456789-wxyz';

describeEachDatabase('provider configs', (kind) => {
  let app: TestApp;
  let mine: CatalogueCalls;
  let admin: CatalogueCalls;
  let other: CatalogueCalls;
  const statements: string[] = [];

  beforeAll(async () => {
    app = await startTestApp(kind, {
      environment: { PRIVATE_UPSTREAMS: '127.0.0.0/8' },
      overrides: { onStatement: (sql) => statements.push(sql) },
    });
    admin = catalogueCalls(app, app.adminKey);
    mine = catalogueCalls(app, (await app.createWorkspace(['CATALOGUE'])).key);
    other = catalogueCalls(app, (await app.createWorkspace(['CATALOGUE'])).key);
  });

  test('provider configs are made, found by id and by name, changed and deleted', async () => {
    const provider = await mine.provider();
    const made = await mine.config({
      name: 'Main',
      providerSpecId: provider.id,
      timeLimits: { totalMs: 9000 },
    });
    expect(made).toMatchObject({
      name: 'Main',
      providerKey: provider.key,
      version: 1,
      enabled: true,
      health: { state: 'UNKNOWN' },
      timeLimits: { connectMs: null, totalMs: 9000 },
    });
    const { row } = await mine.mutate('updateProviderConfig', {
      id: made.id,
      version: 1,
      name: 'Renamed',
      enabled: false,
    });
    expect(row).toMatchObject({ name: 'Renamed', enabled: false, version: 2, hasSecret: true });
    const found = await mine.run('{ providerConfig(name: "Renamed") { id provider { key } } }');
    expect(found.data.providerConfig).toEqual({ id: made.id, provider: { key: provider.key } });
    await mine.mutate('deleteProviderConfig', { id: made.id, version: 2 });
    const gone = await mine.run('{ providerConfig(name: "Renamed") { id } }');
    expect(gone.data.providerConfig).toBeNull();
    expect(gone.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
  });

  test('provider configs take secrets in and never give them out, neither in answers nor in what the database sees', async () => {
    const made = await mine.config({ secret: SECRET, headers: { 'x-canary': SECRET } });
    expect(made).toMatchObject({ hasSecret: true, secretHint: 'wxyz', secretEnv: null, hasHeaders: true });
    const all = await mine.run(
      '{ providerConfigs(first: 100) { nodes { id name secretHint settings hasHeaders } } }',
    );
    expect(JSON.stringify(all)).not.toContain(SECRET);
    expect(statements.length).toBeGreaterThan(0);
    expect(statements.join('\n')).not.toContain(SECRET);
    const { row } = await mine.mutate('updateProviderConfig', {
      id: made.id,
      version: 1,
      secret: null,
      headers: null,
    });
    expect(row).toMatchObject({ hasSecret: false, secretHint: null, hasHeaders: false });
  });

  test('provider configs hint at no short secret', async () => {
    expect(await mine.config({ secret: 'short-secret' })).toMatchObject({
      hasSecret: true,
      secretHint: null,
    });
  });

  test.each([
    ['an empty name', { name: '' }, 'name BAD_USER_INPUT'],
    ['an address that is no URL', { baseUrl: 'ftp://x' }, 'baseUrl BAD_USER_INPUT'],
    ['a placeholder in its address', { baseUrl: 'https://{x}.example.com' }, 'baseUrl BAD_USER_INPUT'],
    ['a metadata address', { baseUrl: 'http://169.254.169.254/v1' }, 'baseUrl BAD_USER_INPUT'],
    ['a private address in IPv6', { baseUrl: 'http://[fd00::1]/v1' }, 'baseUrl BAD_USER_INPUT'],
    ['an empty secret', { secret: '  ' }, 'secret BAD_USER_INPUT'],
    ['a header that is none', { headers: { 'bad name': 'x' } }, 'headers.bad name BAD_USER_INPUT'],
    ['a header on two lines', { headers: { a: 'x\r\ny' } }, 'headers.a BAD_USER_INPUT'],
    ['a time limit of nothing', { timeLimits: { totalMs: 0 } }, 'timeLimits.totalMs BAD_USER_INPUT'],
    ['a setting that the provider lacks', { settings: { zone: 'x' } }, 'settings.zone BAD_USER_INPUT'],
    ['the environment of the operator', { secretEnv: 'HOME' }, 'secretEnv BAD_USER_INPUT'],
  ])('provider configs are refused for %s, and the field is named', async (_what, fault, expected) => {
    const { key } = await mine.provider();
    expect(
      await mine.refused('createProviderConfig', { name: 'Refused', providerKey: key, ...fault }),
    ).toEqual([expected]);
  });

  test('provider configs keep to the JSON Schema of their provider, when made and when changed', async () => {
    const { key } = await mine.provider({
      baseUrl: 'https://{region}.example.com',
      settingsSchema: {
        type: 'object',
        properties: { region: { type: 'string', pattern: '^[a-z]+$' }, tier: { enum: ['a', 'b'] } },
        required: ['region'],
        additionalProperties: false,
      },
    });
    const input = { name: 'Settings', providerKey: key };
    expect(await mine.refused('createProviderConfig', input)).toEqual(['settings.region BAD_USER_INPUT']);
    expect(
      await mine.refused('createProviderConfig', { ...input, settings: { region: 'EU', tier: 'c' } }),
    ).toEqual(expect.arrayContaining(['settings.region BAD_USER_INPUT', 'settings.tier BAD_USER_INPUT']));
    const made = await mine.config({ ...input, settings: { region: 'eu' } });
    expect(
      await mine.refused('updateProviderConfig', { id: made.id, version: 1, secret: 'again', settings: {} }),
    ).toEqual(['settings.region BAD_USER_INPUT']);
  });

  test('provider configs need a provider that exists, is switched on, and has an address', async () => {
    expect(await mine.refused('createProviderConfig', { name: 'x', providerKey: 'nothing' })).toEqual([
      'providerKey BAD_USER_INPUT',
    ]);
    expect(await mine.refused('createProviderConfig', { name: 'x' })).toEqual(['providerKey BAD_USER_INPUT']);
    const off = await mine.provider({ enabled: false });
    expect(await mine.refused('createProviderConfig', { name: 'x', providerKey: off.key })).toEqual([
      'providerKey BAD_USER_INPUT',
    ]);
    const nowhere = await mine.provider({ baseUrl: null });
    expect(await mine.refused('createProviderConfig', { name: 'x', providerKey: nowhere.key })).toEqual([
      'baseUrl BAD_USER_INPUT',
    ]);
  });

  test('provider configs have a name of their own in a workspace', async () => {
    const { key } = await mine.provider();
    await mine.config({ name: 'Taken', providerKey: key });
    expect(await mine.refused('createProviderConfig', { name: 'Taken', providerKey: key })).toEqual([
      'name CONFLICT',
    ]);
    const second = await mine.config({ name: 'Free', providerKey: key });
    expect(await mine.refused('updateProviderConfig', { id: second.id, version: 1, name: 'Taken' })).toEqual([
      'name CONFLICT',
    ]);
    await other.config({ name: 'Taken' });
  });

  test('provider configs send a stored secret to a new address only on the word of an administrator', async () => {
    const made = await mine.config();
    const move = { id: made.id, version: 1, baseUrl: 'http://127.0.0.1:11/v1' };
    expect(await mine.refused('updateProviderConfig', move)).toEqual(['secret BAD_USER_INPUT']);
    const { row } = await mine.mutate('updateProviderConfig', { ...move, secret: 'sk-given-again-0001' });
    expect(row).toMatchObject({ baseUrl: 'http://127.0.0.1:11/v1', secretHint: '0001' });
    const owned = await admin.config();
    const moved = await admin.mutate('updateProviderConfig', { ...move, id: owned.id });
    expect(moved.problems).toEqual([]);
  });

  test('provider configs may refer to the environment where an administrator of the installation says so', async () => {
    const made = await admin.config({ secret: undefined, secretEnv: 'SOME_PROVIDER_KEY' });
    expect(made).toMatchObject({ hasSecret: true, secretEnv: 'SOME_PROVIDER_KEY', secretHint: null });
  });

  test('provider configs that an instance uses are kept', async () => {
    const instance = await mine.instance();
    const { data } = await mine.run('query ($id: ID!) { modelInstance(id: $id) { config { id version } } }', {
      id: instance.id,
    });
    expect(await mine.refused('deleteProviderConfig', data.modelInstance.config)).toEqual(['id CONFLICT']);
  });

  test('provider configs of another workspace answer NOT_FOUND', async () => {
    const made = await mine.config();
    const seen = await other.run('query ($id: ID!) { node(id: $id) { id } }', { id: made.id });
    expect(seen.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    await expect(other.mutate('updateProviderConfig', { id: made.id, version: 1 })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    const model = await other.model();
    expect(
      await other.refused('createModelInstance', {
        slug: 'x',
        configId: made.id,
        canonicalId: model.canonicalId,
      }),
    ).toEqual(['configId BAD_USER_INPUT']);
  });
});
