// Owns the shapes that are read from answers: only the fields in use, each of unknown type, since many different servers write them.
import type { JsonValue } from '../../kernel/json.ts';

export interface WireChunk {
  readonly id?: unknown;
  readonly model?: unknown;
  readonly choices?: unknown;
  readonly usage?: unknown;
  readonly error?: unknown;
  readonly object?: unknown;
  readonly message?: unknown;
  readonly detail?: unknown;
  /** Groq puts usage and errors here. */
  readonly x_groq?: { readonly usage?: unknown; readonly error?: unknown } | null;
}

export interface WireChoice {
  readonly index?: number;
  readonly delta?: WireDelta | null;
  /** In an answer that is not streamed, and beside an empty delta in Perplexity's last chunk. */
  readonly message?: WireDelta | null;
  /** Field of the old text completions. */
  readonly text?: unknown;
  readonly finish_reason?: unknown;
}

export interface WireDelta {
  readonly content?: unknown;
  readonly refusal?: unknown;
  readonly reasoning_content?: unknown;
  readonly reasoning?: unknown;
  readonly reasoning_details?: unknown;
  readonly tool_calls?: unknown;
  readonly function_call?: WireFunction | null;
  readonly images?: unknown;
  readonly audio?: unknown;
}

export interface WireToolCall {
  readonly index?: unknown;
  readonly id?: unknown;
  readonly function?: WireFunction | null;
}

export interface WireFunction {
  readonly name?: unknown;
  readonly arguments?: unknown;
}

/** The reasoning fields that are sent back with an assistant message, under the names in which they came. */
export interface EchoedReasoning {
  reasoning_content?: string;
  reasoning?: string;
  reasoning_details?: JsonValue[];
  /** Mistral: the text of the chunk `thinking` within the content. */
  thinking?: string;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
