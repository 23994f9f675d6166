import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { type CatalogueCalls, catalogueCalls } from '../../support/catalogue-calls.ts';
import { describeEachDatabase } from '../../support/databases.ts';
import { type FakeUpstream, type Reply, startFakeUpstream } from '../../support/fake-upstream.ts';
import { startTlsUpstream } from '../../support/fake-upstream-tls.ts';
import { openSocket } from '../../support/run-calls.ts';

const SYNC = `mutation ($input: SyncModelsInput!) {
  syncModels(input: $input) {
    syncs { id status phase source listed added updated withdrawn kept error { code message } config { name } }
    userErrors { field code message }
  }
}`;
const CHECK = `mutation ($input: CheckProviderConfigInput!) {
  checkProviderConfig(input: $input) { providerConfig { version health { state fault errorCode errorMessage latencyMs checkedAt } } }
}`;
const MODELS =
  'query ($key: String!) { modelSpecs(first: 50, filter: { providerKeys: [$key] }) { nodes { id version canonicalId origin available contextLength displayName owner } } }';

describeEachDatabase('the upkeep of the catalogue', (kind) => {
  let app: TestApp;
  let calls: CatalogueCalls;
  let workspaceKey: string;
  /** By the credential that asks, the last part of the path that it asks for. */
  const answers = new Map<string, Reply | (() => Promise<Reply>)>();
  let upstream: FakeUpstream;
  let lists: FakeUpstream;
  let modelsDev: unknown = {};
  let openRouter: unknown = { data: [] };

  beforeAll(async () => {
    upstream = await startFakeUpstream(async ({ headers }) => {
      const answer = answers.get(headers.authorization ?? '') ?? {
        status: 401,
        body: '{"error":{"message":"No such key"}}',
      };
      return typeof answer === 'function' ? answer() : answer;
    });
    lists = await startFakeUpstream(({ path }) => ({
      body: JSON.stringify(path === '/models.dev' ? modelsDev : openRouter),
    }));
    app = await startTestApp(kind, {
      environment: {
        PRIVATE_UPSTREAMS: '127.0.0.0/8',
        MODELS_DEV_URL: `${lists.url}/models.dev`,
        OPENROUTER_MODELS_URL: `${lists.url}/openrouter`,
      },
    });
    workspaceKey = (await app.createWorkspace(['CATALOGUE'])).key;
    calls = catalogueCalls(app, workspaceKey);
  });
  afterAll(async () => {
    await upstream.close();
    await lists.close();
  });

  /** A config of a provider of its own whose list can be changed. */
  async function listingConfig(ids: readonly string[], providerKey?: string) {
    const secret = `sk-${randomUUID()}`;
    const list = (models: readonly (string | object)[]) =>
      answers.set(`Bearer ${secret}`, {
        body: JSON.stringify({
          data: models.map((model) => (typeof model === 'string' ? { id: model } : model)),
        }),
      });
    list(ids);
    const provider = providerKey
      ? { key: providerKey }
      : await calls.provider({ baseUrl: `${upstream.url}/v1` });
    const config = await calls.config({ providerKey: provider.key, secret });
    return { config, secret, list, key: provider.key as string };
  }
  const sync = async (input: Record<string, unknown>) => {
    const { data, errors } = await calls.run(SYNC, { input });
    expect(errors).toBeUndefined();
    return data.syncModels;
  };
  const modelsOf = async (key: string) =>
    (await calls.run(MODELS, { key })).data.modelSpecs.nodes as Record<string, any>[];

  test('a sync adds what the provider lists, changes what differs, and withdraws what is gone without deleting it', async () => {
    const { config, list, key } = await listingConfig([]);
    list([
      { id: 'a', context_length: 1000, supported_parameters: ['tools', 'structured_outputs'] },
      'b',
      'c',
    ]);
    const first = (await sync({ configId: config.id })).syncs[0];
    expect(first).toMatchObject({
      status: 'FINISHED',
      phase: 'DONE',
      source: 'PROVIDER',
      listed: 3,
      added: [`${key}/a`, `${key}/b`, `${key}/c`],
      updated: [],
      withdrawn: [],
      config: { name: config.name },
    });
    list([{ id: 'a', context_length: 2000 }, 'b']);
    const second = (await sync({ configId: config.id })).syncs[0];
    expect(second).toMatchObject({ added: [], updated: [`${key}/a`], withdrawn: [`${key}/c`], kept: 1 });
    expect(await modelsOf(key)).toMatchObject([
      { canonicalId: `${key}/a`, origin: 'SYNC', available: true, contextLength: 2000, owner: 'WORKSPACE' },
      { canonicalId: `${key}/b`, available: true },
      { canonicalId: `${key}/c`, available: false },
    ]);
    list(['b', 'c', 'a']);
    const third = (await sync({ configId: config.id })).syncs[0];
    expect(third).toMatchObject({ added: [], updated: [`${key}/c`], withdrawn: [], kept: 2 });
    const seen = await calls.run(
      'query ($name: String!) { providerConfig(name: $name) { lastSyncAt listedModels } }',
      { name: config.name },
    );
    expect(seen.data.providerConfig).toMatchObject({
      lastSyncAt: expect.any(String),
      listedModels: [`${key}/a`, `${key}/b`, `${key}/c`],
    });
  });

  test('a sync leaves what a user edited or made', async () => {
    const { config, list, key } = await listingConfig(['edited']);
    await sync({ configId: config.id });
    const [row] = await modelsOf(key);
    await calls.mutate('updateModelSpec', {
      id: row?.id,
      version: row?.version,
      contextLength: 77,
      available: false,
    });
    await calls.model({ providerKey: key, key: 'mine', displayName: 'Mine' });
    list([
      { id: 'edited', context_length: 5000, name: 'From the list' },
      { id: 'mine', name: 'Not this' },
    ]);
    const again = (await sync({ configId: config.id })).syncs[0];
    expect(again).toMatchObject({ updated: [`${key}/edited`], kept: 1 });
    expect(await modelsOf(key)).toMatchObject([
      { canonicalId: `${key}/edited`, contextLength: 77, available: false, displayName: 'From the list' },
      { canonicalId: `${key}/mine`, displayName: 'Mine', origin: 'CUSTOM' },
    ]);
  });

  test('a model is withdrawn only when no credential of the workspace sees it any more', async () => {
    const one = await listingConfig(['x', 'y']);
    const two = await listingConfig(['x'], one.key);
    await sync({ configId: one.config.id });
    await sync({ configId: two.config.id });
    one.list(['y']);
    expect((await sync({ configId: one.config.id })).syncs[0]).toMatchObject({ withdrawn: [] });
    two.list(['y']);
    expect((await sync({ configId: two.config.id })).syncs[0]).toMatchObject({ withdrawn: [`${one.key}/x`] });
  });

  test.each([
    ['an error', { status: 401, body: '{"error":{"message":"Bad key"}}' }, 'PROVIDER_AUTHENTICATION'],
    ['half an answer', { body: '{"data":[{"id":"a"},{"id"' }, 'PROVIDER_PROTOCOL'],
    ['an empty list', { body: '{"data":[]}' }, 'PROVIDER_PROTOCOL'],
    ['nonsense', { body: '{"data":[{"id":"no model at all"},{"id":" "},{"id":"a"}]}' }, 'PROVIDER_PROTOCOL'],
    ['less than half of the models', { body: '{"data":[{"id":"a"},{"id":"b"}]}' }, 'PROVIDER_PROTOCOL'],
  ] as const)(
    'a provider that answers with %s changes nothing, and the sync says so',
    async (_name, reply, code) => {
      const { config, secret, key } = await listingConfig(['a', 'b', 'c', 'd', 'e']);
      await sync({ configId: config.id });
      const before = await modelsOf(key);
      answers.set(`Bearer ${secret}`, reply);
      const failed = (await sync({ configId: config.id })).syncs[0];
      expect(failed).toMatchObject({
        status: 'FAILED',
        phase: 'DONE',
        added: [],
        withdrawn: [],
        error: { code },
      });
      expect(failed.error.message).not.toBe('');
      expect(await modelsOf(key)).toEqual(before);
    },
  );

  test('a provider’s list that has shrunk is taken when the caller says that it is right', async () => {
    const { config, list } = await listingConfig(['a', 'b', 'c', 'd', 'e']);
    await sync({ configId: config.id });
    list(['a']);
    const { syncs } = await sync({ configId: config.id, acceptShrunkList: true });
    expect(syncs[0]).toMatchObject({ status: 'FINISHED', listed: 1 });
    expect(syncs[0].withdrawn).toHaveLength(4);
  });

  test('a config has one sync at a time, which others join and can follow', async () => {
    const { config, secret, key } = await listingConfig([]);
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    answers.set(`Bearer ${secret}`, async () => {
      await released;
      return { body: '{"data":[{"id":"slow"}]}' };
    });
    const begun = (await sync({ configId: config.id, wait: false })).syncs[0];
    expect(begun).toMatchObject({ status: 'RUNNING', phase: 'LISTING' });
    const second = (await sync({ configId: config.id, wait: false })).syncs[0];
    expect(second.id).toBe(begun.id);
    const socket = openSocket(app, workspaceKey);
    const steps: string[] = [];
    const progress = socket.client.iterate<{ modelSyncProgress: any }>({
      query: 'subscription ($id: ID!) { modelSyncProgress(id: $id) { status phase added } }',
      variables: { id: begun.id },
    });
    for await (const { data } of progress) {
      const { status, phase, added } = data?.modelSyncProgress ?? {};
      steps.push(`${status} ${phase}`);
      release();
      if (status === 'FINISHED') expect(added).toEqual([`${key}/slow`]);
    }
    await socket.client.dispose();
    expect(steps[0]).toBe('RUNNING LISTING');
    expect(steps.at(-1)).toBe('FINISHED DONE');
  });

  test('a sync without a config syncs every one that is switched on, with an answer for each', async () => {
    const mine = catalogueCalls(app, (await app.createWorkspace(['CATALOGUE'])).key);
    const provider = await mine.provider({ baseUrl: `${upstream.url}/v1` });
    const unlisted = await mine.provider({ hasModelList: false });
    await mine.model({ providerKey: unlisted.key });
    await mine.config({ name: 'Unlisted', providerKey: unlisted.key });
    const secret = `sk-${randomUUID()}`;
    answers.set(`Bearer ${secret}`, { body: '{"data":[{"id":"good"}]}' });
    await mine.config({ name: 'Good', providerKey: provider.key, secret });
    await mine.config({ name: 'Bad', providerKey: provider.key });
    await mine.config({ name: 'Off', providerKey: provider.key, enabled: false });
    const { data } = await mine.run(SYNC, { input: {} });
    const byName = new Map(data.syncModels.syncs.map((each: any) => [each.config.name, each]));
    expect([...byName.keys()].sort()).toEqual(['Bad', 'Good', 'Unlisted']);
    expect(byName.get('Good')).toMatchObject({ status: 'FINISHED', added: [`${provider.key}/good`] });
    expect(byName.get('Bad')).toMatchObject({ status: 'FAILED', error: { code: 'PROVIDER_AUTHENTICATION' } });
    expect(byName.get('Unlisted')).toMatchObject({
      status: 'FINISHED',
      source: 'CATALOGUE',
      listed: 1,
      kept: 1,
    });
  });

  test('a sync of a config that is off, and of one of another workspace, is refused', async () => {
    const { config } = await listingConfig(['a']);
    await calls.mutate('updateProviderConfig', { id: config.id, version: 1, enabled: false });
    expect((await sync({ configId: config.id })).userErrors).toMatchObject([
      { field: ['configId'], code: 'BAD_USER_INPUT' },
    ]);
    const other = await app.createWorkspace(['CATALOGUE']);
    const foreign = await app.graph(SYNC, { input: { configId: config.id } }, other.key);
    expect(foreign.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
  });

  test('a check tells a good config, a bad key, a host that cannot be reached and a bad certificate apart', async () => {
    await using tls = await startTlsUpstream(() => ({ data: [] }));
    const { config, secret, key } = await listingConfig(['a']);
    const health = async (id: string) =>
      (await calls.run(CHECK, { input: { id } })).data.checkProviderConfig.providerConfig.health;
    expect(await health(config.id)).toMatchObject({
      state: 'HEALTHY',
      fault: null,
      errorCode: null,
      checkedAt: expect.any(String),
    });
    answers.delete(`Bearer ${secret}`);
    expect(await health(config.id)).toMatchObject({
      state: 'UNHEALTHY',
      fault: 'BAD_CREDENTIAL',
      errorCode: 'PROVIDER_AUTHENTICATION',
      errorMessage: expect.stringContaining('No such key'),
    });
    const unreachable = await calls.config({ providerKey: key, baseUrl: 'http://127.0.0.1:9/v1' });
    expect(await health(unreachable.id)).toMatchObject({
      state: 'UNHEALTHY',
      fault: 'UNREACHABLE',
      errorCode: 'PROVIDER_UNAVAILABLE',
    });
    const untrusted = await calls.config({ providerKey: key, baseUrl: `https://127.0.0.1:${tls.port}/v1` });
    expect(await health(untrusted.id)).toMatchObject({ state: 'UNHEALTHY', fault: 'BAD_CERTIFICATE' });
    const listed = await calls.run(
      'query { providerConfigs(first: 50, filter: { health: UNHEALTHY }) { nodes { id version } } }',
    );
    // A check is no change that an editor could lose.
    expect(listed.data.providerConfigs.nodes).toContainEqual({ id: config.id, version: 1 });
  });

  test('a config of a provider that names a default model comes with an instance of it, unless that is declined', async () => {
    const provider = await calls.provider({ defaultModel: 'Pro-1' });
    await calls.model({ providerKey: provider.key, key: 'Pro-1' });
    const config = await calls.config({ providerKey: provider.key });
    const declined = await calls.config({ providerKey: provider.key, withDefaultModel: false });
    const instances = async (name: string) =>
      (
        await calls.run(
          'query ($name: String!) { providerConfig(name: $name) { instances { nodes { slug canonicalId } } } }',
          { name },
        )
      ).data.providerConfig.instances.nodes;
    expect(await instances(config.name)).toEqual([{ slug: 'pro-1', canonicalId: `${provider.key}/Pro-1` }]);
    expect(await instances(declined.name)).toEqual([]);
  });

  test('a refresh adds models, mends limits and adds price versions with source and date; a second one finds nothing', async () => {
    const admin = catalogueCalls(app, app.adminKey);
    const provider = await admin.provider({ key: `dev-${kind}`, owner: 'INSTALLATION' });
    const old = await admin.model({
      providerKey: provider.key,
      key: 'known',
      owner: 'INSTALLATION',
      contextLength: 10,
    });
    modelsDev = {
      [provider.key]: {
        models: {
          known: {
            id: 'known',
            name: 'Known',
            limit: { context: 99, output: 9 },
            cost: { input: 5, output: 6 },
          },
          fresh: {
            id: 'fresh',
            name: 'Fresh',
            tool_call: true,
            release_date: '2026-11-01',
            modalities: { input: ['text', 'image'], output: ['text'] },
            limit: { context: 200_000, output: 8_000 },
            cost: {
              input: 1.25,
              output: 10,
              cache_read: 0.125,
              context_over_200k: { input: 2.5, output: 15 },
            },
          },
          odd: { id: 'odd' },
          unknown: { id: 'unknown', name: 'Price of nothing', cost: { input: 0, output: 0 } },
        },
      },
      nobody: { models: { x: { id: 'x', name: 'X' } } },
    };
    const query = `mutation { refreshCatalogue(input: { sources: [MODELS_DEV] }) {
      refreshes { source listed added updated priced errorCode } userErrors { message } } }`;
    const first = (await admin.run(query)).data.refreshCatalogue.refreshes[0];
    expect(first).toEqual({
      source: 'MODELS_DEV',
      listed: 4,
      added: [`${provider.key}/fresh`, `${provider.key}/unknown`],
      // What an administrator made is theirs.
      updated: [],
      priced: [`${provider.key}/fresh`],
      errorCode: null,
    });
    const fresh = await calls.run(
      'query ($id: String!) { modelSpec(canonicalId: $id) { capabilities contextLength price { input output cacheRead source effectiveAt tiers { aboveInputTokens input } } } }',
      { id: `${provider.key}/fresh` },
    );
    expect(fresh.data.modelSpec).toMatchObject({
      capabilities: expect.arrayContaining(['tools', 'vision', 'prompt-cache']),
      contextLength: 200_000,
      price: {
        input: '1.25',
        output: '10',
        cacheRead: '0.125',
        source: expect.stringMatching(/^models\.dev \d{4}-\d\d-\d\d$/),
        effectiveAt: expect.any(String),
        tiers: [{ aboveInputTokens: 200_000, input: '2.5' }],
      },
    });
    expect((await admin.run(query)).data.refreshCatalogue.refreshes[0]).toMatchObject({
      added: [],
      updated: [],
      priced: [],
    });
    expect(old.contextLength).toBe(10);
  });

  test('a refresh from a list that is none changes nothing and says so; a workspace’s own key may not refresh', async () => {
    const admin = catalogueCalls(app, app.adminKey);
    openRouter = { error: 'maintenance' };
    const { data } = await admin.run(
      'mutation { refreshCatalogue(input: { sources: [OPENROUTER] }) { refreshes { listed errorCode errorMessage } } }',
    );
    expect(data.refreshCatalogue.refreshes).toMatchObject([{ listed: 0, errorCode: 'PROVIDER_PROTOCOL' }]);
    const refused = await calls.run('mutation { refreshCatalogue(input: {}) { refreshes { listed } } }');
    expect(refused.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});
