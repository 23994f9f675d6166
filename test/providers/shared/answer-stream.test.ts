// Holds the one loop that reads every streamed answer, with a decoder that takes its parts from the wire as they are.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ProviderError } from '../../../src/kernel/errors.ts';
import type { StreamPart } from '../../../src/providers/contract/completions.ts';
import { AnswerBody } from '../../../src/providers/shared/answer-body.ts';
import { type AnswerDecoder, readAnswer } from '../../../src/providers/shared/answer-stream.ts';

const FINISH: StreamPart = { type: 'finish', reason: 'stop' };
const text = (words: string): StreamPart => ({ type: 'text-delta', text: words });
type Step = StreamPart | 'whole' | 'over' | 'heartbeat' | 'break' | 'silence' | Error;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Reads the steps one by one, a second apart: parts are given out, words act on the connection or the decoder. */
async function read(...steps: Step[]) {
  const source = { left: false };
  let rejectWaiting: ((reason: Error) => void) | undefined;
  const waiting = () =>
    new Promise<never>((_resolve, reject) => {
      rejectWaiting = reject;
    });
  const rest = [...steps];
  const response = {
    body: {
      [Symbol.asyncIterator]: (): AsyncIterator<Uint8Array> => ({
        async next() {
          await new Promise((resolve) => setTimeout(resolve, 1000));
          const step = rest.shift();
          if (step === 'break') throw new ProviderError('PROVIDER_UNAVAILABLE', 'broken');
          if (step === 'silence') return waiting();
          if (step === undefined) return { done: true, value: undefined };
          return { done: false, value: Buffer.from(step instanceof Error ? 'fault' : JSON.stringify(step)) };
        },
        async return() {
          source.left = true;
          rejectWaiting?.(new Error('left'));
          return { done: true, value: undefined };
        },
      }),
    },
  };
  const state = { over: false, whole: false };
  const decoder: AnswerDecoder<unknown> = {
    get over() {
      return state.over;
    },
    get whole() {
      return state.whole;
    },
    read(step, parts) {
      if (step === 'fault') throw new ProviderError('PROVIDER_INVALID_REQUEST', 'told');
      if (step === 'whole' || step === 'over') state[step] = true;
      else parts.push(step as StreamPart);
    },
    end(parts) {
      if (!state.whole && !state.over) throw new ProviderError('PROVIDER_PROTOCOL', 'cut');
      parts.push(FINISH);
    },
  };
  const body = new AnswerBody(response);
  async function* pieces() {
    for await (const bytes of body) {
      const said = Buffer.from(bytes).toString();
      const step = said === 'fault' ? said : JSON.parse(said);
      if (step !== 'heartbeat') yield [step];
    }
  }
  const parts: StreamPart[] = [];
  const startedMs = performance.now();
  const reading = (async () => {
    try {
      for await (const some of readAnswer(body, pieces(), decoder)) parts.push(...some);
      return undefined;
    } catch (fault) {
      return fault as ProviderError;
    }
  })();
  await vi.advanceTimersByTimeAsync(60_000);
  const fault = await Promise.race([reading, Promise.resolve('never ended' as const)]);
  return { parts, fault, left: source.left, tookMs: performance.now() - startedMs };
}

test('an answer ends with its protocol’s own end, whatever would follow', async () => {
  const { parts, fault } = await read(text('a'), 'over', text('b'));
  expect([parts, fault]).toEqual([[text('a'), FINISH], undefined]);
});

test.each<[string, Step[]]>([
  ['silence', ['silence']],
  ['heartbeats without end', Array<Step>(50).fill('heartbeat')],
  ['a break', ['break']],
  ['the end of the body', []],
])('an answer that is whole ends well in spite of %s', async (_what, behind) => {
  const { parts, fault } = await read(text('a'), 'whole', ...behind);
  expect([parts, fault]).toEqual([[text('a'), FINISH], undefined]);
});

test('a server that never ends a whole answer is left', async () => {
  expect((await read('whole', 'silence')).left).toBe(true);
});

test('usage and content behind the reason for the end still count, and content gives the server time again', async () => {
  const usage: StreamPart = {
    type: 'usage',
    usage: { inputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 1, reasoningTokens: 0 },
  };
  const steps: Step[] = [
    'heartbeat',
    'heartbeat',
    'heartbeat',
    text('b'),
    'heartbeat',
    'heartbeat',
    'heartbeat',
    usage,
  ];
  expect((await read(text('a'), 'whole', ...steps)).parts).toEqual([text('a'), text('b'), usage, FINISH]);
});

test('a fault that the provider tells is raised even behind a whole answer', async () => {
  const { parts, fault } = await read(text('a'), 'whole', new Error('told'));
  expect(parts).toEqual([text('a')]);
  expect(fault).toMatchObject({ code: 'PROVIDER_INVALID_REQUEST' });
});

test.each<[string, Step[], string]>([
  ['breaks', ['break'], 'PROVIDER_UNAVAILABLE'],
  ['ends', [], 'PROVIDER_PROTOCOL'],
])('an answer that %s before it is whole is a fault behind what came', async (_what, behind, code) => {
  const { parts, fault } = await read(text('a'), ...behind);
  expect(parts).toEqual([text('a')]);
  expect(fault).toMatchObject({ code });
});

test('an answer of more tool calls than anybody could run is refused', async () => {
  const call = (index: number): StreamPart => ({
    type: 'tool-call-delta',
    index,
    callId: 'c',
    name: 'f',
    argumentsText: '',
  });
  expect((await read(call(999), 'over')).fault).toBeUndefined();
  expect((await read(call(1000), 'over')).fault).toMatchObject({
    code: 'PROVIDER_PROTOCOL',
    transient: false,
  });
});
