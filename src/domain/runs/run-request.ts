// Owns what every request for a run has in common, whatever kind of call it is and whichever door it came through.
import type { JsonObject } from '../../kernel/json.ts';
import type { Fallback } from '../routing/route-plan.ts';

export interface RunRequest {
  /** Instance slug, canonical model id, `tag:<name>`, or `auto`. */
  readonly model: string;
  /** What to do with a field that the chosen protocol cannot express. */
  readonly onUnsupported: 'REFUSE' | 'DROP';
  readonly routing: RoutingOptions;
  readonly onDetach: OnDetach;
  /** For how long, in milliseconds, a run with `onDetach: CANCEL` goes on without a reader. */
  readonly detachGraceMs: number;
  /** Names the run for 24 hours, per workspace and caller. */
  readonly idempotencyKey?: string;
  /** The caller's own notes, stored with the run. */
  readonly metadata: JsonObject;
}

export interface RoutingOptions {
  readonly fallback?: Fallback;
  /** Calls in all, and of one instance. */
  readonly maxAttempts?: number;
  readonly maxAttemptsPerInstance?: number;
  /** Bound on the whole run in milliseconds. */
  readonly totalMs?: number;
  /** How long a provider's `Retry-After` is waited out, in milliseconds. */
  readonly patienceMs?: number;
  /** Decimal text of nano-dollars per million tokens. */
  readonly maxPrice?: { readonly input?: string; readonly output?: string };
  /** Slugs that are not to serve. */
  readonly exclude?: readonly string[];
  readonly stickyKey?: string;
  readonly commit?: 'FIRST_TOKEN' | 'COMPLETE';
  readonly onStreamFault?: 'RESTART' | 'FAIL';
}

export type OnDetach = 'CONTINUE' | 'CANCEL';

/** What holds where a caller says nothing, at every door. */
export const RUN_DEFAULTS = {
  onUnsupported: 'REFUSE',
  onDetach: 'CONTINUE',
  detachGraceMs: 30_000,
} as const satisfies Partial<RunRequest>;
