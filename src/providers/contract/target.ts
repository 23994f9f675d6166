// Owns the contract of every call's circumstances: where and as whom a provider is called, and how the caller stops and watches the call.
import type { JsonObject } from '../../kernel/json.ts';
import type { Secret } from '../../kernel/secret.ts';

/** Where and as whom to call: a provider config joined with its spec. */
export interface ProviderTarget {
  readonly configId: string;
  readonly providerKey: string;
  /** Without a trailing slash, its settings already filled in. */
  readonly baseUrl: string;
  readonly auth: AuthScheme;
  /** The credential; absent where the provider needs none. */
  readonly secret?: Secret;
  /** Extra request headers of the config; they count as secrets. */
  readonly headers: Readonly<Record<string, Secret>>;
  /** Provider-specific settings, valid against the spec's JSON Schema. */
  readonly settings: JsonObject;
  /** Named deviations from the protocol: provider row, then model row over it. Each adapter validates its own. */
  readonly quirks: JsonObject;
  /** False where the provider's row says that it does not list its models. */
  readonly hasModelList?: boolean;
  readonly connectTimeoutMs: number;
}

/** How the credential travels. `header` puts `<prefix><secret>` into the named header. */
export type AuthScheme =
  | { readonly type: 'none' }
  | { readonly type: 'header'; readonly header: string; readonly prefix: string; readonly optional: boolean }
  | { readonly type: 'aws' }
  | { readonly type: 'gigachat' }
  | { readonly type: 'google' };

export interface CallOptions {
  readonly signal: AbortSignal;
  /** Of a completion: nobody sees any of the answer before it is whole, so it may as well come in one piece. */
  readonly wholeSuffices?: boolean;
  /** Is told of what is no content, for the limits on time. */
  readonly onSign?: (sign: CallSign) => void;
}

/** `alive`: the provider has sent something, if only a comment. `whole`: the answer was asked for in one piece, so that nothing comes before its end. */
export type CallSign = 'alive' | 'whole';
