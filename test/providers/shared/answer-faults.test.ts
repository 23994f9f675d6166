import { expect, test } from 'vitest';
import { Secret } from '../../../src/kernel/secret.ts';
import {
  errorText,
  faultOfRedirect,
  faultOfStatus,
  providerRequestId,
  withoutSecret,
} from '../../../src/providers/shared/answer-faults.ts';

test.each([
  [400, 'PROVIDER_INVALID_REQUEST', false],
  [401, 'PROVIDER_AUTHENTICATION', false],
  [402, 'PROVIDER_AUTHENTICATION', false],
  [403, 'PROVIDER_AUTHENTICATION', false],
  [404, 'MODEL_UNAVAILABLE', false],
  [408, 'PROVIDER_TIMEOUT', true],
  [409, 'PROVIDER_UNAVAILABLE', true],
  [413, 'PROVIDER_INVALID_REQUEST', false],
  [422, 'PROVIDER_INVALID_REQUEST', false],
  [429, 'PROVIDER_RATE_LIMITED', true],
  [500, 'PROVIDER_UNAVAILABLE', true],
  [502, 'PROVIDER_UNAVAILABLE', true],
  [503, 'PROVIDER_UNAVAILABLE', true],
  [504, 'PROVIDER_TIMEOUT', true],
  [529, 'PROVIDER_UNAVAILABLE', true],
  [204, 'PROVIDER_PROTOCOL', false],
] as const)('an answer of status %i is the fault %s', (status, code, transient) => {
  const fault = faultOfStatus(status, {}, { message: 'Their words.' });
  expect(fault).toMatchObject({ code, transient, status, message: 'Their words.', phase: 'headers' });
});

test('a fault of an answer carries wait, request id and code of the provider', () => {
  const headers = { 'retry-after': '2', 'x-request-id': 'req-1' };
  const fault = faultOfStatus(429, headers, { message: 'Slow down.', providerCode: 'tokens' });
  expect(fault).toMatchObject({ retryAfterMs: 2000, providerRequestId: 'req-1', providerCode: 'tokens' });
});

test('the resets of limits are read where a limit was hit, and not elsewhere', () => {
  const headers = { 'x-ratelimit-reset-tokens': '5s' };
  expect(faultOfStatus(429, headers, { message: '' }).retryAfterMs).toBe(5000);
  expect(faultOfStatus(500, headers, { message: '' }).retryAfterMs).toBeUndefined();
});

test('payment required with a time to wait is a quota', () => {
  const fault = faultOfStatus(402, { 'retry-after': '9' }, { message: 'Out of credits.' });
  expect(fault).toMatchObject({ code: 'PROVIDER_RATE_LIMITED', transient: true, retryAfterMs: 9000 });
});

test('the meaning of an error’s body wins over the status', () => {
  const fault = faultOfStatus(400, {}, { message: 'Too long.', code: 'CONTEXT_LENGTH_EXCEEDED' });
  expect(fault).toMatchObject({ code: 'CONTEXT_LENGTH_EXCEEDED', transient: false });
  const quota = faultOfStatus(
    429,
    {},
    { message: 'Quota.', code: 'PROVIDER_RATE_LIMITED', transient: false },
  );
  expect(quota.transient).toBe(false);
});

test('x-should-retry is obeyed before the status', () => {
  expect(faultOfStatus(400, { 'x-should-retry': 'true' }, { message: '' }).transient).toBe(true);
  expect(faultOfStatus(500, { 'x-should-retry': 'false' }, { message: '' }).transient).toBe(false);
});

test('an error without words of the provider is named by its status', () => {
  expect(faultOfStatus(503, {}, { message: '' }).message).toBe('The provider answered with status 503.');
});

test('a redirect names the host that it points to, and no more of the address', () => {
  const fault = faultOfRedirect(302, { location: 'https://login.example/oauth?token=abc' });
  expect(fault).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', status: 302, transient: false });
  expect(fault.message).toContain('login.example');
  expect(fault.message).not.toContain('abc');
});

test.each([
  [
    'OpenAI',
    '{"error":{"message":"No such model","type":"invalid_request_error","code":"model_not_found"}}',
    'No such model',
    'model_not_found',
  ],
  ['a flat error', '{"message":"Bad","type":"x","param":null,"code":null}', 'Bad', 'x'],
  ['a string', '{"error":"Overloaded"}', 'Overloaded', undefined],
  ['xAI', '{"code":"invalid-argument","error":"Bad key"}', 'Bad key', 'invalid-argument'],
  [
    'FastAPI',
    '{"detail":[{"loc":["body","model"],"msg":"field required"},{"loc":["body","n"],"msg":"too big"}]}',
    'body.model: field required; body.n: too big',
    undefined,
  ],
  [
    'Mistral nested',
    '{"object":"error","message":{"detail":[{"msg":"extra","loc":["body"]}]},"code":3000}',
    'body: extra',
    '3000',
  ],
  ['a number', '{"error":{"message":"Denied","code":401}}', 'Denied', '401'],
  ['a list', '[{"error":{"message":"First","status":"INVALID_ARGUMENT"}}]', 'First', undefined],
  ['JSON without words', '{"ok":false}', '{"ok":false}', undefined],
  [
    'an HTML page',
    '<html><head><title>502 Bad Gateway</title></head><body>x</body></html>',
    '502 Bad Gateway',
    undefined,
  ],
  ['HTML without a title', '<html><body>x</body></html>', '', undefined],
  ['plain text', ' upstream connect error ', 'upstream connect error', undefined],
  ['nothing', '', '', undefined],
])('the words of an error are found: %s', (_shape, body, message, providerCode) => {
  const text = errorText(body);
  expect(text.message).toBe(message);
  expect(text.providerCode).toBe(providerCode);
});

test('the words of a provider’s error are bounded', () => {
  expect(errorText('x'.repeat(10_000)).message.length).toBeLessThan(2100);
});

test('the first known request id of an answer is taken', () => {
  expect(providerRequestId({ 'cf-ray': 'c', 'mistral-correlation-id': 'm' })).toBe('m');
  expect(providerRequestId({})).toBeUndefined();
});

test('a secret that a provider repeats does not reach the message', () => {
  const secret = new Secret('sk-12345');
  expect(withoutSecret('Incorrect API key: sk-12345.', secret)).toBe('Incorrect API key: [secret].');
  expect(withoutSecret('Fine.', undefined)).toBe('Fine.');
});
