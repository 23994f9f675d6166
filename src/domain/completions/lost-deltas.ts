// Owns the content of a completion's result that its logged events lack: reasoning, text and tool calls, each from the point where the log stops.
import type { UnplacedContent } from '../runs/kind.ts';
import { type CompletionEvent, ContentSum, isDelta } from './completion-event.ts';
import type { CompletionResult } from './completion-result.ts';

/** `undefined` if the logged content is not the beginning of the result. */
export function lostDeltas(
  logged: readonly CompletionEvent[],
  result: CompletionResult,
): UnplacedContent[] | undefined {
  const shown = shownIn(logged);
  if (!result.reasoning.startsWith(shown.reasoning) || !result.text.startsWith(shown.text)) return undefined;
  const pieces: UnplacedContent[] = [];
  const reasoning = result.reasoning.slice(shown.reasoning.length);
  const text = result.text.slice(shown.text.length);
  if (reasoning !== '') pieces.push({ type: 'reasoning-delta', text: reasoning });
  if (text !== '') pieces.push({ type: 'text-delta', text });
  for (const [index, call] of result.toolCalls.entries()) {
    const begun = shown.calls.get(index)?.argumentsText;
    if (begun !== undefined && !call.argumentsText.startsWith(begun)) return undefined;
    const argumentsText = call.argumentsText.slice(begun?.length ?? 0);
    if (begun !== undefined && argumentsText === '') continue;
    const { callId, name } = begun === undefined ? call : { callId: undefined, name: undefined };
    pieces.push({ type: 'tool-call-delta', index, callId, name, argumentsText });
  }
  return pieces;
}

function shownIn(logged: readonly CompletionEvent[]): ContentSum {
  let content = new ContentSum();
  for (const event of logged) {
    if (isDelta(event)) content.add(event);
    else if (event.type === 'rerouted' && event.discard) content = new ContentSum();
  }
  return content;
}
