// Owns what happens after a fault: a call of the same instance again, a call of the next one, or the end. Pure; its tests hold the table of cases.
import type { ProviderError } from '../../kernel/errors.ts';
import { isFinal, mayPass } from './fault-meanings.ts';

export interface FaultSituation {
  readonly error: ProviderError;
  /** True if content of the attempt was shown already. */
  readonly shown: boolean;
  /** What happens after a fault once content was shown: another attempt takes over from the start, or the run fails. */
  readonly onStreamFault: 'RESTART' | 'FAIL';
  /** How many calls of this instance the run has made so far, and how many it may make. */
  readonly attemptsHere: number;
  readonly maxHere: number;
  /** How many calls the run may still make, of any candidate. */
  readonly attemptsLeft: number;
  /** Candidates that have not been called and that this fault does not rule out. */
  readonly waiting: number;
  /** Those of them with the same claim to a call as a retry here. Candidates that only the fallback added have less claim than those that the caller named. */
  readonly waitingPeers: number;
  /** Candidates that failed before and may be called again. */
  readonly returning: number;
  /** How long, in milliseconds, a provider may make the caller wait. */
  readonly patienceMs: number;
  /** Milliseconds until the time limit of the whole run. */
  readonly remainingMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export type NextStep =
  | { readonly type: 'retry'; readonly waitMs: number }
  | { readonly type: 'next' }
  | { readonly type: 'stop' };

const BACKOFF_BASE_MS = 200;
const BACKOFF_CAP_MS = 4_000;
/** How often an instance is called before the candidates that wait have been called once. */
const CALLS_BEFORE_OTHERS = 2;

export function nextStep(situation: FaultSituation): NextStep {
  const { error, shown, onStreamFault, attemptsLeft, waiting, returning } = situation;
  if (attemptsLeft <= 0 || situation.remainingMs <= 0) return { type: 'stop' };
  if (shown && onStreamFault === 'FAIL') return { type: 'stop' };
  if (isFinal(error)) return { type: 'stop' };
  const waitMs = othersComeFirst(situation) ? undefined : waitBeforeRetry(situation);
  if (waitMs !== undefined) return { type: 'retry', waitMs };
  return { type: waiting + returning > 0 ? 'next' : 'stop' };
}

/** How long to wait before a retry at the same instance, leaving other candidates aside; `undefined` if there is to be none. */
export function waitBeforeRetry(situation: FaultSituation): number | undefined {
  const { error, attemptsHere, maxHere, patienceMs, remainingMs } = situation;
  if (attemptsHere >= maxHere || !mayPass(error)) return undefined;
  const asked = error.retryAfterMs;
  if (asked !== undefined && asked > patienceMs) return undefined;
  const waitMs = asked ?? fullJitter(attemptsHere, situation.random);
  return waitMs < remainingMs ? waitMs : undefined;
}

/**
 * True if a candidate that waits is to be called now: each one is called before this instance is called a third time, and a retry here never takes the
 * only call that is left for a candidate with the same claim.
 */
function othersComeFirst(situation: FaultSituation): boolean {
  const { error, attemptsHere, attemptsLeft, waiting, waitingPeers } = situation;
  if (waiting === 0) return false;
  // If the fault came within the answer, another candidate is preferred: the caller has already waited for this one once.
  return error.phase === 'stream' || attemptsHere >= CALLS_BEFORE_OTHERS || attemptsLeft <= waitingPeers;
}

/** https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
function fullJitter(attemptsHere: number, random: () => number): number {
  const cap = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** attemptsHere);
  return Math.round(random() * cap);
}
