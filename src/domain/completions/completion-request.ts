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
} from '../../providers/contract/completions.ts';
import type { RunRequest } from '../runs/run-request.ts';

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

export interface RequestMessage {
  readonly role: Role;
  readonly parts: readonly MessagePart[];
  readonly toolCalls: readonly ToolCall[];
  readonly toolCallId?: string;
  /** As a completion gave it. */
  readonly continuation?: string;
}
