// Owns what a finish reason means beside tool calls.
import type { FinishReason } from '../contract/completions.ts';

/** Many servers say "stop" after calls, and OpenAI too where one tool was demanded: a caller's loop must not end there. */
export function withCalls(named: FinishReason, calls: number): FinishReason {
  return named === 'stop' && calls > 0 ? 'tool-calls' : named;
}
