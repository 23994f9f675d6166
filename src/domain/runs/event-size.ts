// Owns the estimate of an event's size in memory, by which the event log is bounded.
import type { Kinds } from './kinds.ts';
import { isContent, isEnd, type RunEvent } from './run-event.ts';

const EVENT_OVERHEAD_BYTES = 160;
/** The size of an event that carries a plan or the record of a run, without its texts. */
const RECORD_OVERHEAD_BYTES = 2_000;

export function bytesOfEvent(event: RunEvent, kinds: Kinds): number {
  if (isContent(event)) return EVENT_OVERHEAD_BYTES + (kinds.ofEvent(event)?.sizeOfEvent(event) ?? 0);
  if (isEnd(event)) return RECORD_OVERHEAD_BYTES + kinds.get(event.run.kind).sizeOfResult(event.run.result);
  return event.type === 'rerouted' ? EVENT_OVERHEAD_BYTES + event.reason.length : RECORD_OVERHEAD_BYTES;
}
