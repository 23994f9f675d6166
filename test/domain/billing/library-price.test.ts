import { beforeAll, expect, test } from 'vitest';
import { costOf } from '../../../src/domain/billing/cost.ts';
import { libraryPrice, loadPriceLibrary } from '../../../src/domain/billing/library-price.ts';

const usage = (inputTokens: number) => ({
  inputTokens,
  cacheReadTokens: 1_000,
  cacheWriteTokens: 0,
  outputTokens: 100,
  reasoningTokens: 50,
  estimated: false,
});

beforeAll(loadPriceLibrary);

test('a price of the library has tiers by the size of the input, cached input included', () => {
  const price = libraryPrice('google/gemini-2.5-pro');
  if (!price) throw new Error('no price');
  expect(price.tiers).toEqual([
    { aboveInputTokens: 200_000, input: '2500000000', output: '15000000000', cacheRead: '250000000' },
  ]);
  const inputRate = (tokens: number) => costOf(usage(tokens), price).lines[0]?.nanoPerMillion;
  expect(inputRate(199_000)).toBe('1250000000');
  expect(inputRate(199_001)).toBe('2500000000');
});

test.each(['openai/no-such-model', 'nobody/gpt-4o', 'ollama/llama3', 'openai/', '/', '', 'openai/__proto__'])(
  'the library knows no price of %j, which harms nobody',
  (canonicalId) => {
    expect(libraryPrice(canonicalId)).toBeUndefined();
  },
);
