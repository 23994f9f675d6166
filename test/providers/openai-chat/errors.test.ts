import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/kernel/json.ts';
import { chunkOf, readReply, sse, sseWithoutDone } from './chat-calls.ts';

async function faultOfHttp(status: number, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const { parts, fault } = await readReply({ status, headers, body: text });
  expect(parts).toEqual([]);
  return fault;
}

test.each<[string, number, unknown, JsonObject]>([
  [
    'OpenAI: a bad key',
    401,
    {
      error: {
        message: 'Incorrect API key provided',
        type: 'invalid_request_error',
        param: null,
        code: 'invalid_api_key',
      },
    },
    { code: 'PROVIDER_AUTHENTICATION', providerCode: 'invalid_api_key', transient: false },
  ],
  [
    'OpenAI: an unknown model',
    404,
    {
      error: { message: 'The model does not exist', type: 'invalid_request_error', code: 'model_not_found' },
    },
    { code: 'MODEL_UNAVAILABLE' },
  ],
  [
    'OpenAI: too long',
    400,
    {
      error: {
        message: "This model's maximum context length is 8192 tokens.",
        type: 'invalid_request_error',
        code: 'context_length_exceeded',
      },
    },
    { code: 'CONTEXT_LENGTH_EXCEEDED', transient: false },
  ],
  [
    'DeepSeek: too long, by its words alone',
    400,
    {
      error: {
        message: "This model's maximum context length is 65536 tokens. However, you requested 70000.",
        type: 'invalid_request_error',
        param: null,
        code: 'invalid_request_error',
      },
    },
    { code: 'CONTEXT_LENGTH_EXCEEDED' },
  ],
  [
    'Ollama: too long',
    400,
    {
      error: {
        message: 'prompt too long; exceeded max context length by 5 tokens',
        type: 'invalid_request_error',
        code: null,
      },
    },
    { code: 'CONTEXT_LENGTH_EXCEEDED' },
  ],
  [
    'Perplexity: too long',
    400,
    { error: { message: 'The total is too much.', type: 'too_many_prompt_tokens', code: 400 } },
    { code: 'CONTEXT_LENGTH_EXCEEDED' },
  ],
  [
    'OpenAI: a rate limit',
    429,
    { error: { message: 'Rate limit reached', type: 'tokens', code: 'rate_limit_exceeded' } },
    { code: 'PROVIDER_RATE_LIMITED', transient: true },
  ],
  [
    'OpenAI: tokens per minute, which are no context',
    429,
    { error: { message: 'Too many tokens for the context window of a minute', type: 'tokens', code: null } },
    { code: 'PROVIDER_RATE_LIMITED', transient: true },
  ],
  [
    'OpenAI: a quota that is used up',
    429,
    {
      error: {
        message: 'You exceeded your current quota',
        type: 'insufficient_quota',
        code: 'insufficient_quota',
      },
    },
    { code: 'PROVIDER_RATE_LIMITED', transient: false, providerCode: 'insufficient_quota' },
  ],
  [
    'DeepSeek: no money',
    402,
    { error: { message: 'Insufficient Balance', type: 'unknown_error', code: 'invalid_request_error' } },
    { code: 'PROVIDER_AUTHENTICATION', transient: false },
  ],
  [
    'Mistral: a bad key',
    401,
    { detail: 'Invalid API Key' },
    { code: 'PROVIDER_AUTHENTICATION', message: 'Invalid API Key' },
  ],
  [
    'Mistral: a bad field',
    422,
    { detail: [{ loc: ['body', 'seed'], msg: 'Extra inputs are not permitted', type: 'extra_forbidden' }] },
    { code: 'PROVIDER_INVALID_REQUEST', message: 'body.seed: Extra inputs are not permitted' },
  ],
  [
    'xAI: a bad key under 400',
    400,
    { code: 'invalid-argument', error: 'Incorrect API key provided: ab***. Get one.' },
    { code: 'PROVIDER_AUTHENTICATION', providerCode: 'invalid-argument' },
  ],
  [
    'Fireworks: an error that is a string',
    400,
    { error: 'bad temperature' },
    { code: 'PROVIDER_INVALID_REQUEST', message: 'bad temperature' },
  ],
  [
    'Cerebras: a flat error',
    400,
    { message: 'n must be 1', type: 'invalid_request_error', param: 'n', code: 'wrong_api_format' },
    { code: 'PROVIDER_INVALID_REQUEST', message: 'n must be 1', providerCode: 'wrong_api_format' },
  ],
  [
    'Azure: the content filter',
    400,
    {
      error: {
        message: 'The response was filtered',
        type: null,
        param: 'prompt',
        code: 'content_filter',
        status: 400,
        innererror: { code: 'ResponsibleAIPolicyViolation' },
      },
    },
    { code: 'PROVIDER_CONTENT_FILTERED' },
  ],
  [
    'a filter that has no code',
    400,
    { error: { message: 'Blocked by our content safety policy.', code: null } },
    { code: 'PROVIDER_CONTENT_FILTERED' },
  ],
  [
    'OpenRouter: moderation',
    403,
    { error: { code: 403, message: 'Flagged', metadata: { reasons: ['violence'], flagged_input: 'x' } } },
    { code: 'PROVIDER_CONTENT_FILTERED', status: 403 },
  ],
  [
    'OpenRouter: the cause of its upstream',
    502,
    {
      error: {
        code: 502,
        message: 'Provider returned error',
        metadata: { provider_name: 'X', raw: '{"error":{"message":"GPU is on fire"}}' },
      },
    },
    { code: 'PROVIDER_UNAVAILABLE', message: 'Provider returned error: GPU is on fire', transient: true },
  ],
  [
    'OpenRouter: a cause that is an object',
    429,
    { error: { code: 429, message: 'Provider returned error', metadata: { raw: { message: 'slow down' } } } },
    { code: 'PROVIDER_RATE_LIMITED', message: 'Provider returned error: slow down' },
  ],
  [
    'Groq: a tool call that failed',
    400,
    {
      error: {
        message: 'Tool call validation failed',
        type: 'invalid_request_error',
        code: 'tool_use_failed',
        failed_generation: '{}',
      },
    },
    { code: 'PROVIDER_INVALID_REQUEST', transient: true, providerCode: 'tool_use_failed' },
  ],
  [
    'Groq: no capacity',
    498,
    { error: { message: 'No capacity', type: 'x', code: 'capacity_exceeded' } },
    { code: 'PROVIDER_UNAVAILABLE', transient: true },
  ],
  [
    'a proxy with a page of its own',
    502,
    '<html><head><title>502 Bad Gateway</title></head></html>',
    { code: 'PROVIDER_UNAVAILABLE', message: '502 Bad Gateway' },
  ],
  [
    'a status that the body contradicts',
    400,
    { error: { message: 'Bad', code: 503 } },
    { code: 'PROVIDER_INVALID_REQUEST', providerCode: '503' },
  ],
  [
    'nothing at all',
    503,
    '',
    { code: 'PROVIDER_UNAVAILABLE', message: 'The provider answered with status 503.' },
  ],
  [
    'a gateway that waited too long',
    504,
    'upstream request timeout',
    { code: 'PROVIDER_TIMEOUT', transient: true },
  ],
])('an error of a chat server is translated: %s', async (_case, status, body, expected) => {
  expect(await faultOfHttp(status, body, { 'content-type': 'application/octet-stream' })).toMatchObject({
    status,
    phase: 'headers',
    ...expected,
  });
});

test('an error of a chat server tells how long to wait and under which id the provider knows it', async () => {
  const headers = {
    'x-request-id': 'req-1',
    'x-ratelimit-remaining-tokens': '0',
    'x-ratelimit-reset-tokens': '1m0s',
  };
  const fault = await faultOfHttp(429, { error: { message: 'Slow down' } }, headers);
  expect(fault).toMatchObject({ retryAfterMs: 60_000, providerRequestId: 'req-1' });
});

test('a key that the provider repeats is not in the message', async () => {
  const fault = await faultOfHttp(401, { error: { message: 'Incorrect API key provided: sk-test.' } });
  expect(fault?.message).toBe('Incorrect API key provided: [secret].');
});

test('a redirect of a chat server is PROVIDER_UNAVAILABLE and names where it points', async () => {
  const fault = await faultOfHttp(308, 'moved', { location: 'https://new.example/v1' });
  expect(fault).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', status: 308 });
  expect(fault?.message).toContain('new.example');
});

const OVERLOADED = { message: 'Overloaded', type: 'server_error', code: 503 };

test.each<[string, string, JsonObject]>([
  [
    'an error in a 200',
    JSON.stringify({ error: { code: 429, message: 'Slow down' }, user_id: 'u' }),
    { code: 'PROVIDER_RATE_LIMITED', status: 429, phase: 'headers', message: 'Slow down' },
  ],
  [
    'an error without a status in a 200',
    '{"error":"something broke"}',
    { code: 'PROVIDER_UNAVAILABLE', status: 200, transient: true, message: 'something broke' },
  ],
  [
    'a flat error in a 200',
    '{"object":"error","message":"no such model","type":"NotFoundError","code":404}',
    { code: 'MODEL_UNAVAILABLE', status: 404 },
  ],
])('an error of a chat server is raised by what it says: %s', async (_kind, body, expected) => {
  const { parts, fault } = await readReply({ headers: { 'content-type': 'application/json' }, body });
  expect(parts).toEqual([]);
  expect(fault).toMatchObject(expected);
});

test.each<[string, string, JsonObject]>([
  [
    'an error chunk',
    sse({ error: OVERLOADED }),
    { code: 'PROVIDER_UNAVAILABLE', status: 503, message: 'Overloaded' },
  ],
  [
    'an error beside a choice',
    sse({ ...chunkOf({ content: '' }), error: { code: 400, message: 'Invalid schema' } }),
    { code: 'PROVIDER_INVALID_REQUEST', status: 400, message: 'Invalid schema' },
  ],
  [
    'an error event',
    `event: error\n${sseWithoutDone({ error: { message: 'Tool call failed', code: 'tool_use_failed', status_code: 400 } })}`,
    { code: 'PROVIDER_INVALID_REQUEST', transient: true },
  ],
  [
    'an error event of plain text',
    `event: error\n${sseWithoutDone('worker died')}`,
    { code: 'PROVIDER_UNAVAILABLE', message: 'worker died' },
  ],
  [
    'the field "error" of llama.cpp',
    'error: {"code":500,"message":"context shift failed"}\n\n',
    { code: 'PROVIDER_UNAVAILABLE', status: 500, message: 'context shift failed' },
  ],
  [
    "Groq's own error",
    sse({ id: 'x', choices: [], x_groq: { error: 'over capacity' } }),
    { code: 'PROVIDER_UNAVAILABLE', message: 'over capacity' },
  ],
  [
    'a flat error chunk',
    sse({ message: 'n must be 1', type: 'invalid_request_error', code: '400' }),
    { code: 'PROVIDER_INVALID_REQUEST', status: 400 },
  ],
  ['a detail', sse({ detail: 'gone' }), { code: 'PROVIDER_UNAVAILABLE', message: 'gone' }],
  [
    'a filter amid the text',
    sse({ error: { message: 'filtered', code: 'content_filter' } }),
    { code: 'PROVIDER_CONTENT_FILTERED', transient: false },
  ],
])('an error amid a chat stream is raised after what had arrived: %s', async (_kind, tail, expected) => {
  const { parts, fault } = await readReply({ body: sseWithoutDone(chunkOf({ content: 'Once' })) + tail });
  expect(parts.map(({ type }) => type)).toEqual(['response-start', 'text-delta']);
  expect(fault).toMatchObject({ phase: 'stream', ...expected });
});
