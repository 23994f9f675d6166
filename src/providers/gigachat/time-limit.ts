// Owns a time limit that looks like a provider's timeout: a signal that is aborted by the caller's signal, or when the time is over.
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
