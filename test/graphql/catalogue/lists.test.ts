import { beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { type CatalogueCalls, catalogueCalls } from '../../support/catalogue-calls.ts';
import { describeEachDatabase } from '../../support/databases.ts';

const PAGE = `query ($first: Int, $after: String, $last: Int, $before: String, $orderBy: ModelSpecOrderInput, $filter: ModelSpecFilterInput) {
  modelSpecs(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy, filter: $filter) {
    totalCount
    nodes { key }
    edges { cursor node { key } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;
const MODELS = [
  { key: 'a', displayName: 'Zeta', contextLength: 8_000, tags: ['fast'], capabilities: ['tools'] },
  {
    key: 'b',
    displayName: 'alpha',
    contextLength: 128_000,
    tags: ['fast', 'cheap'],
    capabilities: ['tools', 'vision'],
  },
  { key: 'c', displayName: 'Beta', inputModalities: ['text', 'image'], releasedAt: '2026-01-02' },
  { key: 'd', displayName: 'alpha', contextLength: 32_000, available: false, releasedAt: '2025-05-05' },
  { key: 'e', displayName: 'Pictures_100%', outputModalities: ['image'] },
];

describeEachDatabase('lists of the catalogue', (kind) => {
  let app: TestApp;
  let mine: CatalogueCalls;
  const statements: string[] = [];

  beforeAll(async () => {
    app = await startTestApp(kind, { overrides: { onStatement: (sql) => statements.push(sql) } });
    mine = catalogueCalls(app, (await app.createWorkspace(['CATALOGUE'])).key);
    await mine.provider({ key: 'listed' });
    for (const model of MODELS) await mine.model({ providerKey: 'listed', ...model });
    await mine.mutate('setPrice', { canonicalId: 'listed/a', input: '3', output: '15' });
    await mine.mutate('setPrice', { canonicalId: 'listed/b', input: '0.5', output: '20' });
  });

  const page = async (variables: Record<string, unknown>) => {
    const filter = { providerKeys: ['listed'], ...(variables.filter as object) };
    const answer = await mine.run(PAGE, { ...variables, filter });
    if (answer.errors) throw new Error(answer.errors.map(({ message }) => message).join());
    return answer.data.modelSpecs;
  };
  const keys = async (variables: Record<string, unknown>) =>
    (await page(variables)).nodes.map(({ key }: { key: string }) => key).join('');

  test.each([
    ['NAME', 'bdcea'],
    ['CANONICAL_ID', 'abcde'],
    ['CONTEXT_LENGTH', 'ceadb'],
    ['INPUT_PRICE', 'bacde'],
    ['OUTPUT_PRICE', 'abcde'],
    ['RELEASED_AT', 'abedc'],
    ['CREATED_AT', 'abcde'],
  ])(
    'lists of the catalogue are ordered by %s either way, equals by when they were made',
    async (field, expected) => {
      expect(await keys({ orderBy: { field } })).toBe(expected);
      const reversed = [...expected].reverse().join('');
      expect(await keys({ orderBy: { field, direction: 'DESC' } })).toBe(reversed);
    },
  );

  test.each([
    [{ search: 'ALPHA' }, 'bd'],
    [{ search: '_100%' }, 'e'],
    [{ search: 'listed/a' }, 'a'],
    [{ capabilities: ['tools', 'vision'] }, 'b'],
    [{ inputModalities: ['image'] }, 'c'],
    [{ outputModalities: ['image'] }, 'e'],
    [{ tags: ['fast'] }, 'ba'],
    [{ minContextLength: 32_000 }, 'bd'],
    [{ maxInputPrice: '2.99' }, 'b'],
    [{ maxInputPrice: '3', maxOutputPrice: '15' }, 'a'],
    [{ available: false }, 'd'],
    [{ canonicalIds: ['listed/a', 'listed/c', 'no/model'] }, 'ca'],
    [{ origin: 'BUILT_IN' }, ''],
  ])('lists of the catalogue fit the filter %j', async (filter, expected) => {
    const { nodes, totalCount } = await page({ filter });
    expect(nodes.map(({ key }: { key: string }) => key).join('')).toBe(expected);
    expect(totalCount).toBe(expected.length);
  });

  test.each(['NAME', 'INPUT_PRICE', 'CREATED_AT', 'RELEASED_AT'])(
    'lists of the catalogue are walked by %s forwards and backwards, each row once',
    async (field) => {
      const orderBy = { field, direction: 'DESC' };
      const all = await keys({ orderBy });
      let forwards = '';
      for (let after: string | null = null; ; ) {
        const { nodes, pageInfo } = await page({ orderBy, first: 2, after });
        forwards += nodes.map(({ key }: { key: string }) => key).join('');
        expect(pageInfo.hasPreviousPage).toBe(after !== null);
        if (!pageInfo.hasNextPage) break;
        after = pageInfo.endCursor;
      }
      expect(forwards).toBe(all);
      let backwards = '';
      for (let before: string | null = null; ; ) {
        const { nodes, pageInfo } = await page({ orderBy, last: 2, before });
        backwards = nodes.map(({ key }: { key: string }) => key).join('') + backwards;
        if (!pageInfo.hasPreviousPage) break;
        before = pageInfo.startCursor;
      }
      expect(backwards).toBe(all);
    },
  );

  test.each([
    [{ first: 0 }, 'first'],
    [{ first: 101 }, 'first'],
    [{ last: 101 }, 'last'],
    [{ first: 1, last: 1 }, 'last'],
    [{ first: 1, after: 'nonsense' }, 'after'],
    [{ last: 1, after: 'x' }, 'after'],
  ])('lists of the catalogue refuse the arguments %j and name the one', async (variables, path) => {
    const { errors } = await mine.run(PAGE, variables);
    expect(errors?.map(({ extensions }) => [extensions.code, extensions.path])).toEqual([
      ['BAD_USER_INPUT', path],
    ]);
  });

  test('lists of the catalogue refuse a cursor of another order', async () => {
    const { pageInfo } = await page({ first: 1 });
    const { errors } = await mine.run(PAGE, { after: pageInfo.endCursor, orderBy: { field: 'CREATED_AT' } });
    expect(errors?.[0]?.extensions.path).toBe('after');
  });

  test('lists of the catalogue that nothing fits are empty', async () => {
    const answer = await mine.run(
      '{ providerConfigs(filter: { search: "nothing" }) { totalCount nodes { id } edges { cursor } pageInfo { hasNextPage startCursor } } }',
    );
    expect(answer.data.providerConfigs).toEqual({
      totalCount: 0,
      nodes: [],
      edges: [],
      pageInfo: { hasNextPage: false, startCursor: null },
    });
  });

  describe('statements of lists', () => {
    let many: CatalogueCalls;
    beforeAll(async () => {
      many = catalogueCalls(app, (await app.createWorkspace(['CATALOGUE'])).key);
      for (let p = 0; p < 50; p += 1) {
        const config = await many.config();
        const canonicalIds: string[] = [];
        for (let m = 0; m < 3; m += 1) {
          canonicalIds.push((await many.model({ providerKey: config.providerKey })).canonicalId);
        }
        for (const canonicalId of canonicalIds.slice(0, 2)) {
          await many.instance({ configId: config.id, canonicalId });
        }
      }
    }, 120_000);

    const counted = async (query: string) => {
      statements.length = 0;
      const answer = await many.run(query);
      expect(answer.errors).toBeUndefined();
      return { data: answer.data, count: statements.length };
    };

    test('a list takes few statements for 100 instances with config, spec and model', async () => {
      const { data, count } = await counted(`{ modelInstances(first: 100) {
        totalCount
        nodes { slug config { name provider { key displayName } } model { canonicalId contextLength } }
      } }`);
      expect(data.modelInstances.totalCount).toBe(100);
      expect(data.modelInstances.nodes).toHaveLength(100);
      for (const { config, model } of data.modelInstances.nodes) {
        expect(model.canonicalId.startsWith(`${config.provider.key}/`)).toBe(true);
      }
      expect(count).toBeLessThanOrEqual(5);
      expect(count).toBeGreaterThan(0);
    });

    test('a list takes few statements for 50 specs with the first 10 models of each', async () => {
      const { data, count } = await counted(`{ providerSpecs(first: 50) {
        totalCount
        nodes { key models(first: 10) { totalCount nodes { providerKey canonicalId } pageInfo { hasNextPage } } }
      } }`);
      expect(data.providerSpecs.nodes).toHaveLength(50);
      for (const { key, models } of data.providerSpecs.nodes) {
        expect(models).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: false } });
        expect(models.nodes.map(({ providerKey }: { providerKey: string }) => providerKey)).toEqual([
          key,
          key,
          key,
        ]);
      }
      expect(count).toBeLessThanOrEqual(5);
    });

    test('lists take few statements for the prices and instances of 50 models, and for 100 nodes', async () => {
      const { data, count } = await counted(
        '{ modelSpecs(first: 50) { nodes { id price { input } instances(first: 1) { totalCount nodes { slug } } } } }',
      );
      expect(count).toBeLessThanOrEqual(5);
      const ids = data.modelSpecs.nodes.map(({ id }: { id: string }) => id);
      const nodes = await counted(
        `{ nodes(ids: ${JSON.stringify(ids)}) { __typename ... on ModelSpec { canonicalId } } }`,
      );
      expect(nodes.data.nodes).toHaveLength(50);
      expect(nodes.count).toBe(1);
    });
  });

  test('a list of nodes gives null with one error for what does not exist', async () => {
    const { id } = await mine.provider();
    const answer = await mine.run('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
      ids: [id, 'nonsense', id],
    });
    expect(answer.data.nodes).toEqual([{ id }, null, { id }]);
    expect(answer.errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [['nodes', 1], 'NOT_FOUND'],
    ]);
  });
});
