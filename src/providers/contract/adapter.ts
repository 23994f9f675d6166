// Owns the contract between the gateway and a wire protocol: what is asked, the parts that come back, and who speaks it.
import type { JsonObject, JsonValue } from '../../kernel/json.ts';
import type { Secret } from '../../kernel/secret.ts';
import type { OptionRules } from './option-rules.ts';

/** One wire protocol. Stateless but for what it is constructed with (HTTP pools, a token cache). */
export interface Adapter {
  /** Protocol name, as in `ProviderSpec.protocol`. */
  readonly protocol: string;
  /** What `providerOptions` may not set in this protocol's requests. */
  readonly optionRules: OptionRules;
  /** Its answers are made up, so it serves only requests that name it: it never stands in for a real model. */
  readonly simulated?: boolean;
  /**
   * Runs one completion. Each yielded array holds the parts of one upstream read, never empty. The last part of all is `finish`; anything else
   * is raised as `ProviderError`. Leaving the loop, or aborting the signal, stops the upstream request.
   */
  stream(request: ProviderRequest, options: CallOptions): AsyncIterable<StreamPart[]>;
  /** What of the request this protocol, with these quirks, cannot express. Pure; no I/O. Such fields are left out by `stream`. */
  unsupported(request: ProviderRequest): Unsupported[];
  /** Models that the credentials can see. Absent if the protocol has no such call. */
  listModels?(target: ProviderTarget, options: CallOptions): Promise<ListedModel[]>;
  /** What is wrong with the quirks of a row, each with its place and what is known; absent: nothing is checked. Pure. */
  faultsOfQuirks?(quirks: JsonObject): readonly QuirksFault[];
  /** The cheapest call that proves address and credentials; raises `ProviderError`. */
  check(target: ProviderTarget, options: CallOptions): Promise<void>;
}

export interface QuirksFault {
  /** Dots between the steps; empty for the quirks as a whole. */
  readonly path: string;
  readonly message: string;
}

export interface CallOptions {
  readonly signal: AbortSignal;
  /** Nobody sees any of the answer before it is whole, so it may as well come in one piece. */
  readonly wholeSuffices?: boolean;
  /** Is told of what is no content, for the limits on time. */
  readonly onSign?: (sign: CallSign) => void;
}

/** `alive`: the provider has sent something, if only a comment. `whole`: the answer was asked for in one piece, so that nothing comes before its end. */
export type CallSign = 'alive' | 'whole';

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

export interface ProviderRequest {
  readonly target: ProviderTarget;
  readonly model: {
    /** The model's name on the wire. */
    readonly key: string;
    readonly maxOutputTokens?: number;
    readonly reasoning: boolean;
  };
  readonly messages: readonly Message[];
  readonly parameters: Parameters;
  readonly tools: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  readonly responseFormat?: ResponseFormat;
  /** Further body fields for this protocol, merged in last; they keep this protocol's `optionRules`. */
  readonly providerOptions: JsonObject;
}

export type Role = 'system' | 'user' | 'assistant' | 'tool';

export interface Message {
  readonly role: Role;
  readonly parts: readonly MessagePart[];
  /** Calls that an assistant message made. */
  readonly toolCalls: readonly ToolCall[];
  /** For role `tool`: the call that this message answers. */
  readonly toolCallId?: string;
  /** For role `assistant`: what this same protocol gave with `finish`, to be sent back. */
  readonly continuation?: JsonValue;
}

export type MessagePart =
  | { readonly type: 'text'; readonly text: string; readonly cacheHint?: boolean }
  /** `url` is http(s); otherwise `data` (base64) and `mediaType` are set. */
  | { readonly type: 'image'; readonly image: ImageSource; readonly cacheHint?: boolean };

export type ImageSource =
  | { readonly url: string; readonly detail?: 'auto' | 'low' | 'high' }
  | { readonly data: string; readonly mediaType: string; readonly detail?: 'auto' | 'low' | 'high' };

export interface ToolCall {
  readonly callId: string;
  readonly name: string;
  /** JSON text of an object. */
  readonly argumentsText: string;
}

export interface Tool {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments object. */
  readonly parameters: JsonObject;
  readonly strict?: boolean;
}

export type ToolChoice =
  | { readonly type: 'auto' | 'none' | 'required' }
  | { readonly type: 'tool'; readonly name: string };

export type ResponseFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json' }
  | {
      readonly type: 'json-schema';
      readonly name: string;
      readonly description?: string;
      readonly schema: JsonObject;
      readonly strict?: boolean;
    };

export interface Parameters {
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly stop?: readonly string[];
  readonly seed?: number;
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly repetitionPenalty?: number;
  /** Token id (as text) to bias. */
  readonly logitBias?: Readonly<Record<string, number>>;
  readonly reasoningEffort?: ReasoningEffort;
  /** Upper bound on reasoning tokens, for protocols that take one. */
  readonly reasoningTokens?: number;
  readonly parallelToolCalls?: boolean;
}

export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'max';

/** One piece of an answer. Exactly one `finish` ends a stream. */
export type StreamPart =
  | { readonly type: 'response-start'; readonly servedModel?: string; readonly providerRequestId?: string }
  | { readonly type: 'text-delta'; readonly text: string }
  | { readonly type: 'reasoning-delta'; readonly text: string }
  /** The first delta of an `index` carries `callId` (minted if the provider has none) and `name`. */
  | {
      readonly type: 'tool-call-delta';
      readonly index: number;
      readonly callId?: string;
      readonly name?: string;
      readonly argumentsText: string;
    }
  /** What is known so far; a later one replaces it. */
  | { readonly type: 'usage'; readonly usage: ProviderUsage }
  | { readonly type: 'warning'; readonly code: string; readonly message: string }
  | {
      readonly type: 'finish';
      readonly reason: FinishReason;
      /** The provider's own word for it. */
      readonly providerReason?: string;
      /** What must be sent back with this assistant message in a tool loop. */
      readonly continuation?: JsonValue;
    };

export type FinishReason = 'stop' | 'length' | 'tool-calls' | 'content-filter' | 'other';

/** Each token is counted in one place only. */
export interface ProviderUsage {
  /** Input read without a cache. */
  readonly inputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  /** Visible output: text and tool calls, without reasoning. */
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

export interface Unsupported {
  /** Path in the completion input, e.g. `parameters.topK`. */
  readonly path: string;
  readonly message: string;
}

export interface ListedModel {
  readonly key: string;
  readonly displayName?: string;
  readonly contextLength?: number;
  readonly maxOutputTokens?: number;
  readonly inputModalities?: readonly string[];
  readonly outputModalities?: readonly string[];
  readonly capabilities?: readonly string[];
}

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

/** The one way out to providers: pooled, with time to connect bounded and addresses checked. Faults are `ProviderError`. */
export interface UpstreamHttp {
  send(request: UpstreamRequest): Promise<UpstreamResponse>;
  close(): Promise<void>;
}

export interface UpstreamRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
  readonly connectTimeoutMs: number;
  /** Further PEM certificates to trust, beside the system's roots. */
  readonly caPem?: string;
}

/** Headers have arrived; the body is read by iterating (one chunk per upstream read) or by `text`. Either releases the connection. */
export interface UpstreamResponse {
  readonly status: number;
  /** Lower-case names; repeated headers joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
  /** The whole body as text, cut at `limitBytes`. Without it an error is cut at 1 MiB, and anything else of more than 16 MiB is `PROVIDER_PROTOCOL`. */
  text(limitBytes?: number): Promise<string>;
}
