import { expect, test } from 'vitest';
import {
  CompletionMeasure,
  isDemanding,
  needsOf,
} from '../../../src/domain/completions/completion-measure.ts';
import {
  COMPLETION_DEFAULTS,
  type CompletionRequest,
} from '../../../src/domain/completions/completion-request.ts';
import { encodeContinuation } from '../../../src/domain/completions/continuation.ts';

const user = (...parts: readonly object[]) => ({ role: 'user', parts, toolCalls: [] });
const text = (words: string, over: object = {}) => ({ type: 'text', text: words, ...over });
const image = { type: 'image', image: { url: 'https://example.com/a.png' } };
const made = (canonicalId: string) =>
  encodeContinuation({ instanceId: 'i', canonicalId, protocol: 'gemini', data: 1 });
const assistant = (over: object = {}) => ({ role: 'assistant', parts: [text('a')], toolCalls: [], ...over });
const request = (over: object = {}) =>
  ({
    ...COMPLETION_DEFAULTS,
    model: 'm',
    messages: [user(text('Hi'))],
    ...over,
  }) as unknown as CompletionRequest;
const needs = (over: object) => needsOf(request(over), new CompletionMeasure(request(over)));

test('a plain question needs a model that writes text, and nothing more', () => {
  expect(needs({})).toEqual({ output: 'text', inputs: [], inputTokensAtLeast: 0 });
});

test('an image anywhere in the conversation needs a model that reads images', () => {
  expect(needs({ messages: [user(text('a')), user(text('b'), image), user(text('c'))] }).inputs).toEqual([
    'image',
  ]);
});

test('a bound on the output is needed of the model, and counts as asked for', () => {
  const bounded = { parameters: { maxTokens: 7 } };
  expect(needs(bounded).maxTokens).toBe(7);
  expect(new CompletionMeasure(request(bounded)).outputTokensAsked).toBe(7);
  expect(needs({})).not.toHaveProperty('maxTokens');
  expect(new CompletionMeasure(request()).outputTokensAsked).toBe(0);
});

test('the latest continuation says who is to go on', () => {
  const messages = [
    assistant({ continuation: made('p/old') }),
    assistant({ continuation: made('p/new') }),
    user(),
  ];
  expect(needs({ messages }).continuation).toMatchObject({ instanceId: 'i', canonicalId: 'p/new' });
  expect(needs({ messages: [assistant({ continuation: 'none of ours' })] })).not.toHaveProperty(
    'continuation',
  );
});

test('a longer input needs a larger context, on the side of too few tokens', () => {
  const { inputTokensAtLeast } = needs({ messages: [user(text('x'.repeat(8_000)))] });
  expect(inputTokensAtLeast).toBe(1_000);
});

test('the three figures of an input go from too few to too many', () => {
  const measure = new CompletionMeasure(request({ messages: [user(text('word '.repeat(1_000)), image)] }));
  expect(measure.inputTokensAtLeast).toBeLessThan(measure.inputTokensCounted);
  expect(measure.inputTokensCounted).toBeLessThan(measure.inputTokensHeld);
});

test.each<[string, object, boolean]>([
  ['plain talk', { messages: [user(text('a')), assistant(), user(text('b'))] }, false],
  ['a bound on the output', { parameters: { maxTokens: 5 } }, false],
  ['another parameter', { parameters: { maxTokens: 5, temperature: 1 } }, true],
  ['a tool', { tools: [{ name: 'f', parameters: {} }] }, true],
  ['a tool choice', { toolChoice: { type: 'none' } }, true],
  ['a format', { responseFormat: { type: 'json' } }, true],
  ['an image', { messages: [user(image)] }, true],
  ['a hint for the cache', { messages: [user(text('a', { cacheHint: true }))] }, true],
  [
    'a tool call',
    { messages: [assistant({ toolCalls: [{ callId: 'c', name: 'f', argumentsText: '' }] })] },
    true,
  ],
  ['a tool’s answer', { messages: [{ ...user(text('a')), toolCallId: 'c' }] }, true],
  ['a continuation', { messages: [assistant({ continuation: 'x' })] }, true],
])(
  'a request with %s is demanding only where a protocol may be unable to express it',
  (_what, over, demanding) => {
    expect(isDemanding(request(over))).toBe(demanding);
  },
);
