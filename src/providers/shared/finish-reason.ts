// Owns the meaning of a finish reason in an answer that holds tool calls.
import type { FinishReason } from '../contract/completions.ts';

/** Many servers say "stop" after tool calls, and so does OpenAI if a certain tool was demanded. Taken as such, it would end a caller's tool loop. */
export function withCalls(named: FinishReason, calls: number): FinishReason {
  return named === 'stop' && calls > 0 ? 'tool-calls' : named;
}
