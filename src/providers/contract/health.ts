// Owns the contract of the capability "health": one cheap call that shows whether a provider config works.
import type { CallOptions, ProviderTarget } from './target.ts';

/** The capability that every protocol has. */
export interface Health {
  /** Makes the cheapest call that proves address and credential. Returns where both are good; raises `ProviderError` that says what is wrong. */
  check(target: ProviderTarget, options: CallOptions): Promise<void>;
}
