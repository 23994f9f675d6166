import { expect, test } from 'vitest';
import { CallerErrors } from '../../src/kernel/caller-errors.ts';
import { GatewayError, ProviderError, StorageError } from '../../src/kernel/errors.ts';
import type { Logger } from '../../src/kernel/logger.ts';

function record() {
  const lines: { level: string; fields: Record<string, unknown>; message: string }[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, fields: fields as Record<string, unknown>, message });
  const logger: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  };
  return { lines, errors: new CallerErrors(logger) };
}

test('an error of the gateway is told as it is, and no line is logged for it', () => {
  const { lines, errors } = record();
  const error = new GatewayError('NOT_FOUND', 'There is no such run');
  expect(errors.told(error, 'request-1')).toBe(error);
  expect(lines).toEqual([]);
});

test('a fault of a provider is told by its code, its words and when to ask again', () => {
  const { errors } = record();
  const told = errors.told(
    new ProviderError('PROVIDER_TIMEOUT', 'Too slow', { retryAfterMs: 5 }),
    'request-1',
  );
  expect([told.code, told.message, told.retryAfterMs]).toEqual(['PROVIDER_TIMEOUT', 'Too slow', 5]);
});

test('an unexpected error is masked for the caller, and logged with its request id', () => {
  const { lines, errors } = record();
  const error = new TypeError('secret detail');
  const told = errors.told(error, 'request-1');
  expect(told.code).toBe('INTERNAL');
  expect(told.message).not.toContain('secret');
  expect(lines).toEqual([
    {
      level: 'error',
      fields: { err: error, requestId: 'request-1' },
      message: 'An unexpected error was masked',
    },
  ]);
});

test('an outage of the database is logged in one line, however many requests it fails', () => {
  const { lines, errors } = record();
  for (const requestId of ['request-1', 'request-2']) {
    const told = errors.told(new StorageError('unavailable', 'no connection'), requestId);
    expect([told.code, told.retryAfterMs]).toEqual(['STORAGE_UNAVAILABLE', 1_000]);
  }
  expect(lines.map(({ message }) => message)).toEqual(['Requests fail by an outage']);
});
