// Owns the result of a completion, and how that is stored with its run.
import type { ToolCall } from '../../providers/contract/completions.ts';
import type { StoredResult } from '../../storage/run-columns.ts';
import type { RunRecord } from '../runs/run-record.ts';

/** Plain JSON. */
export interface CompletionResult {
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly ToolCall[];
  /** Opaque; sent back with the assistant message in a tool loop. */
  readonly continuation: string | null;
}

export type CompletionRecord = RunRecord<CompletionResult>;

export const NO_RESULT: CompletionResult = { text: '', reasoning: '', toolCalls: [], continuation: null };

export function toStoredResult({ text, reasoning, toolCalls, continuation }: CompletionResult): StoredResult {
  return { text, reasoning, toolCalls, continuation };
}

/** The content is empty if it was not read from the database. */
export function fromStoredResult(stored: Partial<StoredResult>): CompletionResult {
  return {
    text: stored.text ?? '',
    reasoning: stored.reasoning ?? '',
    toolCalls: (stored.toolCalls ?? []) as unknown as readonly ToolCall[],
    continuation: stored.continuation ?? null,
  };
}

/** Size of its texts in UTF-16 units. */
export function sizeOfResult({ text, reasoning, toolCalls, continuation }: CompletionResult): number {
  const calls = toolCalls.reduce((sum, { argumentsText }) => sum + argumentsText.length, 0);
  return text.length + reasoning.length + calls + (continuation?.length ?? 0);
}
