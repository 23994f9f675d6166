// Owns the contract of the capability "models": the list of the models that a credential can see.
import type { CallOptions, ProviderTarget } from './target.ts';

/** The capability of a protocol that has a call for the list of models. */
export interface Models {
  /**
   * The models that the credential can see, in the provider's order, each key once. Raises `ProviderError`; its code is `CAPABILITY_MISSING` if
   * `target.hasModelList` is false.
   */
  list(target: ProviderTarget, options: CallOptions): Promise<ListedModel[]>;
}

/** A provider's facts about one of its models. Leave out what the list does not tell: the catalogue may know it. */
export interface ListedModel {
  /** The model's name in the provider's API. */
  readonly key: string;
  readonly displayName?: string;
  /** The most tokens of input and output together. */
  readonly contextLength?: number;
  /** The most tokens of one answer. */
  readonly maxOutputTokens?: number;
  /** In the catalogue's words: `text`, `image`, `embedding`. */
  readonly inputModalities?: readonly string[];
  readonly outputModalities?: readonly string[];
  /** In the catalogue's words: `tools`, `json`, `json-schema`, `reasoning`. */
  readonly capabilities?: readonly string[];
}
