// Owns a bound on time that shows itself as a provider's: a signal that is aborted by the caller's, or when the time is over.
import { ProviderError } from '../../kernel/errors.ts';

export interface TimeLimit extends Disposable {
  readonly signal: AbortSignal;
}

export function timeLimit(signal: AbortSignal, ms: number, message: string): TimeLimit {
  const limit = new AbortController();
  const fault = () => new ProviderError('PROVIDER_TIMEOUT', message, { phase: 'headers', transient: true });
  const timer = setTimeout(() => limit.abort(fault()), ms);
  return {
    signal: AbortSignal.any([signal, limit.signal]),
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
