import { describe, expect, test } from 'vitest';
import {
  type DecisiveAttempt,
  endingOf,
  isKept,
  type StopKind,
} from '../../../src/domain/runs/run-ending.ts';
import { ProviderError } from '../../../src/kernel/errors.ts';

const whole: DecisiveAttempt = { error: undefined, finishReason: 'tool-calls' };
const faulty: DecisiveAttempt = {
  error: new ProviderError('PROVIDER_RATE_LIMITED', 'Slow down', { retryAfterMs: 500 }),
  finishReason: null,
};

describe('ends of runs', () => {
  test.each<
    [string, Exclude<StopKind, 'replaced'> | undefined, DecisiveAttempt | undefined, string, string | null]
  >([
    ['a whole answer', undefined, whole, 'FINISHED', null],
    ['a whole answer that was cancelled at the same moment', 'cancelled', whole, 'FINISHED', null],
    ['a whole answer on a node that shuts down', 'interrupted', whole, 'FINISHED', null],
    ['a whole answer that has just passed the funds', 'funds', whole, 'FINISHED', null],
    ['a fault', undefined, faulty, 'FAILED', 'PROVIDER_RATE_LIMITED'],
    ['no attempt at all', undefined, undefined, 'FAILED', 'MODEL_UNAVAILABLE'],
    ['a cancel in the middle of an answer', 'cancelled', faulty, 'CANCELLED', 'CANCELLED'],
    ['a cancel before the first attempt', 'cancelled', undefined, 'CANCELLED', 'CANCELLED'],
    ['a shutdown in the middle of an answer', 'interrupted', faulty, 'INTERRUPTED', 'NODE_DRAINING'],
    ['funds that end in the middle of an answer', 'funds', faulty, 'FINISHED', null],
  ])(
    'the end of a run has the status and the error that follow from %s',
    (_name, stopKind, decisive, status, code) => {
      const ending = endingOf(stopKind, decisive);
      expect([ending.status, ending.error?.code ?? null]).toEqual([status, code]);
    },
  );

  test('an ended run has the finish reason of a whole answer, FUNDS where the funds ended it, and none otherwise', () => {
    expect(endingOf('funds', whole).finishReason).toBe('tool-calls');
    expect(endingOf('funds', faulty).finishReason).toBe('funds');
    expect(endingOf(undefined, faulty).finishReason).toBeNull();
  });

  test('an ended run tells when to ask again, where the provider has said it', () => {
    expect(endingOf(undefined, faulty).error).toEqual({
      code: 'PROVIDER_RATE_LIMITED',
      message: 'Slow down',
      retryAfterMs: 500,
    });
  });
});

test.each([
  ['a whole answer that readers have', { whole: true, shown: true, replaced: false }, true],
  ['a whole answer that nobody waited for', { whole: true, shown: false, replaced: false }, true],
  ['part of an answer that readers have', { whole: false, shown: true, replaced: false }, true],
  ['part of an answer that another attempt replaces', { whole: false, shown: true, replaced: true }, false],
  ['part of an answer that was held back', { whole: false, shown: false, replaced: false }, false],
])('the end of a run decides whether the client keeps and pays for %s', (_name, reach, kept) => {
  expect(isKept(reach)).toBe(kept);
});
