// Owns the contract of a cache for tokens that are issued for a while: adapters ask it, a store of this node or of all nodes keeps them.

/** Tokens that a provider issues for a while (OAuth); shared between nodes where there is a shared store. */
export interface TokenCache {
  /**
   * The token under `key` if it lives for `minLifeMs` more, otherwise what `fetch` gives: called once, however many ask meanwhile.
   * A token equal to `rejected` counts as dead.
   */
  get(key: string, options: TokenRequest): Promise<string>;
}

export interface TokenRequest {
  readonly minLifeMs: number;
  readonly rejected?: string;
  readonly signal: AbortSignal;
  fetch(signal: AbortSignal): Promise<{ readonly token: string; readonly expiresAtMs: number }>;
}
