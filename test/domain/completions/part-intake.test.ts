import { describe, expect, test } from 'vitest';
import { PartIntake } from '../../../src/domain/completions/part-intake.ts';
import { isStorableText } from '../../../src/kernel/text.ts';
import type { StreamPart } from '../../../src/providers/contract/completions.ts';

const said = (text: string): StreamPart => ({ type: 'text-delta', text });
const finish: StreamPart = { type: 'finish', reason: 'stop' };
const usage = (over: object): StreamPart => ({
  type: 'usage',
  usage: {
    inputTokens: 1,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 2,
    reasoningTokens: 0,
    ...over,
  },
});
const call = (index: number, over: object = {}): StreamPart => ({
  type: 'tool-call-delta',
  index,
  callId: `call-${index}`,
  name: 'f',
  argumentsText: '{}',
  ...over,
});
const textOf = (parts: readonly StreamPart[]) =>
  parts.map((part) => (part.type === 'text-delta' ? part.text : '')).join('');

describe('part intake', () => {
  test('the parts of an answer are passed on as they are, without a copy, where they are in order', () => {
    const intake = new PartIntake();
    for (const parts of [[said('a'), said('😀')], [usage({})], [call(0)], [finish]]) {
      expect(intake.take(parts)).toBe(parts);
    }
  });

  test('the parts of an answer hold no text that the database refuses', () => {
    const bad = 'a\u0000b\ud800c';
    const taken = new PartIntake().take([
      { type: 'response-start', servedModel: bad, providerRequestId: bad },
      said(bad),
      { type: 'reasoning-delta', text: bad },
      call(0, { callId: bad, name: bad, argumentsText: bad }),
      { type: 'warning', code: bad, message: bad },
      { type: 'finish', reason: 'stop', providerReason: bad },
    ]);
    expect(taken).toHaveLength(6);
    for (const part of taken) {
      for (const value of Object.values(part)) {
        if (typeof value === 'string') expect([value, isStorableText(value)]).toEqual([value, true]);
      }
    }
  });

  test('the parts of an answer keep a pair of surrogates whole that two reads have cut, and replace a half that stays alone', () => {
    const intake = new PartIntake();
    const parts = [
      ...intake.take([said('a\ud83d')]),
      ...intake.take([{ type: 'reasoning-delta', text: 'b\ud83d' }]),
      ...intake.take([said('\ude00c')]),
      ...intake.take([finish]),
    ];
    expect(textOf(parts)).toBe('a😀c');
    expect(parts.slice(-3)).toEqual([
      said('😀c'),
      { type: 'reasoning-delta', text: '\uFFFD' },
      { type: 'finish', reason: 'stop' },
    ]);
  });

  test('the parts of an answer have names of bounded length', () => {
    const long = 'x'.repeat(100_000);
    const [start, toolCall] = new PartIntake().take([
      { type: 'response-start', servedModel: long },
      call(0, { callId: long }),
    ]);
    expect(start).toMatchObject({ servedModel: 'x'.repeat(256) });
    expect(toolCall).toMatchObject({ callId: 'x'.repeat(4_096) });
  });

  test.each([
    ['3,000,000,000 tokens', { outputTokens: 3e9 }],
    ['a sum that is too large', { inputTokens: 2e9, outputTokens: 2e9 }],
    ['1e300 tokens', { inputTokens: 1e300 }],
    ['a negative number', { outputTokens: -1 }],
    ['half a token', { outputTokens: 0.5 }],
    ['no number', { outputTokens: Number.NaN }],
  ])('the parts of an answer leave out a usage of %s, with one warning', (_name, over) => {
    const intake = new PartIntake();
    const taken = [...intake.take([usage(over), usage(over)]), ...intake.take([usage({})])];
    expect(taken).toEqual([expect.objectContaining({ code: 'USAGE_IMPLAUSIBLE' }), usage({})]);
  });

  test('the parts of an answer end with reason "length" and a warning where they pass the bound, and nothing comes after', () => {
    const intake = new PartIntake(1_000);
    expect(textOf(intake.take([said('a'.repeat(500))]))).toHaveLength(500);
    const last = intake.take([said('é'.repeat(500)), call(0), usage({}), said('more')]);
    expect(intake.isFull).toBe(true);
    expect(last).toEqual([
      expect.objectContaining({ type: 'warning', code: 'ANSWER_TOO_LARGE' }),
      // 1,000 bytes less 500, less the overhead of two parts, in characters of two bytes each.
      said('é'.repeat(186)),
      usage({}),
      { type: 'finish', reason: 'length' },
    ]);
    expect(intake.take([said('more'), finish])).toEqual([]);
  });

  test('the parts of an answer come to an end also where they are countless and empty', () => {
    const intake = new PartIntake(10_000);
    for (let read = 0; read < 1_000 && !intake.isFull; read += 1) intake.take([said('')]);
    expect(intake.isFull).toBe(true);
  });

  test('the parts of an answer are a fault of the provider where they make thousands of calls, or calls without a usable index', () => {
    const intake = new PartIntake();
    const calls = Array.from({ length: 1_001 }, (_value, index) => call(index));
    expect(() => intake.take(calls)).toThrow(/more than 1000 tool calls/);
    for (const index of [-1, 0.5, 2 ** 31, Number.NaN]) {
      expect(() => new PartIntake().take([call(index)])).toThrow(/index/);
    }
  });

  test('the parts of an answer have an end that is known, and state for the next turn only if it can be kept', () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];
    const strange = { type: 'finish', reason: 'weird', continuation: deep } as unknown as StreamPart;
    expect(new PartIntake().take([strange])).toEqual([
      expect.objectContaining({ code: 'CONTINUATION_DROPPED' }),
      { type: 'finish', reason: 'other' },
    ]);
    const large = { ...finish, continuation: 'x'.repeat(2_000) } as StreamPart;
    expect(new PartIntake(1_000).take([large])).toHaveLength(2);
    expect(new PartIntake().take([large])).toEqual([large]);
  });
});
