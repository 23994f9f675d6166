// Owns the HTTP status of each error code, the same at every door.
import { ERROR_CODES, type ErrorCode } from '../../kernel/errors.ts';

const STATUS: Readonly<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  BAD_USER_INPUT: 400,
  CONFLICT: 409,
  MODEL_NOT_FOUND: 404,
  MODEL_UNAVAILABLE: 409,
  CAPABILITY_MISSING: 400,
  CONTEXT_LENGTH_EXCEEDED: 400,
  INSUFFICIENT_FUNDS: 402,
  UNPRICED_MODEL: 409,
  RATE_LIMITED: 429,
  PROVIDER_AUTHENTICATION: 502,
  PROVIDER_RATE_LIMITED: 502,
  PROVIDER_TIMEOUT: 504,
  PROVIDER_INVALID_REQUEST: 502,
  PROVIDER_CONTENT_FILTERED: 400,
  PROVIDER_UNAVAILABLE: 502,
  PROVIDER_PROTOCOL: 502,
  STORAGE_UNAVAILABLE: 503,
  EVENTS_EXPIRED: 410,
  NODE_DRAINING: 503,
  QUERY_TOO_COMPLEX: 400,
  // As nginx tells of a client that closed its request.
  CANCELLED: 499,
  INTERNAL: 500,
};
const CODES: ReadonlySet<unknown> = new Set(ERROR_CODES);

/** Codes that are not ours speak of the document, as those that GraphQL and Apollo give. */
export function statusOf(code: unknown): number {
  return CODES.has(code) ? STATUS[code as ErrorCode] : 400;
}

/** An outage of the gateway itself: the same request may succeed a little later, or at another node. */
export function isOutage(code: unknown): boolean {
  return statusOf(code) === 503;
}
