// Owns a completion request in the form in which every door hands it over.
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
} from '../../providers/contract/completions.ts';
import { RUN_DEFAULTS, type RunRequest } from '../runs/run-request.ts';

export type { ImageSource, MessagePart, ResponseFormat, ToolChoice };

export interface CompletionRequest extends RunRequest {
  readonly messages: readonly RequestMessage[];
  readonly parameters: Parameters;
  readonly tools: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  readonly responseFormat?: ResponseFormat;
  /** By protocol name: further fields for the provider's request, verbatim. */
  readonly providerOptions: Readonly<Record<string, JsonObject>>;
}

/** The values, at every door, of fields that a caller leaves out. */
export const COMPLETION_DEFAULTS = {
  ...RUN_DEFAULTS,
  parameters: {},
  tools: [],
  providerOptions: {},
} as const satisfies Partial<CompletionRequest>;

export interface RequestMessage {
  readonly role: Role;
  readonly parts: readonly MessagePart[];
  readonly toolCalls: readonly ToolCall[];
  readonly toolCallId?: string;
  /** The `continuation` that an earlier completion gave. */
  readonly continuation?: string;
}
