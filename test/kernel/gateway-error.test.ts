import { expect, test } from 'vitest';
import { GatewayError, ProviderError, StorageError } from '../../src/kernel/errors.ts';
import { toGatewayError } from '../../src/kernel/gateway-error.ts';

test('an error of the gateway stays the very same', () => {
  const error = new GatewayError('FORBIDDEN', 'No');
  expect(toGatewayError(error)).toBe(error);
});

test('a fault of a provider keeps its code, its words, its time to wait and its cause', () => {
  const fault = new ProviderError('PROVIDER_RATE_LIMITED', 'Slow down', { retryAfterMs: 500 });
  expect(toGatewayError(fault)).toMatchObject({
    code: 'PROVIDER_RATE_LIMITED',
    message: 'Slow down',
    retryAfterMs: 500,
    cause: fault,
  });
  expect(toGatewayError(new ProviderError('MODEL_UNAVAILABLE', 'Gone'))?.retryAfterMs).toBeUndefined();
});

test.each([
  ['unavailable', 'STORAGE_UNAVAILABLE'],
  ['invalid', 'BAD_USER_INPUT'],
  ['conflict', undefined],
  ['fault', undefined],
] as const)('a fault of storage of the kind %s is told to a caller as %s', (kind, code) => {
  const fault = new StorageError(kind, 'select secret from t');
  const told = toGatewayError(fault);
  expect(told?.code).toBe(code);
  expect(told?.message ?? '').not.toContain('select');
  if (told) expect(told.cause).toBe(fault);
});

test('only an outage of storage says when to ask again', () => {
  expect(toGatewayError(new StorageError('unavailable', ''))?.retryAfterMs).toBeGreaterThan(0);
  expect(toGatewayError(new StorageError('invalid', ''))?.retryAfterMs).toBeUndefined();
});

test.each([[new TypeError('oh')], ['a text'], [null], [undefined]])(
  'what no part raises on purpose is no error of the gateway: %s',
  (error) => {
    expect(toGatewayError(error)).toBeUndefined();
  },
);
