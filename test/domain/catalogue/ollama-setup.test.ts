import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { setUpFromEnvironment } from '../../../src/domain/catalogue/environment-setup.ts';
import { setUpOllama } from '../../../src/domain/catalogue/ollama-setup.ts';
import { ProviderTargets } from '../../../src/domain/catalogue/provider-target.ts';
import { parseKeyRing, SecretVault } from '../../../src/domain/identity/secret-vault.ts';
import { silentLogger } from '../../../src/kernel/logger.ts';
import { createUpstreamHttp } from '../../../src/providers/http/upstream-http.ts';
import { createOllamaAdapter } from '../../../src/providers/ollama/adapter.ts';
import { describeEachDatabase } from '../../support/databases.ts';
import { type FakeUpstream, startFakeUpstream } from '../../support/fake-upstream.ts';
import { dependenciesOn } from '../../support/provider-calls.ts';
import { type Environment, openSetup, type Setup } from '../../support/setup-node.ts';

describeEachDatabase('what is set up of an Ollama', (kind) => {
  let setup: Setup;
  let workspaceId: string;
  beforeAll(async () => {
    setup = await openSetup(kind);
  });
  beforeEach(async () => {
    workspaceId = await setup.createWorkspace();
  });
  const configs = () => setup.configs(workspaceId);
  const slugs = () => setup.slugs(workspaceId);
  const http = createUpstreamHttp({ logger: silentLogger, allowAddress: () => true });
  const opened: FakeUpstream[] = [];
  afterAll(async () => {
    await http.close();
    for (const upstream of opened) await upstream.close();
  });

  async function startOllama(models: Readonly<Record<string, readonly string[]>>): Promise<FakeUpstream> {
    const upstream = await startFakeUpstream((request) => {
      if (request.path === '/api/tags')
        return { body: JSON.stringify({ models: Object.keys(models).map((name) => ({ name })) }) };
      const { model } = request.json() as { model: string };
      return {
        body: JSON.stringify({
          capabilities: models[model],
          model_info: { 'family.context_length': 4096 },
        }),
      };
    });
    opened.push(upstream);
    return upstream;
  }
  async function look(environment: Environment) {
    const vault = new SecretVault(
      parseKeyRing(`test:${Buffer.alloc(32, 7).toString('base64')}`),
      environment,
    );
    await setUpOllama(
      {
        ...(await setup.startNode(environment)),
        adapter: createOllamaAdapter(dependenciesOn(http)),
        targets: new ProviderTargets(vault),
      },
      workspaceId,
      new AbortController().signal,
    );
  }

  test('an Ollama that answers gets a config with an instance for each model that writes text, known or not', async () => {
    const upstream = await startOllama({
      'known:7b': ['completion'],
      'mine:latest': ['completion', 'tools'],
      'vectors:latest': ['embedding'],
    });
    await look({ OLLAMA_HOST: upstream.url.replace('http://', '') });
    expect(await configs()).toMatchObject([
      { name: 'ollama', origin: 'ENVIRONMENT', base_url: upstream.url },
    ]);
    expect(await slugs()).toEqual(['known-7b', 'mine-latest']);
    const made = await setup.query(
      'select key, origin, context_length from model_spec where workspace_id = $1 order by key',
      [workspaceId],
    );
    expect(made[0]).toEqual({ key: 'mine:latest', origin: 'SYNC', context_length: 4096 });
  });

  test('an Ollama gets instances of what it has pulled since, and is followed where it moves', async () => {
    const first = await startOllama({ 'mine:latest': ['completion'] });
    await look({ OLLAMA_HOST: first.url });
    const second = await startOllama({ 'mine:latest': ['completion'], 'new:latest': ['completion'] });
    await look({ OLLAMA_BASE_URL: second.url });
    expect(await configs()).toMatchObject([{ base_url: second.url, version: 2 }]);
    expect(await slugs()).toEqual(['mine-latest', 'new-latest']);
  });

  test('the config of an Ollama outlives a start without credentials, for it has none', async () => {
    const upstream = await startOllama({ 'mine:latest': ['completion'] });
    await look({ OLLAMA_HOST: upstream.url });
    await setUpFromEnvironment(await setup.startNode({}), workspaceId);
    expect(await configs()).toMatchObject([{ name: 'ollama', enabled: true }]);
  });

  test('nothing is set up of an Ollama where none answers', async () => {
    const upstream = await startOllama({});
    await upstream.close();
    await look({ OLLAMA_HOST: upstream.url });
    expect(await configs()).toEqual([]);
  });
});
