import { describe, expect, test } from 'vitest';
import type { CompletionEvent } from '../../../src/domain/completions/completion-event.ts';
import type {
  CompletionRecord,
  CompletionResult,
} from '../../../src/domain/completions/completion-result.ts';
import { lackingEvents as lackingEventsOf } from '../../../src/domain/runs/log-mending.ts';
import { completionKind } from '../../support/kinds.ts';

const base = { runId: 'r', atMs: 1 };
const at = (seq: number) => ({ ...base, seq, fromSeq: seq });
const started: CompletionEvent = { ...at(1), type: 'started', plan: {} as never };
const text = (seq: number, words: string): CompletionEvent => ({
  ...at(seq),
  type: 'text-delta',
  text: words,
});
const ended = (over: Partial<CompletionRecord>, result: Partial<CompletionResult> = {}): CompletionRecord =>
  ({
    id: 'r',
    status: 'FINISHED',
    plan: {},
    result: { text: 'one two three', reasoning: '', toolCalls: [], continuation: null, ...result },
    lastSeq: 5,
    createdAt: new Date(1),
    endedAt: new Date(1),
    ...over,
  }) as unknown as CompletionRecord;
const lackingEvents = (logged: readonly CompletionEvent[], run: CompletionRecord) =>
  lackingEventsOf(logged, run, completionKind) as CompletionEvent[];
const shape = (events: readonly CompletionEvent[]) =>
  events.map((event) => [event.type, event.fromSeq, event.seq, ...('text' in event ? [event.text] : [])]);

describe('logs that lack their end', () => {
  test('a log that lacks its end gets the end alone where nothing else is lost', () => {
    const logged = [started, text(2, 'one '), text(3, 'two '), text(4, 'three')];
    expect(shape(lackingEvents(logged, ended({})))).toEqual([['finished', 5, 5]]);
  });

  test('a log that lacks its end gets what was not written as one event in its place, without a gap', () => {
    expect(shape(lackingEvents([started, text(2, 'one ')], ended({})))).toEqual([
      ['text-delta', 3, 4, 'two three'],
      ['finished', 5, 5],
    ]);
    expect(shape(lackingEvents([], ended({})))).toEqual([
      ['started', 1, 1],
      ['text-delta', 2, 4, 'one two three'],
      ['finished', 5, 5],
    ]);
  });

  test('a log that lacks its end gets reasoning before text, and tool calls after it, each from where it was', () => {
    const call = (seq: number, argumentsText: string): CompletionEvent => {
      return { ...at(seq), type: 'tool-call-delta', index: 0, callId: 'c', name: 'f', argumentsText };
    };
    const toolCalls = [
      { callId: 'c', name: 'f', argumentsText: '{"a":1}' },
      { callId: 'd', name: 'g', argumentsText: '{}' },
    ];
    const run = ended({ lastSeq: 20 }, { reasoning: 'hm', toolCalls });
    expect(lackingEvents([started, text(2, 'one '), call(3, '{"a"')], run)).toMatchObject([
      { type: 'reasoning-delta', fromSeq: 4, seq: 4, text: 'hm' },
      { type: 'text-delta', fromSeq: 5, seq: 5, text: 'two three' },
      { type: 'tool-call-delta', fromSeq: 6, seq: 6, index: 0, callId: undefined, argumentsText: ':1}' },
      { type: 'tool-call-delta', fromSeq: 7, seq: 19, index: 1, callId: 'd', name: 'g', argumentsText: '{}' },
      { type: 'finished', seq: 20 },
    ]);
  });

  test('a log that lacks its end counts what was voided as not shown', () => {
    const rerouted: CompletionEvent = {
      ...at(3),
      type: 'rerouted',
      from: 'a',
      to: 'b',
      reason: '',
      discard: true,
    };
    expect(shape(lackingEvents([started, text(2, 'void'), rerouted], ended({ lastSeq: 6 })))).toEqual([
      ['text-delta', 4, 5, 'one two three'],
      ['finished', 6, 6],
    ]);
  });

  test('a log that lacks its end gets the end alone where what is there is not how the answer begins, or has no room', () => {
    expect(shape(lackingEvents([started, text(2, 'other')], ended({})))).toEqual([['finished', 5, 5]]);
    expect(shape(lackingEvents([started, text(4, 'one ')], ended({})))).toEqual([['finished', 5, 5]]);
  });

  test('a log that lacks its end gets nothing while its run goes on', () => {
    expect(lackingEvents([started], ended({ status: 'RUNNING', lastSeq: null }))).toEqual([]);
  });
});
