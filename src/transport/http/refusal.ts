// Owns how a door over HTTP refuses a request: errors in the form of GraphQL, under the status of their code, with when to come back.
import type { FastifyReply } from 'fastify';
import type { GatewayError } from '../../kernel/errors.ts';
import { statusOf } from './fault-status.ts';

export interface ToldError {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

export function toldOf({ message, code, retryAfterMs }: GatewayError): ToldError {
  return { message, extensions: { code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } };
}

export function refuse(
  reply: FastifyReply,
  errors: readonly ToldError[],
  status = statusOf(errors[0]?.extensions?.code),
): FastifyReply {
  const retryAfterMs = errors[0]?.extensions?.retryAfterMs;
  if (typeof retryAfterMs === 'number') reply.header('retry-after', retryAfterSeconds(retryAfterMs));
  const requestId = reply.request.id;
  const told = errors.map((error) => ({ ...error, extensions: { ...error.extensions, requestId } }));
  return reply.code(status).type('application/json; charset=utf-8').send({ errors: told });
}

/** The value of a `Retry-After` header. */
export function retryAfterSeconds(ms: number): string {
  return String(Math.max(1, Math.ceil(ms / 1_000)));
}
