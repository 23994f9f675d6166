import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openAdapters } from '../../../src/assembly/adapters.ts';
import { readConfig } from '../../../src/configuration/config.ts';
import { loadCatalogueData } from '../../../src/domain/catalogue/catalogue-data.ts';
import { silentLogger } from '../../../src/kernel/logger.ts';
import { startTestApp } from '../../support/app.ts';
import { type CatalogueCalls, catalogueCalls } from '../../support/catalogue-calls.ts';
import { postgresUsable } from '../../support/databases.ts';
import { type Answer, type Reply, startFakeUpstream } from '../../support/fake-upstream.ts';
import { dependenciesOn, NO_WAY_OUT } from '../../support/provider-calls.ts';

const CHECK = `mutation ($id: ID!) { checkProviderConfig(input: {id: $id}) {
  providerConfig { health { state fault message: errorMessage } } } }`;
const json = (body: unknown, status = 200): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
const PAGE: Reply = { headers: { 'content-type': 'text/html' }, body: '<!doctype html><h1>Welcome</h1>' };
const REFUSED_PAGE: Reply = { ...PAGE, status: 400 };
const NOTHING = json({ error: 'not found' }, 404);
const INVALID = json({ error: { message: 'messages is required', type: 'invalid_request_error' } }, 400);
const LIST = json({ object: 'list', data: [] });

let calls: CatalogueCalls;
beforeAll(async () => {
  const app = await startTestApp(postgresUsable() ? 'postgresql' : 'embedded');
  calls = catalogueCalls(app, app.adminKey);
});

describe('health of configs', () => {
  async function healthAt(answer: Answer, over: Record<string, unknown> = {}) {
    const upstream = await startFakeUpstream(answer);
    onTestFinished(() => upstream.close());
    const provider = await calls.provider({ baseUrl: upstream.url, ...over });
    const { id } = await calls.config({ providerKey: provider.key });
    const { data } = await calls.run(CHECK, { id });
    return {
      ...data.checkProviderConfig.providerConfig.health,
      paths: upstream.requests.map(({ path }) => path),
    };
  }
  /** A server with a list or without one, where the rest says that a request is incomplete. */
  const server =
    (list: Reply, rest: Reply): Answer =>
    ({ method }) =>
      method === 'GET' ? list : rest;

  describe.each(['openai-chat', 'openai-responses', 'anthropic-messages'])('by %s', (protocol) => {
    test("a config's health is bad where a web page answers, and the address is named", async () => {
      const health = await healthAt(server(PAGE, PAGE), { protocol });
      expect(health).toMatchObject({ state: 'UNHEALTHY', fault: 'OTHER' });
      if (protocol === 'openai-chat') expect(health.message).toContain('not the address of the API');
    });

    test("a config's health is good where the server lists no models but knows the API", async () => {
      expect(await healthAt(server(NOTHING, INVALID), { protocol })).toMatchObject({ state: 'HEALTHY' });
    });

    test("a config's health is bad where the server has neither", async () => {
      expect(await healthAt(server(NOTHING, NOTHING), { protocol })).toMatchObject({ state: 'UNHEALTHY' });
    });

    test("a config's health is asked for without the list where the provider has none by its row", async () => {
      const health = await healthAt(server(json({ error: 'no' }, 401), INVALID), {
        protocol,
        hasModelList: false,
      });
      expect(health).toMatchObject({ state: 'HEALTHY' });
      expect(health.paths).toHaveLength(1);
    });
  });

  test("a config's health is bad where a web page refuses the empty completion", async () => {
    const over = { protocol: 'openai-chat', hasModelList: false };
    expect(await healthAt(server(LIST, REFUSED_PAGE), over)).toMatchObject({ state: 'UNHEALTHY' });
  });
});

describe('quirks', () => {
  const made = { displayName: 'Quirky', baseUrl: 'http://127.0.0.1:9' };

  test.each([
    'openai-chat',
    'openai-responses',
    'azure-openai',
    'anthropic-messages',
    'anthropic-vertex',
    'gemini',
    'gemini-vertex',
    'bedrock-converse',
    'cohere',
    'ollama',
    'gigachat',
  ])(
    'quirks that %s does not know are refused when a provider or a model is written, with those that it knows',
    async (protocol) => {
      const { problems } = await calls.mutate('createProviderSpec', {
        ...made,
        key: `quirky-${protocol}`,
        protocol,
        quirks: { modelsPth: null },
      });
      expect(problems).toMatchObject([
        {
          field: ['quirks', 'modelsPth'],
          code: 'BAD_USER_INPUT',
          message: expect.stringContaining('known are:'),
        },
      ]);
      const provider = await calls.provider({ protocol });
      const input = { providerKey: provider.key, key: 'm', quirks: { modelsPth: null } };
      expect(await calls.refused('createModelSpec', input)).toEqual(['quirks.modelsPth BAD_USER_INPUT']);
      const model = await calls.model({ providerKey: provider.key });
      expect(
        await calls.refused('updateModelSpec', { id: model.id, version: 1, quirks: { modelsPth: null } }),
      ).toEqual(['quirks.modelsPth BAD_USER_INPUT']);
    },
  );

  test('quirks have to fit the protocol that a provider gets', async () => {
    const provider = await calls.provider({ quirks: { modelsPath: null } });
    expect(
      await calls.refused('updateProviderSpec', { id: provider.id, version: 1, protocol: 'ollama' }),
    ).toEqual(['quirks.modelsPath BAD_USER_INPUT']);
  });

  test('quirks of the built-in catalogue are all known to their protocols', async () => {
    const data = await loadCatalogueData();
    const adapters = await openAdapters({
      config: readConfig({ NODE_ENV: 'test' }),
      ...dependenciesOn(NO_WAY_OUT),
      logger: silentLogger,
      overrides: [],
    });
    const faultsOf = (protocol: string | null, quirks: object) =>
      adapters.get(protocol ?? '')?.faultsOfQuirks?.(quirks as never) ?? [];
    const protocolOf = new Map(data.providers.map(({ key, protocol }) => [key, protocol]));
    const faults = [
      ...data.providers.flatMap(({ key, protocol, quirks }) =>
        faultsOf(protocol, quirks).map((fault) => ({ key, fault })),
      ),
      ...data.models.flatMap(({ provider, key, protocol, quirks }) =>
        faultsOf(protocol ?? protocolOf.get(provider) ?? null, quirks).map((fault) => ({ key, fault })),
      ),
    ];
    expect(faults).toEqual([]);
  });
});
