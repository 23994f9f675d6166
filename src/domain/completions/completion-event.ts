// Owns the content of a completion as it streams: which events the parts of an answer become, how neighbouring events are merged, and what they add up to.
import { unreachable } from '../../kernel/unreachable.ts';
import type { StreamPart } from '../../providers/contract/completions.ts';
import type { ContentEvent, EventBase, RunEvent } from '../runs/run-event.ts';
import type { CompletionResult } from './completion-result.ts';

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

export type DeltaEvent = TextEvent | ToolCallEvent;
export type CompletionEvent = RunEvent<DeltaEvent, CompletionResult>;

export const DELTA_TYPES = [
  'text-delta',
  'reasoning-delta',
  'tool-call-delta',
] as const satisfies readonly DeltaEvent['type'][];

const DELTAS: ReadonlySet<string> = new Set(DELTA_TYPES);

/** A part that holds content; its event holds the same. */
export type DeltaPart = Extract<StreamPart, { readonly type: DeltaEvent['type'] }>;

export function isDelta<Piece extends { readonly type: string }>(
  piece: Piece,
): piece is Extract<Piece, { readonly type: DeltaEvent['type'] }> {
  return DELTAS.has(piece.type);
}

interface CallSoFar {
  readonly callId: string;
  readonly name: string;
  argumentsText: string;
}

type CallBeginning = Pick<ToolCallEvent, 'argumentsText'> & Partial<Pick<ToolCallEvent, 'callId' | 'name'>>;

/** All deltas of an answer so far, put together: of its parts, or of its events. */
export class ContentSum {
  text = '';
  reasoning = '';
  /** By index. */
  readonly calls = new Map<number, CallSoFar>();

  /** True if there was content in it. */
  add(delta: DeltaPart | DeltaEvent): boolean {
    switch (delta.type) {
      case 'text-delta':
        this.text += delta.text;
        return delta.text !== '';
      case 'reasoning-delta':
        this.reasoning += delta.text;
        return delta.text !== '';
      case 'tool-call-delta': {
        const call = this.calls.get(delta.index);
        if (call) call.argumentsText += delta.argumentsText;
        else this.calls.set(delta.index, begunCall(delta));
        return true;
      }
      default:
        return unreachable(delta);
    }
  }
}

function begunCall({ callId = '', name = '', argumentsText }: CallBeginning): CallSoFar {
  return { callId, name, argumentsText };
}

/** Makes one event for each sequence of parts of one type. Parts that are no content make none: the end of the run tells what they say. */
export function eventsOfParts(parts: readonly StreamPart[], nextBase: () => EventBase): DeltaEvent[] {
  const events: DeltaEvent[] = [];
  let last: { type: string; index?: number; text?: string; argumentsText?: string } | undefined;
  for (const part of parts) {
    switch (part.type) {
      case 'text-delta':
      case 'reasoning-delta':
        if (part.text === '') break;
        if (last?.type === part.type) {
          last.text += part.text;
        } else {
          const event = { ...nextBase(), type: part.type, text: part.text };
          events.push(event);
          last = event;
        }
        break;
      case 'tool-call-delta':
        if (last?.type === part.type && last.index === part.index) {
          last.argumentsText += part.argumentsText;
        } else {
          const { index, callId, name, argumentsText } = part;
          const event = { ...nextBase(), type: part.type, index, callId, name, argumentsText };
          events.push(event);
          last = event;
        }
        break;
      case 'response-start':
      case 'usage':
      case 'warning':
      case 'finish':
        break;
      default:
        unreachable(part);
    }
  }
  return events;
}

/** Size of the event's content in characters. */
export function sizeOfDelta(event: DeltaEvent): number {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
      return event.text.length;
    case 'tool-call-delta':
      return event.argumentsText.length;
    default:
      return unreachable(event);
  }
}

/** Makes one event of two that follow each other, if they have the same type (and belong to the same tool call). */
export function mergeDeltas(first: DeltaEvent, second: DeltaEvent): DeltaEvent | undefined {
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
    default:
      return unreachable(first);
  }
}

function servedByOf({ servedBy }: DeltaEvent): { readonly servedBy?: string } {
  return servedBy === undefined ? {} : { servedBy };
}
