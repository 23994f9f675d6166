// Owns the contract of what comes with every call: the provider's address and credential, and how the call is stopped and watched.
import type { JsonObject } from '../../kernel/json.ts';
import type { Secret } from '../../kernel/secret.ts';

/** The address, credential and settings of a call: a provider config joined with its spec. */
export interface ProviderTarget {
  readonly configId: string;
  readonly providerKey: string;
  /** The base URL with its placeholders filled in, without a trailing slash. */
  readonly baseUrl: string;
  readonly auth: AuthScheme;
  /** The credential; absent if the provider needs none. It must reach no error, log or part of an answer. */
  readonly secret?: Secret;
  /** Extra request headers of the config; they count as secrets, as the credential does. */
  readonly headers: Readonly<Record<string, Secret>>;
  /** Settings of the config, valid against the JSON Schema of its spec. */
  readonly settings: JsonObject;
  /** Named deviations from the protocol: those of the provider's row, overridden by those of the model's row. Each adapter validates its own. */
  readonly quirks: JsonObject;
  /** False if the provider's row says that it has no list of models. */
  readonly hasModelList?: boolean;
  readonly connectTimeoutMs: number;
}

/** How the credential is sent. `header` puts `<prefix><secret>` into the named header. */
export type AuthScheme =
  | { readonly type: 'none' }
  | { readonly type: 'header'; readonly header: string; readonly prefix: string; readonly optional: boolean }
  | { readonly type: 'aws' }
  | { readonly type: 'gigachat' }
  | { readonly type: 'google' };

export interface CallOptions {
  readonly signal: AbortSignal;
  /** For a completion: true if no part is shown before the answer is whole, so that the adapter may ask for it in one piece. */
  readonly wholeSuffices?: boolean;
  /** Call it for signs of life that are no content: the gateway's time limits depend on them. */
  readonly onSign?: (sign: CallSign) => void;
}

/** `alive`: the provider has sent something, even if it is only a comment. `whole`: the answer was asked for in one piece, so nothing comes before its end. */
export type CallSign = 'alive' | 'whole';
