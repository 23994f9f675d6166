import { beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { type CatalogueCalls, catalogueCalls } from '../../support/catalogue-calls.ts';
import { describeEachDatabase } from '../../support/databases.ts';

describeEachDatabase('provider specs', (kind) => {
  let app: TestApp;
  let installation: CatalogueCalls;
  let mine: CatalogueCalls;
  let other: CatalogueCalls;

  beforeAll(async () => {
    app = await startTestApp(kind);
    installation = catalogueCalls(app, app.adminKey);
    mine = catalogueCalls(app, (await app.createWorkspace(['CATALOGUE'])).key);
    other = catalogueCalls(app, (await app.createWorkspace(['CATALOGUE'])).key);
  });

  const find = async (calls: CatalogueCalls, key: string) =>
    (
      await calls.run('query ($key: String!) { providerSpec(key: $key) { id displayName owner baseUrl } }', {
        key,
      })
    ).data.providerSpec;

  test('provider specs are made, found by id and by key, changed and deleted', async () => {
    const made = await mine.provider({ key: 'own-server', displayName: 'Own server' });
    expect(made).toMatchObject({ key: 'own-server', version: 1, owner: 'WORKSPACE', enabled: true });
    const byId = await mine.run(
      'query ($id: ID!) { providerSpec(id: $id) { key } node(id: $id) { __typename id } }',
      {
        id: made.id,
      },
    );
    expect(byId.data).toEqual({
      providerSpec: { key: 'own-server' },
      node: { __typename: 'ProviderSpec', id: made.id },
    });
    const { row } = await mine.mutate('updateProviderSpec', {
      id: made.id,
      version: 1,
      displayName: 'Renamed',
      baseUrl: null,
    });
    expect(row).toMatchObject({
      id: made.id,
      version: 2,
      displayName: 'Renamed',
      baseUrl: null,
      protocol: 'openai-chat',
    });
    expect(new Date(row.updatedAt).getTime()).toBeGreaterThanOrEqual(new Date(row.createdAt).getTime());
    await mine.mutate('deleteProviderSpec', { id: made.id, version: 2 });
    expect(await find(mine, 'own-server')).toBeNull();
  });

  test.each([
    ['a key with a slash', { key: 'a/b' }, 'key BAD_USER_INPUT'],
    ['an unknown protocol', { protocol: 'telepathy' }, 'protocol BAD_USER_INPUT'],
    ['an empty name', { displayName: ' ' }, 'displayName BAD_USER_INPUT'],
    ['an address that is no URL', { baseUrl: 'api.example.com' }, 'baseUrl BAD_USER_INPUT'],
    ['an address with credentials', { baseUrl: 'https://u:p@example.com' }, 'baseUrl BAD_USER_INPUT'],
    [
      'a placeholder that is no setting',
      { baseUrl: 'https://{region}.example.com' },
      'baseUrl BAD_USER_INPUT',
    ],
    [
      'settings that are no JSON Schema',
      { settingsSchema: { type: 'object', properties: 1 } },
      'settingsSchema BAD_USER_INPUT',
    ],
    ['settings that are no object', { settingsSchema: { type: 'string' } }, 'settingsSchema BAD_USER_INPUT'],
    ['an unknown way to sign in', { auth: { type: 'magic' } }, 'auth.type BAD_USER_INPUT'],
    [
      'a header that is none',
      { auth: { type: 'header', header: 'X Key', prefix: '' } },
      'auth.header BAD_USER_INPUT',
    ],
    ['an unknown category', { category: 'zoo' }, 'category BAD_USER_INPUT'],
  ])('provider specs are refused for %s, and the field is named', async (_what, fault, expected) => {
    const input = { key: 'refused', displayName: 'Refused', protocol: 'openai-chat', ...fault };
    expect(await mine.refused('createProviderSpec', input)).toEqual([expected]);
  });

  test('provider specs tell every problem at once, each with its mend', async () => {
    const { problems } = await mine.mutate('createProviderSpec', {
      key: 'A',
      displayName: '',
      protocol: 'x',
    });
    expect(problems.map(({ field }) => field)).toEqual([['key'], ['displayName'], ['protocol']]);
    expect(problems[2]?.message).toContain('openai-chat');
  });

  test('provider specs have a key of their own in each workspace', async () => {
    await mine.provider({ key: 'twice' });
    expect(
      await mine.refused('createProviderSpec', { key: 'twice', displayName: 'x', protocol: 'openai-chat' }),
    ).toEqual(['key CONFLICT']);
    await other.provider({ key: 'twice' });
  });

  test('provider specs of another workspace answer NOT_FOUND', async () => {
    const made = await mine.provider();
    const answer = await other.run('query ($id: ID!) { providerSpec(id: $id) { key } }', { id: made.id });
    expect(answer.data.providerSpec).toBeNull();
    expect(answer.errors?.map(({ extensions, path }) => [extensions.code, path])).toEqual([
      ['NOT_FOUND', ['providerSpec']],
    ]);
    await expect(other.mutate('updateProviderSpec', { id: made.id, version: 1 })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(other.mutate('deleteProviderSpec', { id: made.id, version: 1 })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('provider specs that were changed since are not overwritten', async () => {
    const made = await mine.provider();
    const changes = [1, 2, 3].map((n) =>
      mine.mutate('updateProviderSpec', { id: made.id, version: 1, displayName: `Change ${n}` }),
    );
    const outcomes = (await Promise.all(changes)).map(({ problems }) =>
      problems.map(({ code }) => code).join(),
    );
    expect(outcomes.sort()).toEqual(['', 'CONFLICT', 'CONFLICT']);
    expect(await mine.refused('deleteProviderSpec', { id: made.id, version: 1 })).toEqual([
      'version CONFLICT',
    ]);
  });

  describe('shared provider specs', () => {
    test('shared provider specs are seen by every workspace, and made by its administrators only', async () => {
      await installation.provider({ key: 'shared-seen', owner: 'INSTALLATION' });
      expect(await find(mine, 'shared-seen')).toMatchObject({ owner: 'INSTALLATION' });
      await expect(mine.provider({ key: 'shared-refused', owner: 'INSTALLATION' })).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
    });

    test('shared provider specs become the own row of a workspace that changes them, for it alone', async () => {
      const shared = await installation.provider({ key: 'shared-copied', owner: 'INSTALLATION' });
      const { row } = await mine.mutate('updateProviderSpec', {
        id: shared.id,
        version: shared.version,
        baseUrl: 'http://127.0.0.1:10/v1',
      });
      expect(row).toMatchObject({ key: 'shared-copied', owner: 'WORKSPACE', version: 1 });
      expect(row.id).not.toBe(shared.id);
      expect(await find(mine, 'shared-copied')).toMatchObject({ baseUrl: 'http://127.0.0.1:10/v1' });
      expect(await find(other, 'shared-copied')).toMatchObject({ baseUrl: 'http://127.0.0.1:9/v1' });
      const list = await mine.run(
        '{ providerSpecs(filter: { keys: ["shared-copied"] }) { totalCount nodes { owner } } }',
      );
      expect(list.data.providerSpecs).toEqual({ totalCount: 1, nodes: [{ owner: 'WORKSPACE' }] });
      expect(await mine.refused('updateProviderSpec', { id: shared.id, version: 1 })).toEqual([
        'id CONFLICT',
      ]);
      await mine.mutate('deleteProviderSpec', { id: row.id, version: 1 });
      expect(await find(mine, 'shared-copied')).toMatchObject({ owner: 'INSTALLATION' });
    });

    test('shared provider specs are changed in place by an administrator of the installation, unless it wants a copy', async () => {
      const shared = await installation.provider({ key: 'shared-changed', owner: 'INSTALLATION' });
      const changed = await installation.mutate('updateProviderSpec', {
        id: shared.id,
        version: 1,
        displayName: 'A',
      });
      expect(changed.row).toMatchObject({ id: shared.id, owner: 'INSTALLATION', version: 2 });
      expect(await find(other, 'shared-changed')).toMatchObject({ displayName: 'A' });
      const copied = await installation.mutate('updateProviderSpec', {
        id: shared.id,
        version: 2,
        displayName: 'B',
        owner: 'WORKSPACE',
      });
      expect(copied.row).toMatchObject({ owner: 'WORKSPACE', displayName: 'B' });
      expect(await find(other, 'shared-changed')).toMatchObject({ displayName: 'A' });
    });

    test('shared provider specs are not deleted by a workspace', async () => {
      const shared = await installation.provider({ key: 'shared-kept', owner: 'INSTALLATION' });
      await expect(mine.mutate('deleteProviderSpec', { id: shared.id, version: 1 })).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
    });
  });

  test('provider specs that a config uses are kept, unless a shared one stands behind them', async () => {
    const used = await mine.provider();
    await mine.config({ providerKey: used.key });
    expect(await mine.refused('deleteProviderSpec', { id: used.id, version: 1 })).toEqual(['id CONFLICT']);
    const shared = await installation.provider({ key: 'shared-behind', owner: 'INSTALLATION' });
    const { row: own } = await mine.mutate('updateProviderSpec', {
      id: shared.id,
      version: 1,
      displayName: 'Own',
    });
    await mine.config({ providerKey: 'shared-behind' });
    expect(await installation.refused('deleteProviderSpec', { id: shared.id, version: 1 })).toEqual([
      'id CONFLICT',
    ]);
    await mine.mutate('deleteProviderSpec', { id: own.id, version: 1 });
  });

  test('provider specs are changed with scope CATALOGUE or ADMIN only, and read with any', async () => {
    for (const scope of ['RUN', 'READ']) {
      const calls = catalogueCalls(app, (await app.createWorkspace([scope])).key);
      await expect(calls.provider()).rejects.toMatchObject({ code: 'FORBIDDEN' });
      expect((await calls.run('{ providerSpecs { totalCount } }')).errors).toBeUndefined();
    }
  });

  test('provider specs are looked up by either id or key', async () => {
    const answer = await mine.run(
      '{ a: providerSpec { key } b: providerSpec(id: "x", key: "y") { key } c: providerSpec(id: "nonsense") { key } }',
    );
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual([
      'BAD_USER_INPUT',
      'BAD_USER_INPUT',
      'NOT_FOUND',
    ]);
  });
});
