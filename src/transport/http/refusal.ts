// Owns the refusal of a request at any door: its meaning in a neutral form, which each door writes in its own form.
import type { FastifyReply } from 'fastify';
import type { ErrorCode } from '../../kernel/errors.ts';
import { setFaultStatus } from './fault-status.ts';

/** Why a request is refused. A `GatewayError` has this form already. */
export interface Refusal {
  /** `BAD_REQUEST`: it is not a well-formed request of this door. */
  readonly code: ErrorCode | 'BAD_REQUEST';
  readonly message: string;
  /** Where in the input the fault lies. */
  readonly path?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  /** Further facts for the caller; plain JSON. */
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** The HTTP status, if the code alone does not decide it. */
  readonly status?: number;
}

export interface SpelledRefusal {
  readonly body: object;
  /** Replaces the status that the code has at all doors. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Makes the answer in the form that the door's clients understand. */
export type SpellRefusal = (refusal: Refusal, requestId: string) => SpelledRefusal;

/** Answers with the status of the refusal's code, and with the time to try again if that is known. */
export function refuse(reply: FastifyReply, refusal: Refusal, spell: SpellRefusal): FastifyReply {
  const { body, status = refusal.status, headers = {} } = spell(refusal, reply.request.id);
  setFaultStatus(reply, refusal.code, refusal.retryAfterMs);
  if (status !== undefined) reply.code(status);
  return reply.headers(headers).type('application/json; charset=utf-8').send(body);
}
