// Owns what the outcome of an attempt, or of a probe, means for the circuit of its candidate.
import type { ProviderError } from '../../kernel/errors.ts';
import type { CircuitOutcome } from '../routing/circuits.ts';
import { FAULT_MEANINGS, isFinal } from '../routing/fault-meanings.ts';
import type { AttemptResult } from './attempt.ts';

const MAX_REASON = 300;
const NEUTRAL: CircuitOutcome = { result: 'neutral', firstTokenMs: null };

/** `undefined`: the candidate was not called after all. */
export function outcomeOfAttempt(result: AttemptResult | undefined): CircuitOutcome {
  if (!result || result.stopped) return NEUTRAL;
  const { error, firstTokenMs } = result;
  if (!error) return { result: 'success', firstTokenMs };
  return faultOutcome(FAULT_MEANINGS[error.code].ailing ? 'failure' : 'neutral', error);
}

/** A provider that refuses the small request has recovered too, because the circuit had opened for lack of answers. */
export function outcomeOfProbe({ error, firstTokenMs }: AttemptResult, closing: boolean): CircuitOutcome {
  if (!error || firstTokenMs !== null) return { result: 'success', firstTokenMs };
  if (closing) return NEUTRAL;
  return faultOutcome(isFinal(error) ? 'success' : 'failure', error);
}

function faultOutcome(result: CircuitOutcome['result'], error: ProviderError): CircuitOutcome {
  const { code, message, retryAfterMs } = error;
  const quiet = code === 'PROVIDER_RATE_LIMITED' && retryAfterMs !== undefined;
  return {
    result,
    firstTokenMs: null,
    reason: `${code}: ${message}`.slice(0, MAX_REASON),
    ...(quiet ? { quietMs: retryAfterMs } : {}),
  };
}
