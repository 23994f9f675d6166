// Owns the contract of the capability "health": one cheap call that shows whether a provider config works.
import type { CallOptions, ProviderTarget } from './target.ts';

/** The capability that every adapter must have. */
export interface Health {
  /** Makes the cheapest call that proves the address and the credential. Returns if both are good; otherwise raises `ProviderError` that says what is wrong. */
  check(target: ProviderTarget, options: CallOptions): Promise<void>;
}
