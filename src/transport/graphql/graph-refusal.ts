// Owns how the graph's door spells a refusal: errors in the form of GraphQL, under the status of the first one's code.
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

/** With what GraphQL's own stages found, which may be several. */
export function refuseWithErrors(
  reply: FastifyReply,
  errors: readonly GraphQLFormattedError[],
): FastifyReply {
  const { code, retryAfterMs } = errors[0]?.extensions ?? {};
  setFaultStatus(reply, code, typeof retryAfterMs === 'number' ? retryAfterMs : undefined);
  return reply.type('application/json; charset=utf-8').send({ errors });
}
