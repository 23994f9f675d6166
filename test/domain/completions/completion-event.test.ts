import { describe, expect, test } from 'vitest';
import {
  type DeltaEvent,
  eventsOfParts,
  mergeDeltas,
  sizeOfDelta,
} from '../../../src/domain/completions/completion-event.ts';
import type { StreamPart } from '../../../src/providers/contract/completions.ts';

const said = (text: string): StreamPart => ({ type: 'text-delta', text });
const thought = (text: string): StreamPart => ({ type: 'reasoning-delta', text });
const called = (index: number, argumentsText: string, begins = false): StreamPart => ({
  type: 'tool-call-delta',
  index,
  argumentsText,
  callId: begins ? `call-${index}` : undefined,
  name: begins ? 'f' : undefined,
});
const BESIDE: readonly StreamPart[] = [
  { type: 'response-start' },
  { type: 'warning', code: 'C', message: 'M' },
  {
    type: 'usage',
    usage: { inputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 1, reasoningTokens: 0 },
  },
  { type: 'finish', reason: 'stop' },
];

function eventsOf(parts: readonly StreamPart[]): DeltaEvent[] {
  let seq = 1;
  return eventsOfParts(parts, () => {
    seq += 1;
    return { seq, fromSeq: seq, runId: 'r', atMs: 0 };
  });
}
const shape = (events: readonly DeltaEvent[]) =>
  events.map((event) => [
    event.seq,
    event.type,
    ...('text' in event ? [event.text] : [event.index, event.callId, event.argumentsText]),
  ]);

describe('events of parts', () => {
  test('neighbours of one type are one event, and each change of type begins another', () => {
    expect(shape(eventsOf([thought('a'), thought('b'), said('c'), said('d'), thought('e')]))).toEqual([
      [2, 'reasoning-delta', 'ab'],
      [3, 'text-delta', 'cd'],
      [4, 'reasoning-delta', 'e'],
    ]);
  });

  test('pieces of one tool call are one event, with the id that it began with; pieces of another are another', () => {
    const parts = [
      called(0, '{', true),
      called(0, '}'),
      called(1, '[', true),
      called(0, '!'),
      called(1, ']'),
    ];
    expect(shape(eventsOf(parts))).toEqual([
      [2, 'tool-call-delta', 0, 'call-0', '{}'],
      [3, 'tool-call-delta', 1, 'call-1', '['],
      [4, 'tool-call-delta', 0, undefined, '!'],
      [5, 'tool-call-delta', 1, undefined, ']'],
    ]);
  });

  test('a tool call without arguments is an event all the same, since it tells that the call began', () => {
    expect(shape(eventsOf([called(0, '', true)]))).toEqual([[2, 'tool-call-delta', 0, 'call-0', '']]);
  });

  test('empty texts take no place in the log, and neither does what is told beside the content', () => {
    expect(eventsOf([said(''), thought(''), ...BESIDE])).toEqual([]);
    expect(shape(eventsOf([said('a'), ...BESIDE, thought(''), said('b')]))).toEqual([
      [2, 'text-delta', 'ab'],
    ]);
  });

  test('parts that an adapter keeps are not changed by what follows them', () => {
    const first = said('a');
    eventsOf([first, said('b')]);
    expect(first).toEqual(said('a'));
  });
});

const at = (seq: number, over: object): DeltaEvent =>
  ({ seq, fromSeq: seq, runId: 'r', atMs: seq * 10, ...over }) as DeltaEvent;
const text = (seq: number, words: string, over: object = {}) =>
  at(seq, { type: 'text-delta', text: words, ...over });
const call = (seq: number, index: number, argumentsText: string, over: object = {}) =>
  at(seq, { type: 'tool-call-delta', index, argumentsText, callId: undefined, name: undefined, ...over });

describe('merged events', () => {
  test('two events of text are one that covers the places of both, and has the moment of the later', () => {
    expect(mergeDeltas(text(2, 'a'), text(3, 'b'))).toEqual(text(3, 'ab', { fromSeq: 2 }));
  });

  test('merged events can be merged on, and keep their first place', () => {
    const first = mergeDeltas(text(2, 'a'), text(3, 'b'))!;
    expect(mergeDeltas(first, text(4, 'c'))).toEqual(text(4, 'abc', { fromSeq: 2 }));
  });

  test('two pieces of one tool call keep the id and the name that it began with', () => {
    const begun = call(2, 0, '{', { callId: 'c', name: 'f', servedBy: 'a' });
    expect(mergeDeltas(begun, call(3, 0, '}'))).toEqual({ ...begun, seq: 3, atMs: 30, argumentsText: '{}' });
  });

  test('the label of who gives the answer stays on the merged event', () => {
    expect(mergeDeltas(text(2, 'a', { servedBy: 'one' }), text(3, 'b'))).toMatchObject({ servedBy: 'one' });
    expect(mergeDeltas(text(2, 'a'), text(3, 'b'))).not.toHaveProperty('servedBy');
  });

  test.each<[string, DeltaEvent, DeltaEvent]>([
    ['text and reasoning', text(2, 'a'), at(3, { type: 'reasoning-delta', text: 'b' })],
    ['reasoning and text', at(2, { type: 'reasoning-delta', text: 'b' }), text(3, 'a')],
    ['text and a tool call', text(2, 'a'), call(3, 0, '{')],
    ['a tool call and text', call(2, 0, '{'), text(3, 'a')],
    ['pieces of two tool calls', call(2, 0, '{'), call(3, 1, '{')],
  ])('%s are not merged', (_what, first, second) => {
    expect(mergeDeltas(first, second)).toBeUndefined();
  });
});

test('the size of an event is that of its content, without its name and ids', () => {
  expect(sizeOfDelta(text(2, 'ab😀'))).toBe(4);
  expect(sizeOfDelta(call(2, 0, '{}', { callId: 'long id', name: 'long name' }))).toBe(2);
});
