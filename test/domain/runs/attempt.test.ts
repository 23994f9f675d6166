// Holds how one attempt ends: by its adapter, by its limits on time, or by what it brought.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CompletionAnswer } from '../../../src/domain/completions/completion-answer.ts';
import { runAttempt } from '../../../src/domain/runs/attempt.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import type { FinishReason, StreamPart } from '../../../src/providers/contract/completions.ts';
import type { CallOptions } from '../../../src/providers/contract/target.ts';

const LIMITS = {
  connectMs: 1_000,
  firstTokenMs: 10_000,
  aliveFirstTokenMs: 120_000,
  betweenTokensMs: 10_000,
  totalMs: 600_000,
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function attemptOf(stream: (options: CallOptions) => AsyncIterable<StreamPart[]>, wholeSuffices = false) {
  return runAttempt({
    call: { stream },
    limits: LIMITS,
    clock: systemClock,
    stop: new AbortController().signal,
    wholeSuffices,
    answer: new CompletionAnswer(1_000_000),
    onParts: () => {},
  });
}

const call = (argumentsText: string): StreamPart => ({
  type: 'tool-call-delta',
  index: 0,
  callId: 'c',
  name: 'f',
  argumentsText,
});

test.each<[string, FinishReason, string | undefined]>([
  ['{"city": "Par', 'tool-calls', 'PROVIDER_PROTOCOL'],
  ['{"city": "Par', 'stop', 'PROVIDER_PROTOCOL'],
  ['{"city": "Par', 'length', undefined],
  ['{"city": "Par', 'content-filter', undefined],
  ['{"city": "Paris"}', 'tool-calls', undefined],
  ['', 'tool-calls', undefined],
])('a tool call with the arguments %s that ends with %s ends as %s', async (argumentsText, reason, code) => {
  const { error } = await attemptOf(async function* () {
    yield [call(argumentsText)];
    yield [{ type: 'finish', reason }];
  });
  expect(error?.code).toBe(code);
  if (error) expect(error).toMatchObject({ transient: true, phase: 'stream' });
});

/** Never gives anything; `before` is told to the gateway at once. */
async function* silent(
  { signal, onSign }: CallOptions,
  before?: 'alive' | 'whole',
): AsyncGenerator<StreamPart[]> {
  if (before) onSign?.(before);
  await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

test.each([
  [undefined, 10_000, 'No first token within 10000 ms'],
  ['alive', 120_000, 'No first token within 120000 ms'],
  ['whole', 600_000, 'The answer was not complete within 600000 ms'],
] as const)('a provider whose sign of life is %s is waited for %i ms', async (sign, ms, message) => {
  const attempt = attemptOf((options) => silent(options, sign));
  const ended = vi.fn();
  void attempt.then(ended);
  await vi.advanceTimersByTimeAsync(ms - 10);
  expect(ended).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(20);
  expect((await attempt).error).toMatchObject({ code: 'PROVIDER_TIMEOUT', message });
});

test('an adapter is told whether an answer in one piece is as good as a stream', async () => {
  for (const wholeSuffices of [true, false]) {
    const seen: unknown[] = [];
    await attemptOf(async function* (options) {
      seen.push(options.wholeSuffices);
      yield [{ type: 'finish', reason: 'stop' }];
    }, wholeSuffices);
    expect(seen).toEqual([wholeSuffices]);
  }
});
