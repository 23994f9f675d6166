// Owns what a door hands over: a completion as the caller asked for it, the same whichever door it came through.
import type { JsonObject } from '../../kernel/json.ts';
import type {
  ImageSource,
  MessagePart,
  Parameters,
  ResponseFormat,
  Role,
  Tool,
  ToolCall,
  ToolChoice,
} from '../../providers/contract/adapter.ts';
import type { Fallback } from '../routing/route-plan.ts';

export type { ImageSource, MessagePart, ResponseFormat, ToolChoice };

export interface CompletionRequest {
  /** Instance slug, canonical model id, `tag:<name>`, or `auto`. */
  readonly model: string;
  readonly messages: readonly RequestMessage[];
  readonly parameters: Parameters;
  readonly tools: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  readonly responseFormat?: ResponseFormat;
  /** By protocol name: further fields for the provider's request, verbatim. */
  readonly providerOptions: Readonly<Record<string, JsonObject>>;
  /** What to do with a field that the chosen protocol cannot express. */
  readonly onUnsupported: 'REFUSE' | 'DROP';
  readonly routing: RoutingOptions;
  readonly onDetach: OnDetach;
  readonly detachGraceMs: number;
  readonly idempotencyKey?: string;
  readonly metadata: JsonObject;
}

export interface RequestMessage {
  readonly role: Role;
  readonly parts: readonly MessagePart[];
  readonly toolCalls: readonly ToolCall[];
  readonly toolCallId?: string;
  /** As a completion gave it. */
  readonly continuation?: string;
}

export interface RoutingOptions {
  readonly fallback?: Fallback;
  /** Calls in all, and of one instance. */
  readonly maxAttempts?: number;
  readonly maxAttemptsPerInstance?: number;
  /** Bound on the whole run in milliseconds. */
  readonly totalMs?: number;
  /** How long a provider's `Retry-After` is waited out, in milliseconds. */
  readonly patienceMs?: number;
  /** Decimal text of nano-dollars per million tokens. */
  readonly maxPrice?: { readonly input?: string; readonly output?: string };
  /** Slugs that are not to serve. */
  readonly exclude?: readonly string[];
  readonly stickyKey?: string;
  readonly commit?: 'FIRST_TOKEN' | 'COMPLETE';
  readonly onStreamFault?: 'RESTART' | 'FAIL';
}

export type OnDetach = 'CONTINUE' | 'CANCEL';

/** What holds where a caller says nothing, at every door. */
export const COMPLETION_DEFAULTS = {
  parameters: {},
  tools: [],
  providerOptions: {},
  routing: {},
  metadata: {},
  onUnsupported: 'REFUSE',
  onDetach: 'CONTINUE',
  detachGraceMs: 30_000,
} as const satisfies Partial<CompletionRequest>;
