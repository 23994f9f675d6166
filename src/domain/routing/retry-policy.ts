// Owns what happens after a fault: the same instance again, the next one, or the end. Pure; the table of it is in its tests.
import type { ProviderError } from '../../kernel/errors.ts';

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
  /** Whether another candidate is left that this fault does not rule out. */
  readonly anotherWaits: boolean;
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

/** What a fault says beyond the one call: candidates that it rules out. */
export type RuledOut = 'CONFIG' | 'MODEL' | 'SMALLER_CONTEXT' | undefined;

const BACKOFF_BASE_MS = 200;
const BACKOFF_CAP_MS = 4_000;
/** The same request would fare no better anywhere, or the caller has to know. */
const FINAL = new Set(['PROVIDER_INVALID_REQUEST', 'PROVIDER_CONTENT_FILTERED', 'CANCELLED']);
const REQUEST_TIMEOUT = 408;

export function nextStep(situation: FaultSituation): NextStep {
  const { error, shown, onStreamFault, attemptsLeft, anotherWaits } = situation;
  if (attemptsLeft <= 0 || situation.remainingMs <= 0) return { type: 'stop' };
  if (shown && onStreamFault === 'FAIL') return { type: 'stop' };
  // Some refusals of a request pass by themselves, as a tool call that the model wrote wrongly.
  if (FINAL.has(error.code) && !error.transient) return { type: 'stop' };
  const waitMs = waitInPlace(situation);
  if (waitMs !== undefined) return { type: 'retry', waitMs };
  return { type: anotherWaits ? 'next' : 'stop' };
}

/** Which other candidates the fault concerns too: a bad key its config, an unknown model that model there, a full context all smaller ones. */
export function ruledOutBy(error: ProviderError): RuledOut {
  switch (error.code) {
    case 'PROVIDER_AUTHENTICATION':
      return 'CONFIG';
    case 'PROVIDER_RATE_LIMITED':
      // A quota that is used up is the account's, and does not pass.
      return error.transient ? undefined : 'CONFIG';
    case 'MODEL_UNAVAILABLE':
    case 'CAPABILITY_MISSING':
      return 'MODEL';
    case 'CONTEXT_LENGTH_EXCEEDED':
      return 'SMALLER_CONTEXT';
    default:
      return undefined;
  }
}

/** How long to wait before the same instance is asked again; `undefined`: it is not. */
function waitInPlace(situation: FaultSituation): number | undefined {
  const { error, attemptsHere, maxHere, patienceMs, remainingMs, anotherWaits } = situation;
  if (attemptsHere >= maxHere || !mayPass(error)) return undefined;
  // What breaks amid its answer goes elsewhere if it can.
  if (error.phase === 'stream' && anotherWaits) return undefined;
  const asked = error.retryAfterMs;
  if (asked !== undefined && asked > patienceMs) return undefined;
  const waitMs = asked ?? fullJitter(attemptsHere, situation.random);
  return waitMs < remainingMs ? waitMs : undefined;
}

function mayPass(error: ProviderError): boolean {
  switch (error.code) {
    case 'PROVIDER_TIMEOUT':
      // A silent provider is not asked twice; one that says itself that it waited too long is.
      return error.status === REQUEST_TIMEOUT;
    case 'PROVIDER_PROTOCOL':
      return true;
    default:
      return error.transient;
  }
}

/** https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
function fullJitter(attemptsHere: number, random: () => number): number {
  const cap = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** attemptsHere);
  return Math.round(random() * cap);
}
