import { expect, test } from 'vitest';
import { costOf, type Price } from '../../../src/domain/billing/cost.ts';
import { holdFor } from '../../../src/domain/billing/hold.ts';

const price = (over: Partial<Price> = {}): Price => ({
  id: 'v1',
  inputNanoPerMillion: 1_000_000n,
  outputNanoPerMillion: 5_000_000n,
  cacheReadNanoPerMillion: null,
  cacheWriteNanoPerMillion: null,
  reasoningNanoPerMillion: null,
  tiers: [],
  source: 'test',
  ...over,
});

test.each<[string, Partial<Price>, number, number, bigint]>([
  ['a call of nothing', {}, 0, 0, 0n],
  ['input alone', {}, 100, 0, 100n],
  ['input and output', {}, 100, 10, 150n],
  ['reasoning that is dearer than output', { reasoningNanoPerMillion: 9_000_000n }, 100, 10, 190n],
  ['reasoning that is cheaper than output', { reasoningNanoPerMillion: 1_000_000n }, 100, 10, 150n],
  ['an input that was partly cached before', { cacheReadNanoPerMillion: 0n }, 100, 0, 100n],
  [
    'an input beyond the bound of a tier',
    { tiers: [{ aboveInputTokens: 99, input: '2000000', output: '10000000' }] },
    100,
    10,
    300n,
  ],
])('what is held covers the dearest outcome of %s', (_what, over, input, output, expected) => {
  expect(holdFor(price(over), input, output)).toBe(expected);
});

test('no split of the output between text and reasoning costs more than what is held', () => {
  for (const reasoningRate of [1_000_000n, 5_000_000n, 9_000_000n]) {
    const own = price({ reasoningNanoPerMillion: reasoningRate });
    const held = holdFor(own, 100, 10);
    for (let reasoningTokens = 0; reasoningTokens <= 10; reasoningTokens += 1) {
      const usage = { inputTokens: 100, cacheReadTokens: 0, cacheWriteTokens: 0, estimated: false };
      const cost = costOf({ ...usage, outputTokens: 10 - reasoningTokens, reasoningTokens }, own);
      expect(cost.totalNano <= held).toBe(true);
    }
  }
});
