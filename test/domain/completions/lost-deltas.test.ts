import { expect, test } from 'vitest';
import type { CompletionEvent } from '../../../src/domain/completions/completion-event.ts';
import { type CompletionResult, NO_RESULT } from '../../../src/domain/completions/completion-result.ts';
import { lostDeltas } from '../../../src/domain/completions/lost-deltas.ts';

const event = (over: object) => ({ seq: 1, fromSeq: 1, runId: 'r', atMs: 0, ...over }) as CompletionEvent;
const text = (words: string) => event({ type: 'text-delta', text: words });
const thought = (words: string) => event({ type: 'reasoning-delta', text: words });
const call = (index: number, argumentsText: string) =>
  event({ type: 'tool-call-delta', index, argumentsText });
const rerouted = (discard: boolean) => event({ type: 'rerouted', from: 'a', to: 'b', reason: '', discard });
const lost = (logged: readonly CompletionEvent[], over: Partial<CompletionResult>) =>
  lostDeltas(logged, { ...NO_RESULT, ...over })?.map(({ type, ...rest }) => [type, rest.text ?? rest]);
const calls = (...texts: readonly string[]) => ({
  toolCalls: texts.map((argumentsText, at) => ({ callId: `c${at}`, name: 'f', argumentsText })),
});

test('a log that has all of the result lacks nothing', () => {
  const logged = [
    event({ type: 'started' }),
    thought('hm'),
    text('one '),
    text('two'),
    call(0, '{'),
    call(0, '}'),
  ];
  expect(lost(logged, { reasoning: 'hm', text: 'one two', ...calls('{}') })).toEqual([]);
  expect(lost([], {})).toEqual([]);
});

test('what a log lacks is told from where it is: reasoning, then text, then tool calls', () => {
  expect(lost([text('one '), thought('h')], { reasoning: 'hm', text: 'one two', ...calls('{}') })).toEqual([
    ['reasoning-delta', 'm'],
    ['text-delta', 'two'],
    ['tool-call-delta', { index: 0, callId: 'c0', name: 'f', argumentsText: '{}' }],
  ]);
});

test('a tool call that the log has begun goes on without its id, and one that it lacks comes whole', () => {
  expect(lost([call(1, '{"a"'), call(0, '{}')], calls('{}', '{"a":1}', '[]'))).toEqual([
    ['tool-call-delta', { index: 1, callId: undefined, name: undefined, argumentsText: ':1}' }],
    ['tool-call-delta', { index: 2, callId: 'c2', name: 'f', argumentsText: '[]' }],
  ]);
});

test('what was voided by a fail-over counts as lost, and what was not counts as shown', () => {
  const logged = (discard: boolean) => [
    thought('old'),
    text('old'),
    call(0, 'old'),
    rerouted(discard),
    text('one'),
  ];
  expect(lost(logged(true), { text: 'one', ...calls('{}') })).toEqual([
    ['tool-call-delta', { index: 0, callId: 'c0', name: 'f', argumentsText: '{}' }],
  ]);
  expect(lost([text('one '), rerouted(false), text('two')], { text: 'one two' })).toEqual([]);
});

test.each<[string, readonly CompletionEvent[]]>([
  ['text', [text('other')]],
  ['more text', [text('one two three')]],
  ['reasoning', [thought('other')]],
  ['arguments', [call(0, '[')]],
])('nothing can be mended where the log has %s that the result does not begin with', (_what, logged) => {
  expect(lost(logged, { reasoning: 'hm', text: 'one two', ...calls('{}') })).toBeUndefined();
});
