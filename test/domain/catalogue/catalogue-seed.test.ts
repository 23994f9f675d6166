import { beforeAll, describe, expect, test } from 'vitest';
import {
  type CatalogueData,
  type CatalogueModel,
  type CatalogueProvider,
  loadCatalogueData,
} from '../../../src/domain/catalogue/catalogue-data.ts';
import { seedCatalogue } from '../../../src/domain/catalogue/catalogue-seed.ts';
import { newId } from '../../../src/kernel/ids.ts';
import type { Storage } from '../../../src/storage/orm.ts';
import { SeedRepository } from '../../../src/storage/repositories/seed.repository.ts';
import { describeEachDatabase, openTestStorage } from '../../support/databases.ts';

const PROVIDER: CatalogueProvider = {
  key: 'first',
  displayName: 'First',
  description: 'A provider of this test',
  category: 'lab',
  protocol: 'openai-chat',
  unservableReason: null,
  baseUrl: 'https://first.example/v1',
  auth: { type: 'none' },
  settingsSchema: { type: 'object' },
  envVars: { secret: [], settings: {} },
  docsUrl: null,
  modelsEndpoint: true,
  quirks: {},
  free: false,
  defaultModel: null,
  sources: ['this test'],
};
const MODEL: CatalogueModel = {
  provider: 'first',
  key: 'm1',
  displayName: 'Model 1',
  description: null,
  contextLength: 1000,
  maxOutputTokens: null,
  inputModalities: ['text'],
  outputModalities: ['text'],
  capabilities: ['tools'],
  prices: { input: '100', output: '200' },
  tags: [],
  strengths: [],
  weaknesses: [],
  protocol: null,
  quirks: {},
  releasedAt: '2026-01-01',
};

describeEachDatabase('the seed of the catalogue', (kind) => {
  let storage: Storage;
  let minute = 0;
  beforeAll(async () => {
    storage = await openTestStorage(kind);
  });

  const seed = (models: readonly CatalogueModel[], providers = [PROVIDER], hash = `${++minute}`) => {
    const data: CatalogueData = { version: '2026-11-20', hash, providers, models };
    const at = new Date(Date.UTC(2026, 10, 20, 0, ++minute));
    const clock = { now: () => at, monotonicMs: () => 0 };
    return seedCatalogue({ repository: new SeedRepository(storage), clock, newId }, data);
  };
  const query = <Row extends object>(text: string, values: unknown[] = []) =>
    storage.sql.query<Row>({ name: '', text }, values);
  const models = () =>
    query<Record<string, unknown>>(
      'select key, display_name, context_length, available, version from model_spec order by key',
    );
  const prices = async () =>
    (
      await query<{ input: string; source: string }>(
        'select input_nano_per_million::text as input, source from price_version order by effective_at',
      )
    ).map(({ input, source }) => `${input} ${source}`);
  const revision = async () => (await query('select * from revision'))[0];

  describe('small data', () => {
    test('the seed of the catalogue adds what is missing, and writes nothing where it is up to date', async () => {
      expect(await seed([MODEL], [PROVIDER], 'same')).toBe(true);
      expect(await models()).toEqual([
        { key: 'm1', display_name: 'Model 1', context_length: 1000, available: true, version: 1 },
      ]);
      const before = await revision();
      expect(await seed([MODEL], [PROVIDER], 'same')).toBe(false);
      expect(await revision()).toEqual(before);
    });

    test('the seed of the catalogue leaves rows as they are where only other rows changed', async () => {
      await seed([MODEL, { ...MODEL, key: 'm2' }]);
      expect((await models()).map(({ key, version }) => [key, version])).toEqual([
        ['m1', 1],
        ['m2', 1],
      ]);
      expect(await prices()).toEqual(['100 catalogue 2026-11-20', '100 catalogue 2026-11-20']);
    });

    test('the seed of the catalogue mends what changed, but never a field that somebody edited', async () => {
      await query(
        "update model_spec set display_name = 'Mine', edited_fields = '{displayName}' where key = 'm1' and workspace_id is null",
      );
      await seed([
        { ...MODEL, displayName: 'Theirs', contextLength: 2000 },
        { ...MODEL, key: 'm2' },
      ]);
      expect((await models())[0]).toEqual({
        key: 'm1',
        display_name: 'Mine',
        context_length: 2000,
        available: true,
        version: 2,
      });
    });

    test('the seed of the catalogue withdraws a model that the data has no more, and offers it again when it is back', async () => {
      await seed([MODEL]);
      expect((await models()).map(({ available }) => available)).toEqual([true, false]);
      await seed([MODEL, { ...MODEL, key: 'm2' }]);
      expect((await models()).map(({ available }) => available)).toEqual([true, true]);
    });

    test('the seed of the catalogue gives a changed price a version, and lets an administrator’s stand', async () => {
      await seed([{ ...MODEL, prices: { input: '150', output: '200' } }]);
      expect(await prices()).toEqual([
        '100 catalogue 2026-11-20',
        '100 catalogue 2026-11-20',
        '150 catalogue 2026-11-20',
      ]);
      await query(
        `insert into price_version (id, canonical_id, input_nano_per_million, output_nano_per_million, source, effective_at)
         values ($1, 'first/m1', 7, 7, 'contract', '2026-11-20T12:00:00Z')`,
        [newId()],
      );
      await seed([{ ...MODEL, prices: { input: '175', output: '200' } }]);
      expect((await prices()).at(-1)).toBe('7 contract');
    });

    test('the seed of the catalogue touches neither rows that somebody made nor a workspace’s own', async () => {
      const workspaceId = newId();
      await query("insert into workspace (id, slug, display_name) values ($1, 'w', 'W')", [workspaceId]);
      const insert = `insert into model_spec (id, workspace_id, provider_key, key, display_name) values ($1, $2, 'first', $3, 'Own')`;
      await query(insert, [newId(), workspaceId, 'm1']);
      await query(insert, [newId(), null, 'm3']);
      await seed([MODEL, { ...MODEL, key: 'm3' }]);
      expect((await models()).filter(({ display_name }) => display_name === 'Own')).toEqual([
        { key: 'm1', display_name: 'Own', context_length: null, available: true, version: 1 },
        { key: 'm3', display_name: 'Own', context_length: null, available: true, version: 1 },
      ]);
    });

    test('the seed of the catalogue adds no price to a model that an administrator made by the same name', async () => {
      await seed([MODEL, { ...MODEL, key: 'm3' }]);
      const priced = await query<{ canonical_id: string }>('select distinct canonical_id from price_version');
      expect(priced.map(({ canonical_id }) => canonical_id).sort()).toEqual(['first/m1', 'first/m2']);
    });

    test('the seed of the catalogue leaves a model available or not as somebody decided', async () => {
      const decide = (key: string, available: boolean) =>
        query(
          `update model_spec set available = $2, edited_fields = '{available}' where key = $1 and workspace_id is null`,
          [key, available],
        );
      await decide('m1', false);
      await decide('m2', true);
      await seed([MODEL]);
      const decided = await query<{ key: string; available: boolean }>(
        `select key, available from model_spec where origin = 'BUILT_IN' order by key`,
      );
      expect(decided).toEqual([
        { key: 'm1', available: false },
        { key: 'm2', available: true },
      ]);
    });

    test('the seed of the catalogue mends a provider except in what was edited, and keeps one that the data has no more', async () => {
      const second = { ...PROVIDER, key: 'second', displayName: 'Second' };
      await seed([MODEL, { ...MODEL, provider: 'second', key: 'm9' }], [PROVIDER, second]);
      await query(
        `update provider_spec set base_url = 'https://mine.example', enabled = false, edited_fields = '{baseUrl,enabled}' where key = 'first'`,
      );
      await seed([MODEL], [{ ...PROVIDER, docsUrl: 'https://docs.example', baseUrl: 'https://new.example' }]);
      expect(
        await query('select key, base_url, docs_url, enabled, version from provider_spec order by key'),
      ).toEqual([
        {
          key: 'first',
          base_url: 'https://mine.example',
          docs_url: 'https://docs.example',
          enabled: false,
          version: 2,
        },
        {
          key: 'second',
          base_url: 'https://first.example/v1',
          docs_url: null,
          enabled: true,
          version: 1,
        },
      ]);
      expect(await query(`select available from model_spec where provider_key = 'second'`)).toEqual([
        { available: false },
      ]);
    });

    test('the seed of the catalogue keeps a price’s tiers, and gives no version to a model whose price is not known', async () => {
      const tiers = [{ aboveInputTokens: 500, input: '300', output: '400', cacheRead: '30' }];
      await seed([
        { ...MODEL, key: 'm5', prices: { input: '100', output: '200', cacheRead: '10', tiers } },
        { ...MODEL, key: 'm6', prices: null },
      ]);
      expect(
        await query(
          `select canonical_id, cache_read_nano_per_million::text as cache_read, tiers from price_version
           where canonical_id in ('first/m5', 'first/m6')`,
        ),
      ).toEqual([{ canonical_id: 'first/m5', cache_read: '10', tiers }]);
    });

    test('the seed of the catalogue is done once by two nodes that start together', async () => {
      const outcomes = await Promise.all([
        seed([MODEL], [PROVIDER], 'race'),
        seed([MODEL], [PROVIDER], 'race'),
      ]);
      expect(outcomes.filter((written) => written)).toHaveLength(1);
    });
  });

  test('the seed of the catalogue takes the whole built-in data, and finds nothing to change in it when it comes again', async () => {
    const whole = await openTestStorage(kind);
    const data = await loadCatalogueData();
    const seedAt = (hash: string, minute: number) => {
      const clock = { now: () => new Date(Date.UTC(2026, 10, 20, 0, minute)), monotonicMs: () => 0 };
      return seedCatalogue({ repository: new SeedRepository(whole), clock, newId }, { ...data, hash });
    };
    const state = async () => {
      const text = `select (select count(*) from provider_spec)::int as providers,
          (select count(*) from model_spec where available)::int as models,
          (select count(*) from price_version)::int as prices,
          (select max(version) from provider_spec) as provider_version,
          (select max(version) from model_spec) as model_version,
          (select max(updated_at) from model_spec)::text as updated_at`;
      return (await whole.sql.query<Record<string, unknown>>({ name: '', text }, []))[0];
    };
    expect(await seedAt(data.hash, 1)).toBe(true);
    const first = await state();
    expect(first).toMatchObject({
      providers: data.providers.length,
      models: data.models.length,
      prices: data.models.filter(({ prices }) => prices).length,
      provider_version: 1,
      model_version: 1,
    });
    expect(data.models.length).toBeGreaterThanOrEqual(1200);
    expect(await seedAt('the same under another digest', 2)).toBe(true);
    expect(await state()).toEqual(first);
  });
});
