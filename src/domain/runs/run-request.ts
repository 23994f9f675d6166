// Owns the fields that every request for a run has, whatever its kind and door.
import type { JsonObject } from '../../kernel/json.ts';
import type { Fallback } from '../routing/route-plan.ts';

export interface RunRequest {
  /** Instance slug, canonical model id, `tag:<name>`, or `auto`. */
  readonly model: string;
  /** What happens to a field that the chosen protocol cannot express: the request is refused, or the field is dropped. */
  readonly onUnsupported: 'REFUSE' | 'DROP';
  readonly routing: RoutingOptions;
  readonly onDetach: OnDetach;
  /** For how long, in milliseconds, a run with `onDetach: CANCEL` goes on without a reader. */
  readonly detachGraceMs: number;
  /** Names the run for 24 hours, per workspace and caller. */
  readonly idempotencyKey?: string;
  /** The caller's own data, stored with the run. */
  readonly metadata: JsonObject;
}

export interface RoutingOptions {
  readonly fallback?: Fallback;
  /** The most calls in the whole run, and of one instance. */
  readonly maxAttempts?: number;
  readonly maxAttemptsPerInstance?: number;
  /** Bound on the whole run in milliseconds. */
  readonly totalMs?: number;
  /** How long a provider's `Retry-After` is waited out, in milliseconds. */
  readonly patienceMs?: number;
  /** Decimal text of nano-dollars per million tokens. */
  readonly maxPrice?: { readonly input?: string; readonly output?: string };
  /** Slugs of instances that must not be called. */
  readonly exclude?: readonly string[];
  readonly stickyKey?: string;
  readonly commit?: 'FIRST_TOKEN' | 'COMPLETE';
  readonly onStreamFault?: 'RESTART' | 'FAIL';
}

export type OnDetach = 'CONTINUE' | 'CANCEL';

/** The values, for every kind and at every door, of fields that a caller leaves out. */
export const RUN_DEFAULTS = {
  routing: {},
  metadata: {},
  onUnsupported: 'REFUSE',
  onDetach: 'CONTINUE',
  detachGraceMs: 30_000,
} as const satisfies Partial<RunRequest>;
