import { beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { type CatalogueCalls, catalogueCalls } from '../../support/catalogue-calls.ts';
import { describeEachDatabase } from '../../support/databases.ts';

describeEachDatabase('model instances', (kind) => {
  let app: TestApp;
  let mine: CatalogueCalls;
  let other: CatalogueCalls;

  beforeAll(async () => {
    app = await startTestApp(kind);
    mine = catalogueCalls(app, (await app.createWorkspace(['CATALOGUE'])).key);
    other = catalogueCalls(app, (await app.createWorkspace(['CATALOGUE'])).key);
  });

  test('model instances are made, found by id and by slug, changed and deleted', async () => {
    const made = await mine.instance({
      slug: 'chat',
      priority: 10,
      tags: ['cheap'],
      defaultParameters: { temperature: 0.2, stop: ['END'], reasoningEffort: 'LOW' },
      customFields: { owner: 'a' },
    });
    expect(made).toMatchObject({
      slug: 'chat',
      displayName: 'chat',
      priority: 10,
      weight: 1,
      defaultParameters: { temperature: 0.2, stop: ['END'], reasoningEffort: 'low' },
      customFields: { owner: 'a' },
    });
    const { row } = await mine.mutate('updateModelInstance', {
      id: made.id,
      version: 1,
      weight: 0,
      enabled: false,
      free: true,
    });
    expect(row).toMatchObject({ weight: 0, enabled: false, free: true, priority: 10, version: 2 });
    const found = await mine.run(
      '{ modelInstance(slug: "chat") { id model { canonicalId } config { name } } }',
    );
    expect(found.data.modelInstance).toMatchObject({ id: made.id, model: { canonicalId: made.canonicalId } });
    await mine.mutate('deleteModelInstance', { id: made.id, version: 2 });
    const gone = await mine.run('{ modelInstance(slug: "chat") { id } }');
    expect([gone.data.modelInstance, gone.errors?.[0]?.extensions.code]).toEqual([null, 'NOT_FOUND']);
  });

  test.each([
    ['a slug in capitals', { slug: 'Chat' }, 'slug BAD_USER_INPUT'],
    ['the reserved slug', { slug: 'auto' }, 'slug BAD_USER_INPUT'],
    ['a negative weight', { weight: -1 }, 'weight BAD_USER_INPUT'],
    [
      'a temperature beyond 2',
      { defaultParameters: { temperature: 3 } },
      'defaultParameters.temperature BAD_USER_INPUT',
    ],
    [
      'a default beyond the model’s output',
      { defaultParameters: { maxTokens: 101 } },
      'defaultParameters.maxTokens BAD_USER_INPUT',
    ],
    ['a model that is not there', { canonicalId: 'no/model' }, 'canonicalId BAD_USER_INPUT'],
    ['a config that is not there', { configId: 'nonsense' }, 'configId BAD_USER_INPUT'],
  ])('model instances are refused for %s, and the field is named', async (_what, fault, expected) => {
    const config = await mine.config();
    const { canonicalId } = await mine.model({ providerKey: config.providerKey, maxOutputTokens: 100 });
    const input = { slug: 'refused', configId: config.id, canonicalId, ...fault };
    expect(await mine.refused('createModelInstance', input)).toEqual([expected]);
  });

  test('model instances join a config with a model of the same provider only', async () => {
    const config = await mine.config();
    const { canonicalId } = await mine.model();
    expect(
      await mine.refused('createModelInstance', { slug: 'mixed', configId: config.id, canonicalId }),
    ).toEqual(['canonicalId BAD_USER_INPUT']);
    const made = await mine.instance();
    expect(
      await mine.refused('updateModelInstance', { id: made.id, version: 1, configId: config.id }),
    ).toEqual(['canonicalId BAD_USER_INPUT']);
  });

  test('model instances have a slug of their own in a workspace', async () => {
    const made = await mine.instance({ slug: 'taken' });
    const second = await mine.instance();
    expect(await mine.refused('updateModelInstance', { id: second.id, version: 1, slug: 'taken' })).toEqual([
      'slug CONFLICT',
    ]);
    await other.instance({ slug: 'taken' });
    await expect(other.mutate('updateModelInstance', { id: made.id, version: 1 })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('model instances of models without text output can be made, and are found by tag', async () => {
    const config = await mine.config();
    const model = await mine.model({ providerKey: config.providerKey, outputModalities: ['image'] });
    await mine.instance({
      configId: config.id,
      canonicalId: model.canonicalId,
      tags: ['pictures'],
      priority: 3,
    });
    const { data } = await mine.run(
      '{ modelInstances(filter: { tags: ["pictures"] }) { nodes { priority model { outputModalities } } } }',
    );
    expect(data.modelInstances.nodes).toEqual([{ priority: 3, model: { outputModalities: ['image'] } }]);
  });
});
