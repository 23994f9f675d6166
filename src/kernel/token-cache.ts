// Owns the contract of a cache for tokens that expire: an adapter asks it, and a store of this node or of all nodes keeps the tokens.

/** Tokens that a provider issues for a limited time (OAuth); nodes share them where they share a store. */
export interface TokenCache {
  /**
   * The stored token under `key`, if it stays valid for `minLifeMs` or longer; otherwise the one that `fetch` gives. `fetch` is called once, however
   * many callers wait for it. A token equal to `rejected` counts as expired.
   */
  get(key: string, options: TokenRequest): Promise<string>;
}

export interface TokenRequest {
  readonly minLifeMs: number;
  readonly rejected?: string;
  readonly signal: AbortSignal;
  fetch(signal: AbortSignal): Promise<{ readonly token: string; readonly expiresAtMs: number }>;
}
