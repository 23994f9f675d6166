// Holds what Ollama's errors mean, how its models are listed, and what the check takes for Ollama.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createOllamaAdapter } from '../../../src/providers/ollama/adapter.ts';
import { startProvider } from '../../support/provider-calls.ts';
import { callOllama, JSON_TYPE, ollamaTarget } from './calls.ts';

test.each([
  [404, `{"error":"model 'x' not found"}`, { code: 'MODEL_UNAVAILABLE', message: `model 'x' not found` }],
  [400, '{"error":"\\"gemma\\" does not support tools"}', { code: 'CAPABILITY_MISSING' }],
  [400, '{"error":"prompt exceeds the context length"}', { code: 'CONTEXT_LENGTH_EXCEEDED' }],
  [400, '{"error":"missing request body"}', { code: 'PROVIDER_INVALID_REQUEST' }],
  [
    401,
    '{"error":"unauthorized","signin_url":"https://ollama.com/x"}',
    { code: 'PROVIDER_AUTHENTICATION', message: 'unauthorized' },
  ],
  [429, '{"error":"too many"}', { code: 'PROVIDER_RATE_LIMITED' }],
  [503, '{"error":"server busy, please try again"}', { code: 'PROVIDER_UNAVAILABLE', transient: true }],
  [307, '', { code: 'PROVIDER_UNAVAILABLE' }],
])(
  'an error of Ollama with status %i and %s has the right code and the own words',
  async (status, body, expected) => {
    const { fault } = await callOllama({ status, headers: JSON_TYPE, body });
    expect(fault).toMatchObject({ ...expected, status });
  },
);

test('models of Ollama are listed with what the server tells of each, a few at a time', async () => {
  const shown: Record<string, object> = {
    'qwen3:8b': {
      capabilities: ['completion', 'tools', 'thinking', 'insert'],
      model_info: { 'general.architecture': 'qwen3', 'qwen3.context_length': 40_960 },
    },
    'llava:7b': { capabilities: ['completion', 'vision'] },
    'nomic:latest': { capabilities: ['embedding'], model_info: null },
    'old:1': {},
  };
  const names = [...Object.keys(shown), 'gone:1', 'odd:1'];
  let running = 0;
  let most = 0;
  await using provider = await startProvider(async ({ path, body }) => {
    most = Math.max(most, ++running);
    await nextTurn();
    running -= 1;
    if (path === '/api/tags')
      return {
        headers: JSON_TYPE,
        body: JSON.stringify({ models: names.map((name) => ({ name, size: 1 })) }),
      };
    const { model } = JSON.parse(body);
    if (model === 'gone:1') return { status: 404, headers: JSON_TYPE, body: '{"error":"model not found"}' };
    return { headers: JSON_TYPE, body: model === 'odd:1' ? '"?"' : JSON.stringify(shown[model]) };
  });
  const adapter = createOllamaAdapter(provider);
  const options = { signal: new AbortController().signal };
  expect(await adapter.models?.list(ollamaTarget(provider.upstream.url), options)).toEqual([
    {
      key: 'qwen3:8b',
      contextLength: 40_960,
      inputModalities: ['text'],
      outputModalities: ['text'],
      capabilities: ['json', 'json-schema', 'tools', 'reasoning'],
    },
    {
      key: 'llava:7b',
      inputModalities: ['text', 'image'],
      outputModalities: ['text'],
      capabilities: ['json', 'json-schema'],
    },
    { key: 'nomic:latest', outputModalities: ['embedding'] },
    { key: 'old:1' },
    { key: 'gone:1' },
    { key: 'odd:1' },
  ]);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(4);
});

test('an Ollama server that holds no models lists none, and a list that is none is refused', async () => {
  let reply = { status: 200, body: '{"models":null}' };
  await using provider = await startProvider(() => ({ headers: JSON_TYPE, ...reply }));
  const adapter = createOllamaAdapter(provider);
  const list = () =>
    adapter.models?.list(ollamaTarget(provider.upstream.url), { signal: new AbortController().signal });
  expect(await list()).toEqual([]);
  reply = { status: 200, body: '{"object":"list"}' };
  await expect(list()).rejects.toMatchObject({ code: 'PROVIDER_PROTOCOL' });
  reply = { status: 500, body: '{"error":"no"}' };
  await expect(list()).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE', message: 'no' });
});

test('an Ollama server that fails while it tells of a model leaves no half list behind', async () => {
  await using provider = await startProvider(({ path }) =>
    path === '/api/tags'
      ? { headers: JSON_TYPE, body: '{"models":[{"name":"a"},{"name":"b"}]}' }
      : { status: 500, headers: JSON_TYPE, body: '{"error":"out of memory"}' },
  );
  const adapter = createOllamaAdapter(provider);
  const listing = adapter.models?.list(ollamaTarget(provider.upstream.url), {
    signal: new AbortController().signal,
  });
  await expect(listing).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE', message: 'out of memory' });
});

test('the check of Ollama asks for the version, and takes nothing else for Ollama', async () => {
  let body = '{"version":"0.12.0"}';
  await using provider = await startProvider(() => ({ headers: JSON_TYPE, body }));
  const adapter = createOllamaAdapter(provider);
  const check = () =>
    adapter.health.check(ollamaTarget(provider.upstream.url), { signal: new AbortController().signal });
  await expect(check()).resolves.toBeUndefined();
  expect(provider.upstream.requests.map(({ path }) => path)).toEqual(['/api/version']);
  body = '<html></html>';
  await expect(check()).rejects.toMatchObject({ code: 'PROVIDER_PROTOCOL' });
});
