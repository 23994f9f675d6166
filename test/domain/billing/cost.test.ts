import { describe, expect, test } from 'vitest';
import { costOf, type Price } from '../../../src/domain/billing/cost.ts';
import { NO_USAGE, type Usage } from '../../../src/domain/billing/usage.ts';

const usage = (over: Partial<Usage>): Usage => ({ ...NO_USAGE, ...over });
const price = (over: Partial<Price> = {}): Price => ({
  id: 'v1',
  inputNanoPerMillion: 10_000_000n,
  outputNanoPerMillion: 50_000_000n,
  cacheReadNanoPerMillion: null,
  cacheWriteNanoPerMillion: null,
  reasoningNanoPerMillion: null,
  tiers: [],
  source: 'test',
  ...over,
});
const ratesOf = (used: Partial<Usage>, own: Price) =>
  Object.fromEntries(
    costOf(usage(used), own).lines.map(({ kind, nanoPerMillion }) => [kind, nanoPerMillion]),
  );
const ONE_OF_EACH = {
  inputTokens: 1,
  cacheReadTokens: 1,
  cacheWriteTokens: 1,
  outputTokens: 1,
  reasoningTokens: 1,
};

describe('kinds of tokens', () => {
  test('each kind of tokens is a line at its own rate', () => {
    const own = price({
      cacheReadNanoPerMillion: 1_000_000n,
      cacheWriteNanoPerMillion: 12_000_000n,
      reasoningNanoPerMillion: 60_000_000n,
    });
    const used = {
      inputTokens: 2,
      cacheReadTokens: 3,
      cacheWriteTokens: 5,
      outputTokens: 7,
      reasoningTokens: 11,
    };
    expect(costOf(usage(used), own)).toEqual({
      totalNano: 20n + 3n + 60n + 350n + 660n,
      priceVersionId: 'v1',
      lines: [
        { kind: 'INPUT', tokens: 2, nanoPerMillion: '10000000', nano: '20' },
        { kind: 'CACHE_READ', tokens: 3, nanoPerMillion: '1000000', nano: '3' },
        { kind: 'CACHE_WRITE', tokens: 5, nanoPerMillion: '12000000', nano: '60' },
        { kind: 'OUTPUT', tokens: 7, nanoPerMillion: '50000000', nano: '350' },
        { kind: 'REASONING', tokens: 11, nanoPerMillion: '60000000', nano: '660' },
      ],
    });
  });

  test('a kind of tokens without a rate of its own costs as plain input or output', () => {
    expect(ratesOf(ONE_OF_EACH, price())).toEqual({
      INPUT: '10000000',
      CACHE_READ: '10000000',
      CACHE_WRITE: '10000000',
      OUTPUT: '50000000',
      REASONING: '50000000',
    });
  });

  test('a rate of zero is a rate: what is free is not charged as plain input', () => {
    const own = price({ cacheReadNanoPerMillion: 0n });
    expect(costOf(usage({ cacheReadTokens: 1_000 }), own)).toMatchObject({
      totalNano: 0n,
      lines: [{ kind: 'CACHE_READ', nano: '0' }],
    });
  });

  test('a kind of tokens that was not used is no line', () => {
    expect(costOf(NO_USAGE, price())).toEqual({ totalNano: 0n, lines: [], priceVersionId: 'v1' });
  });

  test('the total is the sum of lines that are each rounded half up', () => {
    const own = price({ inputNanoPerMillion: 500_000n, outputNanoPerMillion: 499_999n });
    const cost = costOf(usage({ inputTokens: 1, cacheReadTokens: 1, outputTokens: 1 }), own);
    expect(cost.lines.map(({ nano }) => nano)).toEqual(['1', '1', '0']);
    expect(cost.totalNano).toBe(2n);
  });

  test('a cost at a price that is no version of ours names none', () => {
    expect(costOf(NO_USAGE, price({ id: null })).priceVersionId).toBeNull();
  });
});

describe('tiers', () => {
  const tiered = price({
    cacheReadNanoPerMillion: 1_000_000n,
    reasoningNanoPerMillion: 90_000_000n,
    // Out of order: a row may hold them in any.
    tiers: [
      { aboveInputTokens: 200, input: '40', output: '400', cacheRead: '4', cacheWrite: '0' },
      { aboveInputTokens: 100, input: '20', output: '200' },
    ],
  });

  test.each([
    [{ inputTokens: 100 }, '10000000'],
    [{ inputTokens: 101 }, '20'],
    [{ inputTokens: 200 }, '20'],
    [{ inputTokens: 201 }, '40'],
    [{ inputTokens: 1, cacheReadTokens: 100 }, '20'],
    [{ inputTokens: 1, cacheReadTokens: 100, cacheWriteTokens: 100 }, '40'],
    [{ inputTokens: 1, outputTokens: 1_000 }, '10000000'],
  ])('an input of %j goes by the highest tier that the whole input exceeds: %s', (used, rate) => {
    expect(ratesOf(used, tiered).INPUT).toBe(rate);
  });

  test('a tier holds for every kind of tokens, and what it leaves out costs as its plain input or output', () => {
    expect(ratesOf({ ...ONE_OF_EACH, inputTokens: 101 }, tiered)).toEqual({
      INPUT: '20',
      CACHE_READ: '20',
      CACHE_WRITE: '20',
      OUTPUT: '200',
      REASONING: '200',
    });
    expect(ratesOf({ ...ONE_OF_EACH, inputTokens: 201 }, tiered)).toMatchObject({
      CACHE_READ: '4',
      CACHE_WRITE: '0',
    });
  });
});
