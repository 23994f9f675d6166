import { beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { type CatalogueCalls, catalogueCalls } from '../../support/catalogue-calls.ts';
import { describeEachDatabase } from '../../support/databases.ts';

/** As deep as the door lets pass; what is deeper it refuses as a whole. */
const deep = JSON.parse(`${'{"a":'.repeat(100)}1${'}'.repeat(100)}`);
const ESCAPES = { pattern: '^[^\\u0000-\\u001f]*$', note: '\\ud83d' };

describeEachDatabase('an input from outside', (kind) => {
  let app: TestApp;
  let mine: CatalogueCalls;
  let admin: CatalogueCalls;
  beforeAll(async () => {
    app = await startTestApp(kind);
    mine = catalogueCalls(app, (await app.createWorkspace(['CATALOGUE'])).key);
    admin = catalogueCalls(app, (await app.createWorkspace(['ADMIN'])).key);
  });
  const codeOf = async (query: string, variables: Record<string, unknown> = {}) =>
    (await admin.run(query, variables)).errors?.[0]?.extensions.code ?? 'fine';

  test.each(['auth', 'settingsSchema', 'quirks'])(
    'an input that is nested too deep is refused with its field: %s of a provider',
    async (field) => {
      const input = {
        key: 'deep',
        displayName: 'Deep',
        protocol: 'openai-chat',
        [field]: { type: 'object', deep },
      };
      expect(await mine.refused('createProviderSpec', input)).toEqual([`${field} BAD_USER_INPUT`]);
    },
  );

  test.each([
    ['metadata', { metadata: deep }],
    ['providerOptions', { providerOptions: deep }],
    ['tools[0].parameters', { tools: [{ name: 't', parameters: deep }] }],
  ])('an input that is nested too deep is refused with its field: %s of a completion', async (path, part) => {
    const { errors } = await admin.run(
      'mutation ($input: CompletionInput!) { complete(input: $input) { completion { id } } }',
      { input: { model: 'x', messages: [{ role: 'USER', text: 'x' }], ...part } },
    );
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path });
  });

  test('an input may hold escapes as text', async () => {
    const model = await mine.model({ customFields: ESCAPES });
    expect(model.customFields).toEqual(ESCAPES);
    const { errors } = await admin.run(
      'mutation ($input: CompletionInput!) { complete(input: $input) { completion { id } } }',
      {
        input: {
          model: 'nothing-here',
          messages: [{ role: 'USER', text: 'x' }],
          metadata: ESCAPES,
          tools: [
            { name: 't', parameters: { type: 'object', properties: { a: { pattern: ESCAPES.pattern } } } },
          ],
        },
      },
    );
    expect(errors?.[0]?.extensions.code).toBe('MODEL_NOT_FOUND');
  });

  test.each([
    [
      'description of a response format',
      { responseFormat: { type: 'JSON_SCHEMA', name: 'n', schema: {}, description: 'x\u0000' } },
    ],
    [
      'continuation',
      {
        messages: [
          { role: 'USER', text: 'x' },
          {
            role: 'ASSISTANT',
            text: 'y',
            continuation: Buffer.from(
              JSON.stringify({ canonicalId: 'a/b', protocol: 'p', data: { a: 'x\u0000' } }),
            ).toString('base64url'),
          },
          { role: 'USER', text: 'z' },
        ],
      },
    ],
  ])('an input that cannot be stored is refused before anything is written: the %s', async (_what, part) => {
    const { errors } = await admin.run(
      'mutation ($input: CompletionInput!) { complete(input: $input) { completion { id } } }',
      { input: { model: 'nothing-here', messages: [{ role: 'USER', text: 'x' }], ...part } },
    );
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  });

  test('an input that holds U+0000 or is endless is no outage where lists are narrowed by it', async () => {
    const lists = ['providerSpecs', 'providerConfigs', 'modelSpecs', 'modelInstances'];
    for (const search of ['a\u0000b', 'x'.repeat(201)]) {
      for (const list of lists) {
        const type = `${list.charAt(0).toUpperCase()}${list.slice(1, -1)}FilterInput`;
        const query = `query ($filter: ${type}) { ${list}(filter: $filter) { totalCount nodes { id } } }`;
        expect([list, await codeOf(query, { filter: { search } })]).toEqual([list, 'BAD_USER_INPUT']);
      }
    }
    expect(
      await codeOf('query ($f: CompletionFilterInput) { completions(filter: $f) { nodes { id } } }', {
        f: { canonicalId: 'a\u0000b' },
      }),
    ).toBe('BAD_USER_INPUT');
    for (const field of ['actor', 'action', 'objectType']) {
      const query = 'query ($f: AuditFilterInput) { auditEvents(filter: $f) { nodes { id } } }';
      expect([field, await codeOf(query, { f: { [field]: 'a\u0000b' } })]).toEqual([field, 'BAD_USER_INPUT']);
    }
  });

  test('an input that is no moment, or one of a far age, is refused', async () => {
    const report = 'query ($until: DateTime) { usageReport(input: {until: $until}) { until } }';
    const routing = 'query ($until: DateTime) { routingReport(input: {until: $until}) { until } }';
    for (const until of ['-271821-04-20T00:00:00Z', '1', '+275760-09-13T00:00:00Z', '2026-13-01']) {
      expect([until, await codeOf(report, { until })]).toEqual([until, 'BAD_USER_INPUT']);
      expect([until, await codeOf(routing, { until })]).toEqual([until, 'BAD_USER_INPUT']);
    }
    for (const until of ['1970-01-01', '9999-12-31T23:59:59Z', '2026-11-20T12:00:00+03:00']) {
      expect([until, await codeOf(report, { until })]).toEqual([until, 'fine']);
    }
  });

  test('an input that names an id in capitals finds what it names at every door', async () => {
    const made = await mine.provider();
    const [type, id = ''] = Buffer.from(made.id, 'base64url').toString().split(':');
    const capitals = Buffer.from(`${type}:${id.toUpperCase()}`).toString('base64url');
    const { data } = await mine.run(
      'query ($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } providerSpec(id: $id) { id } }',
      { id: capitals },
    );
    expect(data).toEqual({ node: { id: made.id }, nodes: [{ id: made.id }], providerSpec: { id: made.id } });
  });

  test('an input is refused where a schema of a workspace could hold up everybody', async () => {
    const schema = { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } };
    const input = { key: 'slow', displayName: 'Slow', protocol: 'openai-chat', settingsSchema: schema };
    expect(await mine.refused('createProviderSpec', input)).toEqual([
      'settingsSchema.properties.a.pattern BAD_USER_INPUT',
    ]);
    const shared = await catalogueCalls(app, app.adminKey).provider({
      owner: 'INSTALLATION',
      settingsSchema: { ...schema, allOf: [{ properties: { b: {} } }] },
    });
    // A copy keeps the installation's schema as it stands, and checks what of it is quick.
    const { row } = await mine.mutate('updateProviderSpec', {
      id: shared.id,
      version: shared.version,
      displayName: 'Own',
    });
    const begun = performance.now();
    await mine.config({ providerKey: row.key, settings: { a: `${'a'.repeat(40)}!` } });
    expect(performance.now() - begun).toBeLessThan(3_000);
    expect(
      await mine.refused('createProviderSpec', {
        ...input,
        settingsSchema: { type: 'object', $schema: 'https://nowhere.test/schema' },
      }),
    ).toEqual(['settingsSchema BAD_USER_INPUT']);
  });

  test.each(['Content-Length', 'transfer-encoding', 'Host', 'connection', 'upgrade', 'expect'])(
    'an input is refused where it is the header %s, which belongs to the connection',
    async (name) => {
      const { key } = await mine.provider();
      expect(
        await mine.refused('createProviderConfig', { name: 'H', providerKey: key, headers: { [name]: '1' } }),
      ).toEqual([`headers.${name} BAD_USER_INPUT`]);
    },
  );
});
