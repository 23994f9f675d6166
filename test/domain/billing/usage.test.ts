import { expect, test } from 'vitest';
import { inputSize, NO_USAGE, totalTokens, type Usage } from '../../../src/domain/billing/usage.ts';

test.each<[Partial<Usage>, number, number]>([
  [{}, 0, 0],
  [{ inputTokens: 1 }, 1, 1],
  [{ cacheReadTokens: 2 }, 2, 2],
  [{ cacheWriteTokens: 4 }, 4, 4],
  [{ outputTokens: 8 }, 0, 8],
  [{ reasoningTokens: 16 }, 0, 16],
  [{ inputTokens: 1, cacheReadTokens: 2, cacheWriteTokens: 4, outputTokens: 8, reasoningTokens: 16 }, 7, 31],
])('a usage of %j has %i tokens of input, cached or not, and %i in all', (over, input, total) => {
  const usage = { ...NO_USAGE, ...over };
  expect([inputSize(usage), totalTokens(usage)]).toEqual([input, total]);
});
