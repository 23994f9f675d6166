// Owns the events of a run as they stand in its log: a closed union with exactly one terminal event.
import { unreachable } from '../../kernel/unreachable.ts';
import type { RoutePlan } from '../routing/route-plan.ts';
import type { RunRecord } from './run-record.ts';

interface EventBase {
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

interface ContentEvent extends EventBase {
  /** Label of the candidate that gives the answer, as in the plan: with the first content of each attempt. */
  readonly servedBy?: string;
}

export interface TextEvent extends ContentEvent {
  readonly type: 'text-delta' | 'reasoning-delta';
  readonly text: string;
}

export interface ToolCallEvent extends ContentEvent {
  readonly type: 'tool-call-delta';
  readonly index: number;
  readonly callId: string | undefined;
  readonly name: string | undefined;
  readonly argumentsText: string;
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

export interface EndedEvent extends EventBase {
  readonly type: 'finished' | 'failed' | 'cancelled' | 'interrupted';
  readonly run: RunRecord;
}

export type DeltaEvent = TextEvent | ToolCallEvent;
export type CompletionEvent = StartedEvent | DeltaEvent | ReroutedEvent | EndedEvent;

export function isEnd(event: CompletionEvent): event is EndedEvent {
  return 'run' in event;
}

const TYPE_OF_STATUS = {
  FINISHED: 'finished',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  INTERRUPTED: 'interrupted',
} as const;

/** The terminal event of an ended run; `undefined` while it runs. */
export function toEndedEvent(run: RunRecord): EndedEvent | undefined {
  if (run.status === 'RUNNING' || run.lastSeq === null) return undefined;
  const seq = run.lastSeq;
  const atMs = (run.endedAt ?? run.createdAt).getTime();
  return { type: TYPE_OF_STATUS[run.status], seq, fromSeq: seq, runId: run.id, atMs, run };
}

const EVENT_OVERHEAD_BYTES = 160;
/** Of an event that carries a plan, or what a run has come to. */
const RECORD_OVERHEAD_BYTES = 2_000;

/** Estimate of what an event takes in memory. */
export function bytesOfEvent(event: CompletionEvent): number {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
    case 'tool-call-delta':
      return EVENT_OVERHEAD_BYTES + contentLength(event);
    case 'started':
      return RECORD_OVERHEAD_BYTES;
    case 'rerouted':
      return EVENT_OVERHEAD_BYTES + event.reason.length;
    case 'finished':
    case 'failed':
    case 'cancelled':
    case 'interrupted': {
      const { text, reasoning, toolCalls, continuation } = event.run;
      const calls = toolCalls.reduce((sum, { argumentsText }) => sum + argumentsText.length, 0);
      return RECORD_OVERHEAD_BYTES + text.length + reasoning.length + calls + (continuation?.length ?? 0);
    }
    default:
      return unreachable(event);
  }
}

/** Characters of content in a delta; 0 for the other events. */
export function contentLength(event: CompletionEvent): number {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
      return event.text.length;
    case 'tool-call-delta':
      return event.argumentsText.length;
    case 'started':
    case 'rerouted':
    case 'finished':
    case 'failed':
    case 'cancelled':
    case 'interrupted':
      return 0;
    default:
      return unreachable(event);
  }
}

/** One event for two that follow each other, if they are deltas of one kind (and of one tool call). */
export function mergeDeltas(first: CompletionEvent, second: CompletionEvent): DeltaEvent | undefined {
  switch (first.type) {
    case 'text-delta':
    case 'reasoning-delta':
      if (second.type !== first.type) return undefined;
      return { ...second, ...servedByOf(first), fromSeq: first.fromSeq, text: first.text + second.text };
    case 'tool-call-delta':
      if (second.type !== 'tool-call-delta' || first.index !== second.index) return undefined;
      return {
        ...second,
        ...servedByOf(first),
        fromSeq: first.fromSeq,
        callId: first.callId ?? second.callId,
        name: first.name ?? second.name,
        argumentsText: first.argumentsText + second.argumentsText,
      };
    case 'started':
    case 'rerouted':
    case 'finished':
    case 'failed':
    case 'cancelled':
    case 'interrupted':
      return undefined;
    default:
      return unreachable(first);
  }
}

function servedByOf({ servedBy }: DeltaEvent): { readonly servedBy?: string } {
  return servedBy === undefined ? {} : { servedBy };
}
