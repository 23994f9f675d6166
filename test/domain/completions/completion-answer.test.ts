import { describe, expect, test } from 'vitest';
import { CompletionAnswer } from '../../../src/domain/completions/completion-answer.ts';
import { decodeContinuation } from '../../../src/domain/completions/continuation.ts';
import type { Candidate } from '../../../src/domain/routing/candidates.ts';
import type { MeasuredRequest } from '../../../src/domain/runs/kind.ts';
import type { FinishReason, StreamPart } from '../../../src/providers/contract/completions.ts';

const said = (text: string): StreamPart => ({ type: 'text-delta', text });
const thought = (text: string): StreamPart => ({ type: 'reasoning-delta', text });
const called = (index: number, argumentsText: string, begins = true): StreamPart => ({
  type: 'tool-call-delta',
  index,
  argumentsText,
  callId: begins ? `call-${index}` : undefined,
  name: begins ? 'f' : undefined,
});
const finish = (reason: FinishReason = 'stop', over: object = {}): StreamPart => ({
  type: 'finish',
  reason,
  ...over,
});
const used = (over: object): StreamPart => ({
  type: 'usage',
  usage: {
    inputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
    ...over,
  },
});
function answerOf(...parts: readonly StreamPart[]): CompletionAnswer {
  const answer = new CompletionAnswer();
  for (const part of parts) answer.take([part]);
  return answer;
}
const PROTOCOL_FAULT = expect.objectContaining({ code: 'PROVIDER_PROTOCOL' });

describe('result', () => {
  test('an answer is put together from its parts, and its tool calls stand in the order of their indexes', () => {
    const answer = answerOf(
      thought('hm'),
      called(1, '{"b"'),
      said('one '),
      called(0, ''),
      called(1, ':1}', false),
      said('two'),
    );
    expect(answer.result()).toEqual({
      text: 'one two',
      reasoning: 'hm',
      toolCalls: [
        { callId: 'call-0', name: 'f', argumentsText: '{}' },
        { callId: 'call-1', name: 'f', argumentsText: '{"b":1}' },
      ],
      continuation: null,
    });
  });

  test('a continuation is kept only where it is known who made it', () => {
    const answer = answerOf(said('a'), finish('stop', { continuation: { signature: 'x' } }));
    const maker = { instance: { id: 'i' }, canonicalId: 'p/m', protocol: 'gemini' } as unknown as Candidate;
    expect(answer.result().continuation).toBeNull();
    expect(answer.result({ ...maker, protocol: undefined }).continuation).toBeNull();
    expect(decodeContinuation(answer.result(maker).continuation ?? '')).toEqual({
      instanceId: 'i',
      canonicalId: 'p/m',
      protocol: 'gemini',
      data: { signature: 'x' },
    });
    expect(answerOf(said('a'), finish()).result(maker).continuation).toBeNull();
  });

  test('what is told beside the content is kept, the latest of each', () => {
    const answer = answerOf(
      { type: 'response-start', servedModel: 'm-1', providerRequestId: 'q' },
      { type: 'response-start', servedModel: 'm-2' },
      { type: 'warning', code: 'A', message: 'a' },
      { type: 'warning', code: 'B', message: 'b' },
      used({ outputTokens: 1 }),
      used({ outputTokens: 2 }),
      finish('other', { providerReason: 'WEIRD' }),
    );
    expect(answer).toMatchObject({
      servedModel: 'm-2',
      providerRequestId: 'q',
      usage: { outputTokens: 2 },
      finishReason: 'other',
      providerFinishReason: 'WEIRD',
    });
    expect(answer.warnings.map(({ code }) => code)).toEqual(['A', 'B']);
  });
});

describe('content', () => {
  test.each<[string, StreamPart, boolean]>([
    ['text', said('a'), true],
    ['an empty text', said(''), false],
    ['reasoning', thought('a'), true],
    ['an empty reasoning', thought(''), false],
    ['a tool call without arguments', called(0, ''), true],
    ['usage', used({}), false],
    ['a warning', { type: 'warning', code: 'A', message: 'a' }, false],
    ['the start', { type: 'response-start' }, false],
    ['the end', finish(), false],
  ])('whether %s is content is found alike by the part and by the answer', (_what, part, expected) => {
    const answer = new CompletionAnswer();
    expect(answer.take([part]).hasContent).toBe(expected);
    expect(answer.hasContent).toBe(expected);
  });

  test('of several parts one with content is enough, wherever it stands', () => {
    expect(new CompletionAnswer().take([said('a'), said('')]).hasContent).toBe(true);
  });

  test('what has come since a mark is told once', () => {
    const answer = answerOf(said('one'), thought('x'));
    const first = answer.since(undefined);
    answer.take([said(' two'), thought('y')]);
    expect(first.stored).toEqual({ text: 'one', reasoning: 'x' });
    expect(answer.since(first.mark).stored).toEqual({ text: ' two', reasoning: 'y' });
    expect(answer.since(answer.since(undefined).mark).stored).toEqual({ text: '', reasoning: '' });
  });
});

describe('whole answers', () => {
  test('an answer without a finish is not whole, whatever it holds', () => {
    expect(() => answerOf(said('a')).requireWhole()).toThrow(PROTOCOL_FAULT);
  });

  test.each<[FinishReason, string, boolean]>([
    ['tool-calls', '{"a":1}', true],
    ['tool-calls', '', true],
    ['tool-calls', '{"a":', false],
    ['stop', '{"a":', false],
    ['length', '{"a":', true],
    ['content-filter', '{"a":', true],
  ])(
    'an answer that finishes with %s and a call with the arguments %j is whole: %s',
    (reason, argumentsText, whole) => {
      const answer = answerOf(called(0, argumentsText), finish(reason));
      if (whole) answer.requireWhole();
      else {
        expect(() => answer.requireWhole()).toThrow(
          expect.objectContaining({ code: 'PROVIDER_PROTOCOL', transient: true }),
        );
      }
    },
  );

  test.each<[string, readonly StreamPart[]]>([
    ['a part after the finish', [finish(), said('late')]],
    ['a second finish', [finish(), finish()]],
    ['a tool call without its id and name', [called(0, '{}', false)]],
  ])('an adapter that gives %s breaks the protocol', (_what, parts) => {
    expect(() => answerOf(...parts)).toThrow(PROTOCOL_FAULT);
  });
});

describe('rough count', () => {
  const measured = { inputTokensCounted: 50 } as MeasuredRequest;

  test('an answer is counted by its characters, text apart from reasoning, until the provider tells its count', () => {
    const answer = answerOf(said('x'.repeat(9)), thought('x'.repeat(4)));
    expect(answer.outputSoFar).toBe(13 / 4);
    expect(answer.roughUsage(measured)).toEqual({
      inputTokens: 50,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      outputTokens: 3,
      reasoningTokens: 1,
    });
  });

  test('a provider’s count stands in for the rough one where it is higher, and its input in any case', () => {
    const told = { inputTokens: 7, cacheReadTokens: 2, outputTokens: 100, reasoningTokens: 0 };
    const answer = answerOf(said('x'.repeat(8)), thought('x'.repeat(40)), used(told));
    expect(answer.outputSoFar).toBe(100);
    expect(answer.roughUsage(measured)).toMatchObject({ ...told, reasoningTokens: 10 });
  });
});
