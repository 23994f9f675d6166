import { beforeAll, describe, expect, test } from 'vitest';
import {
  type CatalogueData,
  type CatalogueModel,
  type CatalogueProvider,
  loadCatalogueData,
} from '../../../src/domain/catalog/catalogue-data.ts';
import { seedCatalogue } from '../../../src/domain/catalog/catalogue-seed.ts';
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

  describe('of small data', () => {
    test('adds what is missing, and writes nothing where it is up to date', async () => {
      expect(await seed([MODEL], [PROVIDER], 'same')).toBe(true);
      expect(await models()).toEqual([
        { key: 'm1', display_name: 'Model 1', context_length: 1000, available: true, version: 1 },
      ]);
      const before = await revision();
      expect(await seed([MODEL], [PROVIDER], 'same')).toBe(false);
      expect(await revision()).toEqual(before);
    });

    test('leaves rows as they are where only other rows changed', async () => {
      await seed([MODEL, { ...MODEL, key: 'm2' }]);
      expect((await models()).map(({ key, version }) => [key, version])).toEqual([
        ['m1', 1],
        ['m2', 1],
      ]);
      expect(await prices()).toEqual(['100 catalogue 2026-11-20', '100 catalogue 2026-11-20']);
    });

    test('mends what changed, but never a field that somebody edited', async () => {
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

    test('withdraws a model that the data has no more, and offers it again when it is back', async () => {
      await seed([MODEL]);
      expect((await models()).map(({ available }) => available)).toEqual([true, false]);
      await seed([MODEL, { ...MODEL, key: 'm2' }]);
      expect((await models()).map(({ available }) => available)).toEqual([true, true]);
    });

    test('gives a changed price a version, and lets an administrator’s stand', async () => {
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

    test('touches neither rows that somebody made nor a workspace’s own', async () => {
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

    test('is done once by two nodes that start together', async () => {
      const outcomes = await Promise.all([
        seed([MODEL], [PROVIDER], 'race'),
        seed([MODEL], [PROVIDER], 'race'),
      ]);
      expect(outcomes.filter((written) => written)).toHaveLength(1);
    });
  });

  test('takes the whole built-in data', async () => {
    const whole = await openTestStorage(kind);
    const data = await loadCatalogueData();
    const clock = { now: () => new Date(), monotonicMs: () => 0 };
    await seedCatalogue({ repository: new SeedRepository(whole), clock, newId }, data);
    const counts = await whole.sql.query(
      {
        name: '',
        text: 'select (select count(*) from provider_spec)::int as providers, (select count(*) from model_spec)::int as models',
      },
      [],
    );
    expect(counts).toEqual([{ providers: data.providers.length, models: data.models.length }]);
    expect(data.providers.length).toBeGreaterThanOrEqual(150);
    expect(data.models.length).toBeGreaterThanOrEqual(1200);
  });
});
