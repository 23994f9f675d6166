import { expect, test } from 'vitest';
import { retryAfterMs } from '../../../src/providers/shared/retry-after.ts';

const NOW = Date.parse('2026-11-20T12:00:00Z');

test.each([
  ['seconds', { 'retry-after': '7' }, 7000],
  ['fractions of seconds', { 'retry-after': '1.5' }, 1500],
  ['no wait at all', { 'retry-after': '0' }, 0],
  ['an HTTP date', { 'retry-after': 'Fri, 20 Nov 2026 12:00:30 GMT' }, 30_000],
  ['a date in the past', { 'retry-after': 'Fri, 20 Nov 2026 11:00:00 GMT' }, 0],
  ['milliseconds before seconds', { 'retry-after-ms': '250', 'retry-after': '1' }, 250],
  ["Azure's zero milliseconds beside a second", { 'retry-after-ms': '0', 'retry-after': '1' }, 1000],
  ['a Go duration of milliseconds', { 'x-ratelimit-reset-requests': '12ms' }, 12],
  ['a Go duration of fractions', { 'x-ratelimit-reset-tokens': '17.399999999s' }, 17_400],
  ['a Go duration of several units', { 'x-ratelimit-reset-tokens': '1h6m0.5s' }, 3_960_500],
  ['plain seconds of a reset', { 'x-ratelimit-reset-tokens': '7' }, 7000],
  ['a reset without a suffix', { 'x-ratelimit-reset': '3' }, 3000],
  ['an epoch in seconds', { 'x-ratelimit-reset': String(NOW / 1000 + 4) }, 4000],
  ['an epoch in milliseconds', { 'x-ratelimit-reset': String(NOW + 4000) }, 4000],
  ['a moment by RFC 3339', { 'anthropic-ratelimit-tokens-reset': '2026-11-20T12:00:05Z' }, 5000],
])('the time to wait is read from an answer: %s', (_dialect, headers, expected) => {
  expect(retryAfterMs(headers, NOW)).toBe(expected);
});

test('of several limits of a provider the one with the least left counts', () => {
  const headers = {
    'x-ratelimit-limit-requests-day': '1000',
    'x-ratelimit-remaining-requests-day': '900',
    'x-ratelimit-reset-requests-day': '33011',
    'x-ratelimit-limit-tokens-minute': '60000',
    'x-ratelimit-remaining-tokens-minute': '12',
    'x-ratelimit-reset-tokens-minute': '11.2',
  };
  expect(retryAfterMs(headers, NOW)).toBe(11_200);
});

test('of limits of a provider that are used up the last to come back counts', () => {
  const headers = {
    'x-ratelimit-remaining-requests': '0',
    'x-ratelimit-reset-requests': '2s',
    'x-ratelimit-remaining-tokens': '0',
    'x-ratelimit-reset-tokens': '6m0s',
  };
  expect(retryAfterMs(headers, NOW)).toBe(360_000);
});

test.each([
  ['nothing said', {}],
  ['nonsense', { 'retry-after': 'soon', 'x-ratelimit-reset-tokens': 'later' }],
  ['empty text', { 'retry-after': '' }],
])('a wait is not known from an answer with %s', (_kind, headers) => {
  expect(retryAfterMs(headers, NOW)).toBeUndefined();
});
