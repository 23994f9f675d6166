import { expect, test } from 'vitest';
import { ProviderError } from '../../src/kernel/errors.ts';
import { isStorableText } from '../../src/kernel/text.ts';

test('the texts of a provider’s error are bounded and can be stored', () => {
  const long = `\0\ud800${'x'.repeat(10_000)}`;
  const error = new ProviderError('PROVIDER_UNAVAILABLE', long, {
    providerRequestId: long,
    providerCode: long,
  });
  const { message, providerRequestId = '', providerCode = '' } = error;
  expect([message.length, providerRequestId.length, providerCode.length]).toEqual([4_000, 256, 256]);
  for (const text of [message, providerRequestId, providerCode]) expect(isStorableText(text)).toBe(true);
});

test.each([
  [0, 0],
  [0.2, 1],
  [1_500, 1_500],
  [1e300, 2_147_483_647],
  [Number.POSITIVE_INFINITY, 2_147_483_647],
  [-1, undefined],
  [Number.NaN, undefined],
  [undefined, undefined],
])('a time to wait of %s ms that a provider tells is kept as %s', (told, kept) => {
  const details = told === undefined ? {} : { retryAfterMs: told };
  expect(new ProviderError('PROVIDER_RATE_LIMITED', '', details).retryAfterMs).toBe(kept);
});

test('a provider’s error passes by itself only where it says so', () => {
  expect(new ProviderError('PROVIDER_UNAVAILABLE', '').transient).toBe(false);
  expect(new ProviderError('PROVIDER_UNAVAILABLE', '', { transient: true }).transient).toBe(true);
});
