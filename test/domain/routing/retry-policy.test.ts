import { describe, expect, test } from 'vitest';
import { type FaultSituation, nextStep, waitBeforeRetry } from '../../../src/domain/routing/retry-policy.ts';
import {
  ProviderError,
  type ProviderErrorCode,
  type ProviderErrorDetails,
} from '../../../src/kernel/errors.ts';

const fault = (code: ProviderErrorCode, details: ProviderErrorDetails = {}) =>
  new ProviderError(code, 'It failed', { phase: 'headers', ...details });

const situation = (error: ProviderError, over: Partial<FaultSituation> = {}): FaultSituation => ({
  error,
  shown: false,
  onStreamFault: 'RESTART',
  attemptsHere: 1,
  maxHere: 3,
  attemptsLeft: 5,
  waiting: 1,
  waitingPeers: 1,
  returning: 0,
  patienceMs: 3_000,
  remainingMs: Number.POSITIVE_INFINITY,
  random: () => 0.5,
  ...over,
});

const busy = fault('PROVIDER_UNAVAILABLE', { status: 503, transient: true });
const limited = (retryAfterMs?: number) =>
  fault('PROVIDER_RATE_LIMITED', {
    status: 429,
    transient: true,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
const cut = fault('PROVIDER_PROTOCOL', { phase: 'stream', transient: true });

describe('what follows a fault', () => {
  test.each([
    ['503', busy, {}, 'retry'],
    [
      'a reset before headers',
      fault('PROVIDER_UNAVAILABLE', { phase: 'connect', transient: true }),
      {},
      'retry',
    ],
    ['408', fault('PROVIDER_TIMEOUT', { status: 408, transient: true }), {}, 'retry'],
    ['429 without a time to wait', limited(), {}, 'retry'],
    ['429 within the caller’s patience', limited(3_000), {}, 'retry'],
    ['429 beyond it', limited(3_001), {}, 'next'],
    ['429 beyond it, and nobody else', limited(3_001), { waiting: 0, waitingPeers: 0 }, 'stop'],
    [
      '503 with a time beyond patience',
      fault('PROVIDER_UNAVAILABLE', { status: 503, transient: true, retryAfterMs: 60_000 }),
      {},
      'next',
    ],
    ['a silent provider', fault('PROVIDER_TIMEOUT'), {}, 'next'],
    [
      'a silent provider, and nobody else',
      fault('PROVIDER_TIMEOUT', { transient: true }),
      { waiting: 0, waitingPeers: 0 },
      'stop',
    ],
    ['504', fault('PROVIDER_TIMEOUT', { status: 504, transient: true }), {}, 'next'],
    ['a second failure while another waits that was not asked', busy, { attemptsHere: 2 }, 'next'],
    ['a second failure where nobody waits', busy, { attemptsHere: 2, waiting: 0 }, 'retry'],
    [
      'a second failure where others may only be asked again',
      busy,
      { attemptsHere: 2, waiting: 0, returning: 1 },
      'retry',
    ],
    ['a third failure here', busy, { attemptsHere: 3 }, 'next'],
    [
      'a third failure where others may be asked again',
      busy,
      { attemptsHere: 3, waiting: 0, returning: 1 },
      'next',
    ],
    ['a third failure where nobody is left', busy, { attemptsHere: 3, waiting: 0 }, 'stop'],
    [
      'a first failure where a retry would take the last call of a peer',
      busy,
      { attemptsLeft: 2, waiting: 2, waitingPeers: 2 },
      'next',
    ],
    [
      'a first failure where a call is left for each peer',
      busy,
      { attemptsLeft: 3, waiting: 2, waitingPeers: 2 },
      'retry',
    ],
    [
      'a first failure of what was named where many fallbacks wait',
      busy,
      { attemptsLeft: 5, waiting: 50, waitingPeers: 0 },
      'retry',
    ],
    ['a failure with retries switched off', busy, { maxHere: 1 }, 'next'],
    ['the last attempt of all', busy, { attemptsLeft: 0 }, 'stop'],
    ['no time left', busy, { remainingMs: 0 }, 'stop'],
    ['a wait longer than the time left', limited(2_000), { remainingMs: 1_000 }, 'next'],
    ['a bad key', fault('PROVIDER_AUTHENTICATION', { status: 401 }), {}, 'next'],
    ['an unknown model', fault('MODEL_UNAVAILABLE', { status: 404 }), {}, 'next'],
    ['a context that overflows', fault('CONTEXT_LENGTH_EXCEEDED', { status: 400 }), {}, 'next'],
    ['a 400', fault('PROVIDER_INVALID_REQUEST', { status: 400 }), {}, 'stop'],
    [
      'a tool call that the model wrote wrongly',
      fault('PROVIDER_INVALID_REQUEST', { status: 400, transient: true }),
      {},
      'retry',
    ],
    ['a content filter', fault('PROVIDER_CONTENT_FILTERED', { status: 400 }), {}, 'stop'],
    ['a cancel', fault('CANCELLED'), {}, 'stop'],
    ['a cut answer', cut, {}, 'next'],
    ['a cut answer that was shown', cut, { shown: true }, 'next'],
    ['a cut answer, and nobody else', cut, { waiting: 0, waitingPeers: 0, shown: true }, 'retry'],
    [
      'a cut answer that was shown, to a caller who wants to know',
      cut,
      { shown: true, onStreamFault: 'FAIL' },
      'stop',
    ],
    ['a cut answer that nobody saw, to the same', cut, { onStreamFault: 'FAIL' }, 'next'],
  ] as const)(
    'after a fault a run goes on as its meaning allows: %s (case %#)',
    (_name, error, over, expected) => {
      expect(nextStep(situation(error, over)).type).toBe(expected);
    },
  );

  test('a provider’s time to wait is honoured to the moment; without one the wait is random up to a bound that doubles', () => {
    expect(nextStep(situation(limited(1_234)))).toEqual({ type: 'retry', waitMs: 1_234 });
    const waits = (attemptsHere: number, random: number) =>
      nextStep(situation(busy, { attemptsHere, maxHere: 10, waiting: 0, random: () => random }));
    expect(waits(1, 0)).toEqual({ type: 'retry', waitMs: 0 });
    expect(waits(1, 0.999999)).toEqual({ type: 'retry', waitMs: 400 });
    expect(waits(2, 0.999999)).toEqual({ type: 'retry', waitMs: 800 });
    expect(waits(9, 0.999999)).toEqual({ type: 'retry', waitMs: 4_000 });
  });

  test('an instance that was left for others comes back after the wait that a retry would have had, if it may be asked again', () => {
    expect(waitBeforeRetry(situation(busy, { attemptsHere: 2 }))).toBe(400);
    expect(waitBeforeRetry(situation(limited(1_000), { attemptsHere: 2 }))).toBe(1_000);
    expect(waitBeforeRetry(situation(limited(60_000)))).toBeUndefined();
    expect(waitBeforeRetry(situation(busy, { attemptsHere: 3 }))).toBeUndefined();
    expect(waitBeforeRetry(situation(fault('PROVIDER_TIMEOUT')))).toBeUndefined();
  });
});
