import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/kernel/json.ts';
import { createAzureOpenAiAdapter } from '../../../src/providers/azure-openai/adapter.ts';
import type { ProviderRequest } from '../../../src/providers/contract/completions.ts';
import type { ProviderTarget } from '../../../src/providers/contract/target.ts';
import type { Reply } from '../../support/fake-upstream.ts';
import {
  collectParts,
  dependenciesOn,
  providerRequest,
  providerTarget,
  startProvider,
} from '../../support/provider-calls.ts';
import { chunkOf, readReply, sse, usagePart } from '../openai-chat/chat-calls.ts';

const API_KEY = { type: 'header', header: 'api-key', prefix: '', optional: false } as const;
const OPTIONS = { signal: new AbortController().signal };

interface Trial {
  readonly path?: string;
  readonly target?: Partial<ProviderTarget>;
  readonly request?: Partial<ProviderRequest>;
  readonly reply?: Reply;
}

async function posted({ path = '', target, request, reply }: Trial) {
  await using side = await startProvider(reply ?? { body: sse(chunkOf({}, 'stop')) });
  const azure = providerTarget({ baseUrl: `${side.upstream.url}${path}`, auth: API_KEY, ...target });
  const { fault } = await collectParts(
    createAzureOpenAiAdapter(side),
    providerRequest({ target: azure, ...request }),
  );
  return { sent: side.upstream.requests[0], fault };
}

test.each<[string, string, JsonObject, string]>([
  ['v1 by default', '', {}, '/openai/v1/chat/completions'],
  ['v1 by its address', '/openai/v1', {}, '/openai/v1/chat/completions'],
  [
    'v1 with a version',
    '/openai/v1',
    { apiVersion: 'preview' },
    '/openai/v1/chat/completions?api-version=preview',
  ],
  [
    'deployments by a version',
    '',
    { apiVersion: '2024-10-21' },
    '/openai/deployments/model-1/chat/completions?api-version=2024-10-21',
  ],
  [
    'deployments by choice',
    '/openai',
    { surface: 'deployments' },
    '/openai/deployments/model-1/chat/completions?api-version=2024-10-21',
  ],
  [
    'deployments by its address',
    '/openai/deployments',
    {},
    '/openai/deployments/model-1/chat/completions?api-version=2024-10-21',
  ],
  ['Foundry by its address', '/models', {}, '/models/chat/completions?api-version=2024-05-01-preview'],
  [
    'Foundry by choice, behind a proxy',
    '/proxy',
    { surface: 'models', apiVersion: '2025-01-01' },
    '/proxy/models/chat/completions?api-version=2025-01-01',
  ],
])('the surface of Azure is %s', async (_surface, path, settings, expected) => {
  const { sent, fault } = await posted({ path, target: { settings } });
  expect(fault).toBeUndefined();
  expect(sent?.path).toBe(expected);
  expect(sent?.json()).toMatchObject({ model: 'model-1', stream: true });
});

test('the key of Azure goes as api-key, an Entra token as bearer', async () => {
  const { sent: keyed } = await posted({});
  expect(keyed?.headers).toMatchObject({ 'api-key': 'sk-test' });
  const { sent: signed } = await posted({ target: { settings: { credential: 'bearer' } } });
  expect(signed?.headers.authorization).toBe('Bearer sk-test');
  expect(signed?.headers).not.toHaveProperty('api-key');
});

test('the name of an Azure deployment is escaped in the path', async () => {
  const settings = { surface: 'deployments' };
  const { sent } = await posted({
    target: { settings },
    request: { model: { key: 'a/b c', reasoning: false } },
  });
  expect(sent?.path).toContain('/deployments/a%2Fb%20c/');
});

test.each<[string, JsonObject, boolean, JsonObject, string]>([
  ['v1', {}, false, {}, 'max_completion_tokens'],
  ['deployments', { surface: 'deployments' }, false, {}, 'max_tokens'],
  ['deployments of a reasoning model', { surface: 'deployments' }, true, {}, 'max_completion_tokens'],
  ['a row that knows better', {}, false, { maxTokensName: 'max_tokens' }, 'max_tokens'],
])(
  'the limit on tokens is named for Azure as %s has it',
  async (_surface, settings, reasoning, quirks, name) => {
    const request = { model: { key: 'm', reasoning }, parameters: { maxTokens: 5 } };
    const { sent } = await posted({ target: { settings, quirks }, request });
    expect(sent?.json()).toHaveProperty(name, 5);
  },
);

test('usage is not asked for where the API version of Azure is older than the question', async () => {
  const { sent: old } = await posted({ target: { settings: { apiVersion: '2024-02-01' } } });
  expect(old?.json()).not.toHaveProperty('stream_options');
  const { sent: current } = await posted({ target: { settings: { apiVersion: '2024-10-21' } } });
  expect(current?.json()).toHaveProperty('stream_options');
});

test('settings of Azure that make no sense are refused before the call', async () => {
  const { sent, fault } = await posted({ target: { settings: { surface: 'v9' } } });
  expect(fault).toMatchObject({ code: 'PROVIDER_INVALID_REQUEST' });
  expect(sent).toBeUndefined();
});

test("a stream with filter annotations and Azure's empty first chunk is read in order", async () => {
  const { parts } = await readReply(
    {
      headers: { 'apim-request-id': 'apim-1' },
      body: sse(
        {
          id: '',
          object: '',
          model: '',
          created: 0,
          choices: [],
          prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }],
        },
        chunkOf({ role: 'assistant', content: '' }, null, { model: 'gpt-4.1-mini' }),
        chunkOf({ content: 'Ähm 🐎' }),
        {
          id: '',
          choices: [
            {
              index: 0,
              finish_reason: null,
              content_filter_offsets: { check_offset: 44 },
              content_filter_results: {},
              delta: {},
            },
          ],
        },
        chunkOf({}, 'stop'),
        {
          id: 'x',
          model: 'gpt-4.1-mini',
          choices: [],
          usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
        },
      ),
    },
    { adapter: (http) => createAzureOpenAiAdapter(dependenciesOn(http)) },
  );
  expect(parts).toEqual([
    { type: 'response-start', servedModel: 'gpt-4.1-mini', providerRequestId: 'apim-1' },
    { type: 'text-delta', text: 'Ähm 🐎' },
    usagePart(3, 2),
    { type: 'finish', reason: 'stop', providerReason: 'stop' },
  ]);
});

test('an answer cut by Azure’s filter, without content, finishes as filtered', async () => {
  const { parts } = await readReply(
    {
      body: JSON.stringify({
        choices: [
          {
            index: 0,
            finish_reason: 'content_filter',
            message: { role: 'assistant' },
            content_filter_results: {},
          },
        ],
      }),
    },
    { adapter: (http) => createAzureOpenAiAdapter(dependenciesOn(http)) },
  );
  expect(parts.at(-1)).toEqual({
    type: 'finish',
    reason: 'content-filter',
    providerReason: 'content_filter',
  });
});

test.each<[string, number, Record<string, string>, JsonObject, JsonObject]>([
  [
    'a bad key',
    401,
    {},
    { error: { code: '401', message: 'Access denied due to invalid subscription key' } },
    { code: 'PROVIDER_AUTHENTICATION', providerCode: '401' },
  ],
  [
    'an unknown deployment',
    404,
    {},
    { error: { type: 'invalid_request_error', code: 'DeploymentNotFound', message: 'No such deployment' } },
    { code: 'MODEL_UNAVAILABLE' },
  ],
  [
    'a wrong address',
    404,
    {},
    { error: { code: '404', message: 'Resource not found' } },
    { code: 'MODEL_UNAVAILABLE' },
  ],
  [
    'the filter',
    400,
    {},
    {
      error: {
        message: 'Filtered',
        code: 'content_filter',
        status: 400,
        innererror: { code: 'ResponsibleAIPolicyViolation' },
      },
    },
    { code: 'PROVIDER_CONTENT_FILTERED' },
  ],
  [
    'a limit',
    429,
    { 'retry-after': '1', 'retry-after-ms': '0' },
    { error: { code: 'RateLimitReached', message: 'Retry after 1 second' } },
    { code: 'PROVIDER_RATE_LIMITED', retryAfterMs: 1000, transient: true },
  ],
  [
    'an operation that took too long',
    408,
    {},
    { error: { code: 'OperationTimeout', message: 'The operation was timeout.' } },
    { code: 'PROVIDER_TIMEOUT' },
  ],
])('an error of Azure is told by its code: %s', async (_case, status, headers, body, expected) => {
  const { fault } = await posted({ reply: { status, headers, body: JSON.stringify(body) } });
  expect(fault).toMatchObject({ status, ...expected });
});

test.each<[string, string, JsonObject, string]>([
  ['v1', '/openai/v1', {}, 'GET /openai/v1/models'],
  ['deployments', '', { apiVersion: '2024-10-21' }, 'GET /openai/models?api-version=2024-10-21'],
  ['Foundry', '/models', {}, 'POST /models/chat/completions?api-version=2024-05-01-preview'],
])('a check of Azure on %s asks what proves the credential', async (surface, path, settings, expected) => {
  const status = surface === 'Foundry' ? 400 : 200;
  await using side = await startProvider({ status, body: '{}' });
  const target = providerTarget({ baseUrl: `${side.upstream.url}${path}`, auth: API_KEY, settings });
  await createAzureOpenAiAdapter(side).health.check(target, OPTIONS);
  expect(side.upstream.requests.map((request) => `${request.method} ${request.path}`)).toEqual([expected]);
});

test('models of Azure are not listed, and what a row lacks is told', async () => {
  await using side = await startProvider({ body: '' });
  const adapter = createAzureOpenAiAdapter(side);
  expect(adapter.protocol).toBe('azure-openai');
  expect(adapter.models).toBeUndefined();
  expect(
    adapter.completions.unsupported(providerRequest({ parameters: { topK: 1 } })).map(({ path }) => path),
  ).toEqual(['parameters.topK']);
});
