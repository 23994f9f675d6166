// Holds what Cohere's error answers mean, and how the models of a key are listed.
import { expect, test } from 'vitest';
import { createCohereAdapter } from '../../../src/providers/cohere/adapter.ts';
import { providerTarget, startProvider } from '../../support/provider-calls.ts';
import { callCohere, JSON_TYPE } from './calls.ts';

test.each([
  [
    401,
    '{"id":"req-1","message":"invalid api token"}',
    { code: 'PROVIDER_AUTHENTICATION', message: 'invalid api token', providerRequestId: 'req-1' },
  ],
  [498, '{"message":"invalid token"}', { code: 'PROVIDER_AUTHENTICATION' }],
  [
    400,
    '{"message":"too many tokens: size 9","error_type":"TOO_MANY_TOKENS"}',
    { code: 'CONTEXT_LENGTH_EXCEEDED', providerCode: 'TOO_MANY_TOKENS' },
  ],
  [400, '{"message":"invalid request: temperature"}', { code: 'PROVIDER_INVALID_REQUEST', transient: false }],
  [
    400,
    '{"message":"invalid api key sk-test"}',
    { code: 'PROVIDER_AUTHENTICATION', message: 'invalid api key [secret]' },
  ],
  [404, '{"message":"model not found"}', { code: 'MODEL_UNAVAILABLE' }],
  [429, '{"message":"Too many requests a minute"}', { code: 'PROVIDER_RATE_LIMITED', transient: true }],
  [
    429,
    '{"message":"You are limited to 1000 API calls / month, per month."}',
    { code: 'PROVIDER_RATE_LIMITED', transient: false },
  ],
  [503, 'upstream down', { code: 'PROVIDER_UNAVAILABLE', message: 'upstream down', transient: true }],
])(
  'an error of Cohere with status %i and %s has the right code and the own words',
  async (status, body, expected) => {
    const { fault } = await callCohere({ status, headers: JSON_TYPE, body });
    expect(fault).toMatchObject({ ...expected, status });
  },
);

test('a redirect of Cohere is not followed', async () => {
  const { fault } = await callCohere({
    status: 301,
    headers: { location: 'https://elsewhere.example/' },
    body: '',
  });
  expect(fault).toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
});

test('all pages of models of Cohere are listed, without those that are going', async () => {
  await using provider = await startProvider((_request, index) => ({
    headers: JSON_TYPE,
    body: JSON.stringify(
      index === 0
        ? {
            models: [
              {
                name: 'command-a',
                endpoints: ['chat'],
                context_length: 1000,
                features: ['tools', 'json_schema', 'vision', 'other'],
              },
              { name: 'command-old', is_deprecated: true },
            ],
            next_page_token: 'two',
          }
        : {
            models: [
              { name: 'plain', endpoints: ['chat'], features: null },
              { name: 'embed-v4', endpoints: ['embed'] },
            ],
          },
    ),
  }));
  const adapter = createCohereAdapter(provider);
  const target = providerTarget({ baseUrl: `${provider.upstream.url}/v2` });
  const options = { signal: new AbortController().signal };
  expect(await adapter.models?.list(target, options)).toEqual([
    {
      key: 'command-a',
      contextLength: 1000,
      inputModalities: ['text', 'image'],
      outputModalities: ['text'],
      capabilities: ['tools', 'json-schema'],
    },
    { key: 'plain', inputModalities: ['text'], outputModalities: ['text'] },
    { key: 'embed-v4', outputModalities: ['embedding'] },
  ]);
  await adapter.health.check(target, options);
  expect(provider.upstream.requests.map(({ path }) => path)).toEqual([
    '/v1/models?page_size=1000',
    '/v1/models?page_size=1000&page_token=two',
    '/v1/models?page_size=1',
  ]);
});

test('a list of models that never ends, is none, or is refused raises a fault', async () => {
  let reply = { status: 200, body: '{"models":[],"next_page_token":"again"}' };
  await using provider = await startProvider(() => ({ headers: JSON_TYPE, ...reply }));
  const adapter = createCohereAdapter(provider);
  const list = () =>
    adapter.models?.list(providerTarget({ baseUrl: provider.upstream.url }), {
      signal: new AbortController().signal,
    });
  await expect(list()).rejects.toMatchObject({
    code: 'PROVIDER_PROTOCOL',
    message: expect.stringContaining('end'),
  });
  reply = { status: 200, body: '[]' };
  await expect(list()).rejects.toMatchObject({ code: 'PROVIDER_PROTOCOL' });
  reply = { status: 401, body: '{"message":"no"}' };
  await expect(list()).rejects.toMatchObject({ code: 'PROVIDER_AUTHENTICATION' });
});
