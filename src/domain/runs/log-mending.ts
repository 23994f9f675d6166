// Owns what the log of an ended run lacks when its node died between the commit of the end and the writing of its last events: the row has
// all of it, so the lacking pieces come out together, each kind as one event that covers the places of those that are lost.
import { unreachable } from '../../kernel/unreachable.ts';
import { type CompletionEvent, type DeltaEvent, toEndedEvent } from './completion-event.ts';
import type { RunRecord } from './run-record.ts';

type Piece = Omit<DeltaEvent, 'seq' | 'fromSeq' | 'runId' | 'atMs'> & Record<string, unknown>;

/** Up to and with the end; the end alone where what is there cannot be gone on with. Nothing while the run goes on. */
export function lackingEvents(logged: readonly CompletionEvent[], run: RunRecord): CompletionEvent[] {
  const end = toEndedEvent(run);
  if (!end) return [];
  const base = { runId: run.id, atMs: end.atMs };
  const lacking: CompletionEvent[] = [];
  let last = logged.at(-1)?.seq ?? 0;
  if (last === 0 && end.seq > 1) {
    lacking.push({ ...base, type: 'started', seq: 1, fromSeq: 1, plan: run.plan });
    last = 1;
  }
  const pieces = lackingPieces(logged, run);
  const room = end.seq - 1 - last;
  if (pieces && pieces.length > 0 && pieces.length <= room) {
    for (const [index, piece] of pieces.entries()) {
      const fromSeq = last + 1;
      // The last one covers all places that are left.
      last = index === pieces.length - 1 ? end.seq - 1 : fromSeq;
      lacking.push({ ...piece, ...base, seq: last, fromSeq } as CompletionEvent);
    }
  }
  return [...lacking, end];
}

/** `undefined` where what was shown is not how the run's content begins. */
function lackingPieces(logged: readonly CompletionEvent[], run: RunRecord): Piece[] | undefined {
  const shown = shownIn(logged);
  if (!run.reasoning.startsWith(shown.reasoning) || !run.text.startsWith(shown.text)) return undefined;
  const pieces: Piece[] = [];
  const reasoning = run.reasoning.slice(shown.reasoning.length);
  const text = run.text.slice(shown.text.length);
  if (reasoning !== '') pieces.push({ type: 'reasoning-delta', text: reasoning });
  if (text !== '') pieces.push({ type: 'text-delta', text });
  for (const [index, call] of run.toolCalls.entries()) {
    const begun = shown.calls.get(index);
    if (begun !== undefined && !call.argumentsText.startsWith(begun)) return undefined;
    const argumentsText = call.argumentsText.slice(begun?.length ?? 0);
    if (begun !== undefined && argumentsText === '') continue;
    const named = begun === undefined ? { callId: call.callId, name: call.name } : {};
    pieces.push({
      type: 'tool-call-delta',
      index,
      callId: undefined,
      name: undefined,
      ...named,
      argumentsText,
    });
  }
  return pieces;
}

function shownIn(logged: readonly CompletionEvent[]) {
  let [text, reasoning] = ['', ''];
  let calls = new Map<number, string>();
  for (const event of logged) {
    switch (event.type) {
      case 'rerouted':
        if (!event.discard) break;
        [text, reasoning] = ['', ''];
        calls = new Map();
        break;
      case 'text-delta':
        text += event.text;
        break;
      case 'reasoning-delta':
        reasoning += event.text;
        break;
      case 'tool-call-delta':
        calls.set(event.index, (calls.get(event.index) ?? '') + event.argumentsText);
        break;
      case 'started':
      case 'finished':
      case 'failed':
      case 'cancelled':
      case 'interrupted':
        break;
      default:
        unreachable(event);
    }
  }
  return { text, reasoning, calls };
}
