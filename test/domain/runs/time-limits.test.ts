import { describe, expect, test } from 'vitest';
import type { Candidate } from '../../../src/domain/routing/candidates.ts';
import { attemptLimits } from '../../../src/domain/runs/time-limits.ts';

const ENDLESS = Number.POSITIVE_INFINITY;
const candidate = (config: object = {}, instance?: object, capabilities: readonly string[] = []) =>
  ({
    config: { timeLimits: config },
    instance: instance && { timeLimits: instance },
    model: { capabilities },
  }) as unknown as Candidate;

test('an attempt is left early where another candidate waits, and waited for where nobody does', () => {
  expect(attemptLimits(candidate(), true, ENDLESS)).toEqual({
    firstTokenMs: 10_000,
    aliveFirstTokenMs: 120_000,
    betweenTokensMs: 10_000,
    totalMs: 600_000,
  });
  expect(attemptLimits(candidate(), false, ENDLESS)).toEqual({
    firstTokenMs: 120_000,
    aliveFirstTokenMs: 120_000,
    betweenTokensMs: 60_000,
    totalMs: 600_000,
  });
});

test('a model that reasons may think before its first token, whoever waits', () => {
  const limits = attemptLimits(candidate({}, undefined, ['reasoning']), true, ENDLESS);
  expect(limits).toMatchObject({ firstTokenMs: 120_000, betweenTokensMs: 10_000 });
});

test('a model that the catalogue does not know is taken for one that does not reason', () => {
  const unknown = { ...candidate(), model: undefined };
  expect(attemptLimits(unknown, true, ENDLESS).firstTokenMs).toBe(10_000);
});

describe('limits that somebody set', () => {
  test('a limit of the instance wins over that of its config, each by itself', () => {
    const own = candidate({ firstTokenMs: 1, betweenTokensMs: 2, totalMs: 3 }, { betweenTokensMs: 20 });
    expect(attemptLimits(own, true, ENDLESS)).toEqual({
      firstTokenMs: 1,
      aliveFirstTokenMs: 1,
      betweenTokensMs: 20,
      totalMs: 3,
    });
  });

  test('a limit on the first token that somebody set holds for a model that reasons too', () => {
    const own = candidate({ firstTokenMs: 5 }, undefined, ['reasoning']);
    expect(attemptLimits(own, false, ENDLESS)).toMatchObject({ firstTokenMs: 5, aliveFirstTokenMs: 5 });
  });
});

test.each([
  [{}, 1_000, 1_000],
  [{}, 900_000, 600_000],
  [{ totalMs: 2_000 }, 1_000, 1_000],
  [{ totalMs: 2_000 }, 3_000, 2_000],
  [{}, 0, 1],
  [{}, -50, 1],
])('with the limits %j and %i ms left of the run, an attempt has %i ms', (own, remainingMs, totalMs) => {
  expect(attemptLimits(candidate(own), false, remainingMs).totalMs).toBe(totalMs);
});
