import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/kernel/json.ts';
import { createOpenAiChatAdapter } from '../../../src/providers/openai-chat/adapter.ts';
import type { Reply } from '../../support/fake-upstream.ts';
import { providerTarget, startProvider } from '../../support/provider-calls.ts';

const OPTIONS = { signal: new AbortController().signal };

async function asked(reply: Reply, call: 'list' | 'check', quirks: JsonObject = {}) {
  await using side = await startProvider(reply);
  const target = providerTarget({ baseUrl: `${side.upstream.url}/v1`, quirks });
  const adapter = createOpenAiChatAdapter(side);
  const asking =
    call === 'check' ? adapter.health.check(target, OPTIONS) : adapter.models?.list(target, OPTIONS);
  const outcome: { value?: unknown; fault?: unknown } = await Promise.resolve<unknown>(asking).then(
    (value) => ({ value }),
    (fault: unknown) => ({ fault }),
  );
  return { ...outcome, requests: side.upstream.requests };
}

test.each<[string, unknown, JsonObject[]]>([
  [
    'OpenAI',
    { object: 'list', data: [{ id: 'gpt-9', object: 'model', created: 1, owned_by: 'openai' }] },
    [{ key: 'gpt-9' }],
  ],
  [
    'Together: a bare array',
    [{ id: 'a/b', display_name: 'A B', context_length: 4096 }],
    [{ key: 'a/b', displayName: 'A B', contextLength: 4096 }],
  ],
  [
    'Groq: a model that is off',
    {
      data: [
        { id: 'a', active: true, context_window: 8192, max_completion_tokens: 100 },
        { id: 'b', active: false },
      ],
    },
    [{ key: 'a', contextLength: 8192, maxOutputTokens: 100 }],
  ],
  [
    'Mistral',
    {
      data: [
        {
          id: 'm',
          name: 'm',
          max_context_length: 32768,
          capabilities: { completion_chat: true, vision: false },
        },
      ],
    },
    [{ key: 'm', contextLength: 32768, capabilities: ['completion_chat'] }],
  ],
  ['vLLM', { data: [{ id: 'q', max_model_len: 2048 }] }, [{ key: 'q', contextLength: 2048 }]],
  [
    'OpenRouter',
    {
      data: [
        {
          id: 'x/y',
          name: 'X: Y',
          context_length: null,
          architecture: { input_modalities: ['text', 'image'], output_modalities: ['text'] },
          top_provider: { context_length: 1000, max_completion_tokens: 50 },
          supported_parameters: ['tools', 'seed'],
        },
      ],
    },
    [
      {
        key: 'x/y',
        displayName: 'X: Y',
        contextLength: 1000,
        maxOutputTokens: 50,
        inputModalities: ['text', 'image'],
        outputModalities: ['text'],
        capabilities: ['tools', 'seed'],
      },
    ],
  ],
  ['a list without ids', { models: [{ name: 'only-a-name' }, {}, null, 3] }, [{ key: 'only-a-name' }]],
])('the model list of %s is read', async (_vendor, body, expected) => {
  const { value, requests } = await asked({ body: JSON.stringify(body) }, 'list');
  expect(value).toEqual(expected);
  expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /v1/models']);
  expect(requests[0]?.headers.authorization).toBe('Bearer sk-test');
});

test.each(['<html></html>', '{"ok":true}', '7'])('the answer %s is no model list', async (body) => {
  const { fault } = await asked({ body }, 'list');
  expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL' });
});

test('a chat server without a list of models says so, without a call', async () => {
  const { fault, requests } = await asked({ body: '' }, 'list', { modelsPath: null });
  expect(fault).toMatchObject({ code: 'CAPABILITY_MISSING' });
  expect(requests).toEqual([]);
});

test('a check of a chat server gets the model list, or the path of the row', async () => {
  const plain = await asked({ body: '{"data":[]}' }, 'check');
  expect(plain.fault).toBeUndefined();
  const keyed = await asked({ body: '{}' }, 'check', { checkPath: '/key' });
  expect([...plain.requests, ...keyed.requests].map(({ path }) => path)).toEqual(['/v1/models', '/v1/key']);
});

test.each([
  [401, 'PROVIDER_AUTHENTICATION'],
  [403, 'PROVIDER_AUTHENTICATION'],
  [404, 'PROVIDER_UNAVAILABLE'],
  [500, 'PROVIDER_UNAVAILABLE'],
] as const)('a check of a chat server that meets %i is %s', async (status, code) => {
  for (const quirks of [{}, { checkPath: null }] as JsonObject[]) {
    const { fault } = await asked({ status, body: '{"error":{"message":"no"}}' }, 'check', quirks);
    expect(fault).toMatchObject({ code, status });
  }
});

test.each([200, 400, 422])(
  'a check by an empty completion takes %i for a good credential',
  async (status) => {
    const { fault, requests } = await asked(
      { status, body: '{"error":{"message":"model is required"}}' },
      'check',
      { modelsPath: null },
    );
    expect(fault).toBeUndefined();
    expect(requests.map(({ method, path, body }) => [method, path, body])).toEqual([
      ['POST', '/v1/chat/completions', '{}'],
    ]);
  },
);

test('a check by an empty completion knows a bad key under 400', async () => {
  const body = '{"code":"invalid-argument","error":"Incorrect API key provided"}';
  const { fault } = await asked({ status: 400, body }, 'check', { checkPath: null });
  expect(fault).toMatchObject({ code: 'PROVIDER_AUTHENTICATION' });
});
