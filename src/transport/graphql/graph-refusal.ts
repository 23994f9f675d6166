// Owns the form of a refusal at the graph's door: GraphQL errors, with the HTTP status of the first one's code.
import type { FastifyReply } from 'fastify';
import type { GraphQLFormattedError } from 'graphql';
import { toExtensions } from '../../graphql/error-format.ts';
import { setFaultStatus } from '../http/fault-status.ts';
import { type Refusal, refuse, type SpellRefusal } from '../http/refusal.ts';

export const spellAsGraph: SpellRefusal = (refusal, requestId) => ({
  body: { errors: [{ message: refusal.message, extensions: toExtensions(refusal, requestId) }] },
});

export function refuseAsGraph(reply: FastifyReply, refusal: Refusal): FastifyReply {
  return refuse(reply, refusal, spellAsGraph);
}

/** Answers with the errors that GraphQL's own stages have found, which may be several. */
export function refuseWithErrors(
  reply: FastifyReply,
  errors: readonly GraphQLFormattedError[],
): FastifyReply {
  const { code, retryAfterMs } = errors[0]?.extensions ?? {};
  setFaultStatus(reply, code, typeof retryAfterMs === 'number' ? retryAfterMs : undefined);
  return reply.type('application/json; charset=utf-8').send({ errors });
}
