// Owns the events that the log of an ended run lacks if its node died between the commit of the end and the writing of its last events. The row has the
// whole result, so each kind of missing content becomes one event, which covers the places of the lost ones.
import type { Kind } from './kind.ts';
import { type RunEvent, toEndedEvent } from './run-event.ts';
import type { RunRecord } from './run-record.ts';

/** The missing events up to the end; only the end if the logged events do not fit the result. Empty while the run goes on. */
export function lackingEvents(
  logged: readonly RunEvent[],
  run: RunRecord,
  kind: Pick<Kind, 'lacking'>,
): RunEvent[] {
  const end = toEndedEvent(run);
  if (!end) return [];
  const base = { runId: run.id, atMs: end.atMs };
  const lacking: RunEvent[] = [];
  let last = logged.at(-1)?.seq ?? 0;
  if (last === 0 && end.seq > 1) {
    lacking.push({ ...base, type: 'started', seq: 1, fromSeq: 1, plan: run.plan });
    last = 1;
  }
  const pieces = kind.lacking(logged, run.result);
  const room = end.seq - 1 - last;
  if (pieces && pieces.length > 0 && pieces.length <= room) {
    for (const [index, piece] of pieces.entries()) {
      const fromSeq = last + 1;
      // The last event covers all places that are left, so that readers see no gap.
      last = index === pieces.length - 1 ? end.seq - 1 : fromSeq;
      lacking.push({ ...piece, ...base, seq: last, fromSeq });
    }
  }
  return [...lacking, end];
}
