// Owns the contract of the capability "models": a provider is asked which models its credential can see.
import type { CallOptions, ProviderTarget } from './target.ts';

/** The capability of a protocol that has a call for the list of models. */
export interface Models {
  /**
   * The models that the credential can see, in the provider's order, each key once.
   * Raises `ProviderError`; its code is `CAPABILITY_MISSING` where this provider's row says that it has no list.
   */
  list(target: ProviderTarget, options: CallOptions): Promise<ListedModel[]>;
}

/** What a provider tells of one of its models; what is absent it does not tell, and the catalogue may. */
export interface ListedModel {
  /** The model's name on the wire. */
  readonly key: string;
  readonly displayName?: string;
  /** Tokens of input and output together. */
  readonly contextLength?: number;
  /** Tokens of one answer. */
  readonly maxOutputTokens?: number;
  /** In the catalogue's words: `text`, `image`, `embedding`. */
  readonly inputModalities?: readonly string[];
  readonly outputModalities?: readonly string[];
  /** In the catalogue's words: `tools`, `json`, `json-schema`, `reasoning`. */
  readonly capabilities?: readonly string[];
}
