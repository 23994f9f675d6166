// Owns the contract of the capability "completions": the request of a conversation, and the parts of its answer.
import type { JsonObject, JsonValue } from '../../kernel/json.ts';
import type { OptionRules } from './option-rules.ts';
import type { CallOptions, ProviderTarget } from './target.ts';

/** The capability of a protocol whose models answer a conversation. */
export interface Completions {
  /** The fields of this protocol's request that `providerOptions` may not set. */
  readonly optionRules: OptionRules;
  /**
   * Runs one completion.
   * Each yielded array holds the parts of one read from the provider and is never empty: yield what has come without waiting for more. The last part of
   * all is `finish`, exactly once; an answer that stops without it, and every other fault, is raised as `ProviderError`, after the parts that came
   * before it. If the consumer leaves the loop, or `options.signal` is aborted, the request to the provider must end at once.
   * Fields that `unsupported` lists are left out of the request. Nothing is retried here: the gateway does that.
   */
  stream(request: ProviderRequest, options: CallOptions): AsyncIterable<StreamPart[]>;
  /**
   * The parts of the request that this protocol, with these quirks, cannot express; empty if there are none. The gateway refuses the request for it or
   * drops them, as the caller wishes. Pure, without I/O.
   */
  unsupported(request: ProviderRequest): Unsupported[];
}

export interface ProviderRequest {
  readonly target: ProviderTarget;
  readonly model: {
    /** The model's name in the provider's API. */
    readonly key: string;
    readonly maxOutputTokens?: number;
    readonly reasoning: boolean;
  };
  readonly messages: readonly Message[];
  readonly parameters: Parameters;
  readonly tools: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  readonly responseFormat?: ResponseFormat;
  /** Further fields of the request's body for this protocol, to be merged in last. The gateway has checked them against `optionRules`. */
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
  /** For role `assistant`: the value that this protocol gave in `finish` for that message, to be sent back to the provider. */
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
  /** Bound on reasoning tokens, for protocols that have one. */
  readonly reasoningTokens?: number;
  readonly parallelToolCalls?: boolean;
}

export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'max';

/** One piece of an answer. Exactly one `finish` ends a stream. */
export type StreamPart =
  | { readonly type: 'response-start'; readonly servedModel?: string; readonly providerRequestId?: string }
  | { readonly type: 'text-delta'; readonly text: string }
  | { readonly type: 'reasoning-delta'; readonly text: string }
  /** The first delta of an `index` carries `name`, and `callId`, which the adapter makes if the provider gives none. */
  | {
      readonly type: 'tool-call-delta';
      readonly index: number;
      readonly callId?: string;
      readonly name?: string;
      readonly argumentsText: string;
    }
  /** The counts so far; a later part replaces an earlier one. */
  | { readonly type: 'usage'; readonly usage: ProviderUsage }
  | { readonly type: 'warning'; readonly code: string; readonly message: string }
  | {
      readonly type: 'finish';
      readonly reason: FinishReason;
      /** The provider's own word for the reason. */
      readonly providerReason?: string;
      /** Data that must be sent back with this assistant message in a tool loop (signatures, encrypted reasoning); plain JSON that only this adapter reads. */
      readonly continuation?: JsonValue;
    };

/**
 * By type of part: its texts that tell of the answer and are no content. A provider may have put anything into them, so the gateway removes its own
 * secrets from them; content is the caller's and stays as it is.
 */
export const TEXTS_BESIDE_CONTENT: {
  readonly [Type in StreamPart['type']]: readonly (keyof Extract<StreamPart, { readonly type: Type }>)[];
} = {
  'response-start': ['servedModel', 'providerRequestId'],
  'text-delta': [],
  'reasoning-delta': [],
  'tool-call-delta': [],
  usage: [],
  warning: ['code', 'message'],
  finish: ['providerReason'],
};

export type FinishReason = 'stop' | 'length' | 'tool-calls' | 'content-filter' | 'other';

/** The provider's count of tokens; each token is counted in one field only. */
export interface ProviderUsage {
  /** Input tokens that were neither read from a cache nor written to one. */
  readonly inputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  /** Visible output (text and tool calls), without reasoning. */
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

export interface Unsupported {
  /** Path in the completion input, e.g. `parameters.topK`. */
  readonly path: string;
  readonly message: string;
}
