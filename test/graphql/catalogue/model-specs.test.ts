import { beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { type CatalogueCalls, catalogueCalls } from '../../support/catalogue-calls.ts';
import { describeEachDatabase } from '../../support/databases.ts';

describeEachDatabase('model specs', (kind) => {
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

  test('model specs are made, found by id and by canonical id, changed and deleted', async () => {
    const { key } = await mine.provider();
    const made = await mine.model({
      providerKey: key,
      key: 'vendor/model-1',
      contextLength: 128_000,
      capabilities: ['tools'],
      customFields: { team: 'search', nested: { a: [1, null] } },
    });
    expect(made).toMatchObject({
      canonicalId: `${key}/vendor/model-1`,
      displayName: 'vendor/model-1',
      contextLength: 128_000,
      customFields: { team: 'search', nested: { a: [1, null] } },
      version: 1,
    });
    const { row } = await mine.mutate('updateModelSpec', {
      id: made.id,
      version: 1,
      displayName: 'Model One',
      contextLength: null,
      tags: ['fast'],
    });
    expect(row).toMatchObject({ displayName: 'Model One', contextLength: null, tags: ['fast'], version: 2 });
    const found = await mine.run(
      'query ($id: String!) { modelSpec(canonicalId: $id) { id provider { key } } }',
      {
        id: made.canonicalId,
      },
    );
    expect(found.data.modelSpec).toEqual({ id: made.id, provider: { key } });
    await mine.mutate('deleteModelSpec', { id: made.id, version: 2 });
    const gone = await mine.run('query ($id: ID!) { modelSpec(id: $id) { id } }', { id: made.id });
    expect([gone.data.modelSpec, gone.errors?.[0]?.extensions.code]).toEqual([null, 'NOT_FOUND']);
  });

  test.each([
    ['an unknown provider', { providerKey: 'nobody' }, 'providerKey BAD_USER_INPUT'],
    ['a key with a space', { key: 'a b' }, 'key BAD_USER_INPUT'],
    ['an unknown modality', { inputModalities: ['smell'] }, 'inputModalities.0 BAD_USER_INPUT'],
    ['no output at all', { outputModalities: [] }, 'outputModalities BAD_USER_INPUT'],
    ['an unknown capability', { capabilities: ['tools', 'flight'] }, 'capabilities.1 BAD_USER_INPUT'],
    ['a tag with a space', { tags: ['so so'] }, 'tags.0 BAD_USER_INPUT'],
    ['a tag that stands twice', { tags: ['a', 'a'] }, 'tags BAD_USER_INPUT'],
    ['a context of nothing', { contextLength: 0 }, 'contextLength BAD_USER_INPUT'],
    ['an unknown protocol', { protocol: 'telepathy' }, 'protocol BAD_USER_INPUT'],
    ['a date that is none', { releasedAt: '2026-02-30' }, 'releasedAt BAD_USER_INPUT'],
    ['fields that cannot be stored', { customFields: { a: '\u0000' } }, 'customFields BAD_USER_INPUT'],
  ])('model specs are refused for %s, and the field is named', async (_what, fault, expected) => {
    const { key } = await mine.provider();
    expect(await mine.refused('createModelSpec', { providerKey: key, key: 'refused', ...fault })).toEqual([
      expected,
    ]);
  });

  test('model specs exist once under a canonical id, and are kept while an instance uses them', async () => {
    const instance = await mine.instance();
    const { data } = await mine.run(
      'query ($id: ID!) { modelInstance(id: $id) { model { id version key providerKey } } }',
      {
        id: instance.id,
      },
    );
    const { id, version, key, providerKey } = data.modelInstance.model;
    expect(await mine.refused('createModelSpec', { providerKey, key })).toEqual(['key CONFLICT']);
    expect(await mine.refused('deleteModelSpec', { id, version })).toEqual(['id CONFLICT']);
  });

  test('model specs that the installation shares become the own row of a workspace that changes them', async () => {
    const { key } = await installation.provider({ key: 'shared-models', owner: 'INSTALLATION' });
    const shared = await installation.model({
      providerKey: key,
      key: 'm',
      owner: 'INSTALLATION',
      contextLength: 8,
    });
    const { row } = await mine.mutate('updateModelSpec', { id: shared.id, version: 1, contextLength: 16 });
    expect(row).toMatchObject({ owner: 'WORKSPACE', contextLength: 16, canonicalId: 'shared-models/m' });
    const context = async (calls: CatalogueCalls) =>
      (await calls.run('{ modelSpec(canonicalId: "shared-models/m") { contextLength } }')).data.modelSpec
        .contextLength;
    expect([await context(mine), await context(other)]).toEqual([16, 8]);
  });

  test('model specs have prices in versions, a workspace its own before the installation’s', async () => {
    const { key } = await installation.provider({ key: 'priced', owner: 'INSTALLATION' });
    const { canonicalId } = await installation.model({ providerKey: key, key: 'm', owner: 'INSTALLATION' });
    await installation.mutate('setPrice', { canonicalId, input: '1.5', output: '6', owner: 'INSTALLATION' });
    const { row } = await mine.mutate('setPrice', {
      canonicalId,
      input: '1',
      output: '4',
      cacheRead: '0.1',
      source: 'contract',
    });
    expect(row.price).toEqual({ input: '1', output: '4', source: 'contract', owner: 'WORKSPACE' });
    await mine.mutate('setPrice', {
      canonicalId,
      input: '0.000000001',
      output: '2',
      effectiveAt: '2099-01-01T00:00:00.000Z',
    });
    const prices = async (calls: CatalogueCalls) =>
      (
        await calls.run(
          'query ($id: String!) { modelSpec(canonicalId: $id) { prices { input } price { input } } }',
          { id: canonicalId },
        )
      ).data.modelSpec;
    expect(await prices(mine)).toEqual({
      prices: [{ input: '0.000000001' }, { input: '1' }],
      price: { input: '1' },
    });
    expect(await prices(other)).toEqual({ prices: [{ input: '1.5' }], price: { input: '1.5' } });
    expect(
      await mine.refused('setPrice', {
        canonicalId,
        input: '-1',
        output: '2000000',
        effectiveAt: '2020-01-01T00:00:00Z',
      }),
    ).toEqual(['input BAD_USER_INPUT', 'output BAD_USER_INPUT', 'effectiveAt BAD_USER_INPUT']);
    await expect(
      mine.mutate('setPrice', { canonicalId: 'no/model', input: '1', output: '1' }),
    ).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});
