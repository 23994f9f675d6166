import { beforeAll, describe, expect, test } from 'vitest';
import { costOf } from '../../../src/domain/billing/cost.ts';
import { loadPriceLibrary } from '../../../src/domain/billing/library-price.ts';
import { priceInForce } from '../../../src/domain/billing/model-price.ts';
import type { PriceRow } from '../../../src/domain/catalogue/snapshot.ts';

const at = new Date('2026-11-20T00:00:00Z');
const usage = (inputTokens: number) => ({
  inputTokens,
  cacheReadTokens: 1_000,
  cacheWriteTokens: 0,
  outputTokens: 100,
  reasoningTokens: 50,
  estimated: false,
});

describe('prices of models', () => {
  beforeAll(loadPriceLibrary);

  test('the price of a model is the library’s where no version of ours is in force', () => {
    const price = priceInForce(new Map(), 'openai/gpt-4o', at);
    expect(price).toMatchObject({
      id: null,
      source: 'genai-prices',
      inputNanoPerMillion: 2_500_000_000n,
      outputNanoPerMillion: 10_000_000_000n,
      cacheReadNanoPerMillion: 1_250_000_000n,
      tiers: [],
    });
    if (!price) throw new Error('no price');
    // 1,000 at 2.50, 1,000 cached at 1.25, 150 at 10 dollars a million.
    expect(costOf(usage(1_000), price)).toMatchObject({ totalNano: 5_250_000n, priceVersionId: null });
  });

  test('the price of a model is our version over the library’s, from its moment on', () => {
    const own = {
      id: 'v1',
      canonicalId: 'openai/gpt-4o',
      inputNanoPerMillion: 1n,
      outputNanoPerMillion: 1n,
      tiers: [],
      source: 'set by hand',
      effectiveAt: new Date('2026-11-19T00:00:00Z'),
    } as unknown as PriceRow;
    const versions = new Map([['openai/gpt-4o', [own]]]);
    expect(priceInForce(versions, 'openai/gpt-4o', at)).toBe(own);
    expect(priceInForce(versions, 'openai/gpt-4o', new Date('2026-11-18T00:00:00Z'))?.source).toBe(
      'genai-prices',
    );
  });
});
