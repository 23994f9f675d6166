// Owns the events of a run as they stand in its log: its start, the events of its content, reroutes, and exactly one terminal event.
import type { RoutePlan } from '../routing/route-plan.ts';
import type { RunRecord } from './run-record.ts';

export interface EventBase {
  readonly seq: number;
  /** The first seq that this event covers; lower than `seq` only where neighbours were merged on reading. */
  readonly fromSeq: number;
  readonly runId: string;
  /** Wall time in milliseconds. */
  readonly atMs: number;
}

export interface StartedEvent extends EventBase {
  readonly type: 'started';
  readonly plan: RoutePlan;
}

/** Further content of the answer. Its fields belong to the run's kind, which declares its types in `Kind.eventTypes`. */
export interface ContentEvent extends EventBase {
  readonly type: string;
  /** Label, as in the plan, of the candidate that gives the answer; set on the first content event of each attempt. */
  readonly servedBy?: string;
}

export interface ReroutedEvent extends EventBase {
  readonly type: 'rerouted';
  /** Labels of the instances, as in the plan. */
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  /** All content since the start is void. */
  readonly discard: boolean;
}

export interface EndedEvent<Result = unknown> extends EventBase {
  readonly type: 'finished' | 'failed' | 'cancelled' | 'interrupted';
  readonly run: RunRecord<Result>;
}

/** `Content`: the events of one kind's content, whose types differ from those of the engine. */
export type RunEvent<Content extends ContentEvent = ContentEvent, Result = unknown> =
  | StartedEvent
  | Content
  | ReroutedEvent
  | EndedEvent<Result>;

/** Event types of the engine, which no kind may use. */
export const ENGINE_EVENT_TYPES = [
  'started',
  'rerouted',
  'finished',
  'failed',
  'cancelled',
  'interrupted',
] as const satisfies readonly (StartedEvent | ReroutedEvent | EndedEvent)['type'][];
const ENGINE_TYPES: ReadonlySet<string> = new Set(ENGINE_EVENT_TYPES);

export function isEnd(event: RunEvent): event is EndedEvent {
  return 'run' in event;
}

export function isContent(event: RunEvent): event is ContentEvent {
  return !ENGINE_TYPES.has(event.type);
}

const TYPE_OF_STATUS = {
  FINISHED: 'finished',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  INTERRUPTED: 'interrupted',
} as const;

/** The terminal event of an ended run; `undefined` while it runs. */
export function toEndedEvent<Result>(run: RunRecord<Result>): EndedEvent<Result> | undefined {
  if (run.status === 'RUNNING' || run.lastSeq === null) return undefined;
  const seq = run.lastSeq;
  const atMs = (run.endedAt ?? run.createdAt).getTime();
  return { type: TYPE_OF_STATUS[run.status], seq, fromSeq: seq, runId: run.id, atMs, run };
}
