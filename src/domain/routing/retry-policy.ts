// Owns what happens after a fault: the same instance again, the next one, or the end. Pure; the table of it is in its tests.
import type { ProviderError } from '../../kernel/errors.ts';
import { isFinal, mayPass } from './fault-meanings.ts';

export interface FaultSituation {
  readonly error: ProviderError;
  /** Content of the attempt was already shown. */
  readonly shown: boolean;
  /** What a fault after that leads to. */
  readonly onStreamFault: 'RESTART' | 'FAIL';
  /** Calls of this instance within the run until now, and how many there may be. */
  readonly attemptsHere: number;
  readonly maxHere: number;
  /** Calls that the run may still make of anything. */
  readonly attemptsLeft: number;
  /** Candidates that were not asked yet and that this fault does not rule out. */
  readonly waiting: number;
  /** Of those that were not asked, the ones that have as good a claim to a call as a retry here: a fallback has less than what was named. */
  readonly waitingPeers: number;
  /** Those that were left for others and may be asked again. */
  readonly returning: number;
  /** How long a provider may make the caller wait. */
  readonly patienceMs: number;
  /** Until the run's own limit. */
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
/** How often an instance is asked before those that wait have been asked once. */
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

/** How long to wait before the same instance is asked again, whoever else waits; `undefined`: it is not. */
export function waitBeforeRetry(situation: FaultSituation): number | undefined {
  const { error, attemptsHere, maxHere, patienceMs, remainingMs } = situation;
  if (attemptsHere >= maxHere || !mayPass(error)) return undefined;
  const asked = error.retryAfterMs;
  if (asked !== undefined && asked > patienceMs) return undefined;
  const waitMs = asked ?? fullJitter(attemptsHere, situation.random);
  return waitMs < remainingMs ? waitMs : undefined;
}

/** Each candidate that waits is asked before this one is asked a third time, and its peers do not lose their only call to a retry here. */
function othersComeFirst(situation: FaultSituation): boolean {
  const { error, attemptsHere, attemptsLeft, waiting, waitingPeers } = situation;
  if (waiting === 0) return false;
  // What broke off in its answer goes elsewhere if it can: the caller has waited for it once already.
  return error.phase === 'stream' || attemptsHere >= CALLS_BEFORE_OTHERS || attemptsLeft <= waitingPeers;
}

/** https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
function fullJitter(attemptsHere: number, random: () => number): number {
  const cap = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** attemptsHere);
  return Math.round(random() * cap);
}
