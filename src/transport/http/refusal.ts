// Owns how a door over HTTP refuses a request: errors in the form of GraphQL, under the status of their code, with when to come back.
import type { FastifyReply } from 'fastify';
import type { GatewayError } from '../../kernel/errors.ts';
import { setFaultStatus } from './fault-status.ts';

export interface ToldError {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

export function toldOf({ message, code, retryAfterMs }: GatewayError): ToldError {
  return { message, extensions: { code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } };
}

/** `status` where the code alone does not tell it. */
export function refuse(reply: FastifyReply, errors: readonly ToldError[], status?: number): FastifyReply {
  const { code, retryAfterMs } = errors[0]?.extensions ?? {};
  setFaultStatus(reply, code, typeof retryAfterMs === 'number' ? retryAfterMs : undefined);
  if (status !== undefined) reply.code(status);
  const requestId = reply.request.id;
  const told = errors.map((error) => ({ ...error, extensions: { ...error.extensions, requestId } }));
  return reply.type('application/json; charset=utf-8').send({ errors: told });
}
