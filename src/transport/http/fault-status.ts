// Owns what an error code means in HTTP: the status of the answer, and the header that says when to ask again.
import type { FastifyReply } from 'fastify';
import type { ErrorCode } from '../../kernel/errors.ts';

const STATUS: Readonly<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  BAD_USER_INPUT: 400,
  CONFLICT: 409,
  MODEL_NOT_FOUND: 404,
  MODEL_UNAVAILABLE: 503,
  CAPABILITY_MISSING: 400,
  CONTEXT_LENGTH_EXCEEDED: 400,
  INSUFFICIENT_FUNDS: 402,
  UNPRICED_MODEL: 409,
  RATE_LIMITED: 429,
  PROVIDER_AUTHENTICATION: 502,
  PROVIDER_RATE_LIMITED: 429,
  PROVIDER_TIMEOUT: 504,
  PROVIDER_INVALID_REQUEST: 400,
  PROVIDER_CONTENT_FILTERED: 400,
  PROVIDER_UNAVAILABLE: 503,
  PROVIDER_PROTOCOL: 502,
  STORAGE_UNAVAILABLE: 503,
  EVENTS_EXPIRED: 410,
  NODE_BUSY: 503,
  NODE_DRAINING: 503,
  NODE_LOST: 502,
  QUERY_TOO_COMPLEX: 400,
  CANCELLED: 409,
  INTERNAL: 500,
};

/** Codes that are not the gateway's own come from GraphQL's stages; they are all about the request, so the status is 400. */
export function statusOf(code: unknown): number {
  return STATUS[code as ErrorCode] ?? 400;
}

/** True for faults of this node or of what it depends on, not of the request: a load balancer may then try another node. */
export function isOutage(code: unknown): boolean {
  return code === 'STORAGE_UNAVAILABLE' || code === 'NODE_DRAINING' || code === 'NODE_BUSY';
}

/** Whole seconds, rounded up: a client that asks earlier is refused again. */
export function retryAfterOf(retryAfterMs: number): string {
  return String(Math.max(1, Math.ceil(retryAfterMs / 1_000)));
}

/** Sets the status and, if the time to try again is known, `Retry-After`. */
export function setFaultStatus(reply: FastifyReply, code: unknown, retryAfterMs?: number): FastifyReply {
  const wait = retryAfterMs ?? (isOutage(code) ? 1_000 : undefined);
  if (wait !== undefined) reply.header('retry-after', retryAfterOf(wait));
  return reply.code(statusOf(code));
}
