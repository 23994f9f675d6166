import { describe, expect, test } from 'vitest';
import type { AttemptResult } from '../../../src/domain/runs/attempt.ts';
import { outcomeOfAttempt, outcomeOfProbe } from '../../../src/domain/runs/circuit-outcome.ts';
import {
  ProviderError,
  type ProviderErrorCode,
  type ProviderErrorDetails,
} from '../../../src/kernel/errors.ts';

const result = (over: Partial<AttemptResult>) =>
  ({ error: undefined, firstTokenMs: null, stopped: false, ...over }) as AttemptResult;
const fault = (code: ProviderErrorCode, details: ProviderErrorDetails = {}) =>
  new ProviderError(code, 'It failed', details);

describe('attempts', () => {
  test.each<[ProviderErrorCode, string]>([
    ['PROVIDER_UNAVAILABLE', 'failure'],
    ['PROVIDER_TIMEOUT', 'failure'],
    ['PROVIDER_PROTOCOL', 'failure'],
    ['PROVIDER_AUTHENTICATION', 'neutral'],
    ['PROVIDER_RATE_LIMITED', 'neutral'],
    ['PROVIDER_INVALID_REQUEST', 'neutral'],
    ['PROVIDER_CONTENT_FILTERED', 'neutral'],
    ['CONTEXT_LENGTH_EXCEEDED', 'neutral'],
    ['MODEL_UNAVAILABLE', 'neutral'],
  ])('an attempt that ends with %s tells its circuit: %s', (code, expected) => {
    expect(outcomeOfAttempt(result({ error: fault(code), firstTokenMs: 5 })).result).toBe(expected);
  });

  test('an attempt that was answered tells its circuit how soon', () => {
    expect(outcomeOfAttempt(result({ firstTokenMs: 250 }))).toEqual({ result: 'success', firstTokenMs: 250 });
  });

  test('an attempt that was stopped, or never made, says nothing of the provider’s health', () => {
    const stopped = result({
      stopped: true,
      error: fault('PROVIDER_UNAVAILABLE'),
      firstTokenMs: 250,
    } as never);
    for (const one of [stopped, undefined])
      expect(outcomeOfAttempt(one)).toEqual({ result: 'neutral', firstTokenMs: null });
  });

  test('only a rate limit with a time to wait asks for quiet', () => {
    const quietOf = (code: ProviderErrorCode, retryAfterMs?: number) =>
      outcomeOfAttempt(result({ error: fault(code, retryAfterMs === undefined ? {} : { retryAfterMs }) }))
        .quietMs;
    expect(quietOf('PROVIDER_RATE_LIMITED', 900)).toBe(900);
    expect(quietOf('PROVIDER_RATE_LIMITED', 0)).toBe(0);
    expect(quietOf('PROVIDER_RATE_LIMITED')).toBeUndefined();
    expect(quietOf('PROVIDER_UNAVAILABLE', 900)).toBeUndefined();
  });

  test('the reason that a circuit is told is bounded and names the code', () => {
    const error = new ProviderError('PROVIDER_UNAVAILABLE', 'x'.repeat(4_000));
    const { reason } = outcomeOfAttempt(result({ error }));
    expect(reason).toHaveLength(300);
    expect(reason).toMatch(/^PROVIDER_UNAVAILABLE/);
  });
});

describe('probes', () => {
  test.each<[string, Partial<AttemptResult>, boolean, string]>([
    ['an answer', { firstTokenMs: 5 }, false, 'success'],
    [
      'a first token before a fault',
      { firstTokenMs: 5, error: fault('PROVIDER_UNAVAILABLE') },
      false,
      'success',
    ],
    ['a first token while the node closes', { firstTokenMs: 5, error: fault('CANCELLED') }, true, 'success'],
    ['a fault while the node closes', { error: fault('CANCELLED') }, true, 'neutral'],
    ['a refusal of the request', { error: fault('PROVIDER_INVALID_REQUEST') }, false, 'success'],
    [
      'a refusal that passes',
      { error: fault('PROVIDER_INVALID_REQUEST', { transient: true }) },
      false,
      'failure',
    ],
    ['an outage', { error: fault('PROVIDER_UNAVAILABLE') }, false, 'failure'],
    ['a bad key', { error: fault('PROVIDER_AUTHENTICATION') }, false, 'failure'],
  ])(
    'a probe tells its circuit whether the provider has recovered, by %s',
    (_what, over, closing, expected) => {
      expect(outcomeOfProbe(result(over), closing).result).toBe(expected);
    },
  );
});
