// Holds what Google's error answers mean, and how the models of a key are listed.
import { expect, test } from 'vitest';
import { createGeminiAdapter } from '../../../src/providers/gemini/adapter.ts';
import { startProvider } from '../../support/provider-calls.ts';
import { callGemini, geminiTarget, JSON_TYPE } from './answers.ts';

const type = (name: string) => ({ '@type': `type.googleapis.com/google.rpc.${name}` });
const error = (code: number, message: string, status: string, details?: object[]) =>
  JSON.stringify({ error: { code, message, status, ...(details ? { details } : {}) } }, null, 2);

test.each([
  [
    'a bad key, which Google calls a bad request',
    400,
    error(400, 'API key not valid.', 'INVALID_ARGUMENT', [
      { ...type('ErrorInfo'), reason: 'API_KEY_INVALID' },
    ]),
    {
      code: 'PROVIDER_AUTHENTICATION',
      message: 'API key not valid.',
      providerCode: 'API_KEY_INVALID',
      status: 400,
      transient: false,
    },
  ],
  [
    'too long a prompt',
    400,
    error(
      400,
      'The input token count (2000) exceeds the maximum number of tokens allowed (1000).',
      'INVALID_ARGUMENT',
    ),
    { code: 'CONTEXT_LENGTH_EXCEEDED', status: 400 },
  ],
  [
    'a region that is not served',
    400,
    error(400, 'User location is not supported.', 'FAILED_PRECONDITION'),
    { code: 'PROVIDER_UNAVAILABLE', transient: false },
  ],
  [
    'any other bad request',
    400,
    error(400, 'Bad role.', 'INVALID_ARGUMENT'),
    { code: 'PROVIDER_INVALID_REQUEST' },
  ],
  [
    'a forbidden project',
    403,
    error(403, 'Denied.', 'PERMISSION_DENIED'),
    { code: 'PROVIDER_AUTHENTICATION' },
  ],
  ['an unknown model', 404, error(404, 'Not found.', 'NOT_FOUND'), { code: 'MODEL_UNAVAILABLE' }],
  [
    'a rate limit that says when to come back',
    429,
    error(429, 'Slow down.', 'RESOURCE_EXHAUSTED', [
      { ...type('QuotaFailure'), violations: [{ quotaId: 'GenerateRequestsPerMinutePerProject' }] },
      { ...type('RetryInfo'), retryDelay: '34.4s' },
    ]),
    { code: 'PROVIDER_RATE_LIMITED', retryAfterMs: 34_400, transient: true },
  ],
  [
    'a quota that is spent for today',
    429,
    error(429, 'Come back tomorrow.', 'RESOURCE_EXHAUSTED', [
      { ...type('QuotaFailure'), violations: [{ quotaId: 'GenerateRequestsPerDayPerProject-FreeTier' }] },
    ]),
    { code: 'PROVIDER_RATE_LIMITED', transient: false },
  ],
  [
    'an array, as without alt=sse',
    503,
    `[${error(503, 'Overloaded.', 'UNAVAILABLE')}]`,
    { code: 'PROVIDER_UNAVAILABLE', message: 'Overloaded.', transient: true },
  ],
  ['a deadline', 504, error(504, 'Deadline expired.', 'DEADLINE_EXCEEDED'), { code: 'PROVIDER_TIMEOUT' }],
  [
    'HTML of something between',
    502,
    '<html><title>502 Bad Gateway</title></html>',
    { code: 'PROVIDER_UNAVAILABLE', message: '502 Bad Gateway' },
  ],
  [
    'a repeated key',
    401,
    error(401, 'Key sk-test is wrong.', 'UNAUTHENTICATED'),
    { code: 'PROVIDER_AUTHENTICATION', message: 'Key [secret] is wrong.' },
  ],
])('an error of Gemini has the right code and the own words: %s', async (_name, status, body, expected) => {
  const { fault } = await callGemini({ status, headers: JSON_TYPE, body });
  expect(fault).toMatchObject({ ...expected, status });
});

test('a redirect of Gemini is not followed', async () => {
  const { fault } = await callGemini({
    status: 302,
    headers: { location: 'https://elsewhere.example/' },
    body: '',
  });
  expect(fault).toMatchObject({
    code: 'PROVIDER_UNAVAILABLE',
    message: expect.stringContaining('elsewhere.example'),
  });
});

const listed = (name: string, more: object = {}) => ({
  name: `models/${name}`,
  displayName: name.toUpperCase(),
  inputTokenLimit: 1000,
  outputTokenLimit: 100,
  supportedGenerationMethods: ['generateContent'],
  ...more,
});

test('all pages of models of Gemini are listed, under the names by which they are called', async () => {
  await using provider = await startProvider((_request, index) => ({
    headers: JSON_TYPE,
    body: JSON.stringify(
      index === 0
        ? { models: [listed('gemini-a', { thinking: true })], nextPageToken: 'page 2' }
        : {
            models: [
              listed('embed', { supportedGenerationMethods: ['embedContent'], inputTokenLimit: undefined }),
              { name: 'models/bare' },
            ],
          },
    ),
  }));
  const adapter = createGeminiAdapter(provider);
  const options = { signal: new AbortController().signal };
  expect(await adapter.models?.list(geminiTarget(provider.upstream.url), options)).toEqual([
    {
      key: 'gemini-a',
      displayName: 'GEMINI-A',
      contextLength: 1000,
      maxOutputTokens: 100,
      capabilities: ['tools', 'json', 'json-schema', 'reasoning'],
    },
    { key: 'embed', displayName: 'EMBED', maxOutputTokens: 100, outputModalities: ['embedding'] },
    { key: 'bare' },
  ]);
  expect(provider.upstream.requests.map(({ path }) => path)).toEqual([
    '/models?pageSize=1000',
    '/models?pageSize=1000&pageToken=page+2',
  ]);
});

test('a list of models of Gemini that never ends, or is none, is refused', async () => {
  let body = JSON.stringify({ models: [], nextPageToken: 'again' });
  await using provider = await startProvider(() => ({ headers: JSON_TYPE, body }));
  const adapter = createGeminiAdapter(provider);
  const list = () =>
    adapter.models?.list(geminiTarget(provider.upstream.url), { signal: new AbortController().signal });
  await expect(list()).rejects.toMatchObject({
    code: 'PROVIDER_PROTOCOL',
    message: expect.stringContaining('end'),
  });
  body = '{"models": 5}';
  await expect(list()).rejects.toMatchObject({ code: 'PROVIDER_PROTOCOL' });
});

test('the check of Gemini asks for one model, and tells a bad key', async () => {
  let reply = { status: 200, body: JSON.stringify({ models: [listed('a')], nextPageToken: 'more' }) };
  await using provider = await startProvider(() => ({ headers: JSON_TYPE, ...reply }));
  const adapter = createGeminiAdapter(provider);
  const check = () =>
    adapter.health.check(geminiTarget(provider.upstream.url), { signal: new AbortController().signal });
  await expect(check()).resolves.toBeUndefined();
  expect(provider.upstream.requests.map(({ path }) => path)).toEqual(['/models?pageSize=1']);
  reply = {
    status: 400,
    body: error(400, 'Bad.', 'INVALID_ARGUMENT', [{ ...type('ErrorInfo'), reason: 'API_KEY_INVALID' }]),
  };
  await expect(check()).rejects.toMatchObject({ code: 'PROVIDER_AUTHENTICATION' });
});
