// Owns the refusal of a request at any door: its meaning in a neutral form, which each door spells in its own words.
import type { FastifyReply } from 'fastify';
import type { ErrorCode } from '../../kernel/errors.ts';
import { setFaultStatus } from './fault-status.ts';

/** Why a request is refused. A `GatewayError` is one as it is. */
export interface Refusal {
  /** `BAD_REQUEST`: it is no well-formed request of this door. */
  readonly code: ErrorCode | 'BAD_REQUEST';
  readonly message: string;
  /** Where in the input the fault lies. */
  readonly path?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  /** Further facts for the caller; plain JSON. */
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** Where the code alone does not tell the status. */
  readonly status?: number;
}

export interface SpelledRefusal {
  readonly body: object;
  /** Instead of the status that the code has at all doors. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The answer that a door's clients understand. */
export type SpellRefusal = (refusal: Refusal, requestId: string) => SpelledRefusal;

/** Answers under the status of the refusal's code, with when to come back where that is known. */
export function refuse(reply: FastifyReply, refusal: Refusal, spell: SpellRefusal): FastifyReply {
  const { body, status = refusal.status, headers = {} } = spell(refusal, reply.request.id);
  setFaultStatus(reply, refusal.code, refusal.retryAfterMs);
  if (status !== undefined) reply.code(status);
  return reply.headers(headers).type('application/json; charset=utf-8').send(body);
}
