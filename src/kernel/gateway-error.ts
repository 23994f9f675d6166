// Owns what an error means to a caller at any door: faults of storage and of providers become errors with a code of the gateway.
import { GatewayError, ProviderError, StorageError } from './errors.ts';

/** `undefined` for an error that no part of the gateway raises on purpose: a door masks it and logs it. */
export function toGatewayError(error: unknown): GatewayError | undefined {
  if (error instanceof GatewayError) return error;
  if (error instanceof ProviderError) {
    const details = error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs };
    return new GatewayError(error.code, error.message, { cause: error, ...details });
  }
  if (error instanceof StorageError && error.kind === 'invalid') {
    return new GatewayError(
      'BAD_USER_INPUT',
      'A value cannot be stored or looked for: a text with U+0000, or a number or moment out of range',
      { cause: error },
    );
  }
  if (error instanceof StorageError && error.kind === 'unavailable') {
    return new GatewayError('STORAGE_UNAVAILABLE', 'The database does not answer; ask again', {
      cause: error,
      retryAfterMs: 1_000,
    });
  }
  return undefined;
}
