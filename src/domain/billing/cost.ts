// Owns what usage costs: tokens by kind times the price version in force, each kind rounded half up, the total their sum.
import { type Nano, priceOfTokens } from '../../kernel/money.ts';
import type { PriceRow } from '../catalogue/snapshot.ts';
import { inputSize, type Usage } from './usage.ts';

export type TokenKind = 'INPUT' | 'CACHE_READ' | 'CACHE_WRITE' | 'OUTPUT' | 'REASONING';

export interface CostLine {
  readonly kind: TokenKind;
  readonly tokens: number;
  /** Decimal text of nano-dollars per million tokens. */
  readonly nanoPerMillion: string;
  /** Decimal text of nano-dollars. */
  readonly nano: string;
}

export interface Cost {
  readonly totalNano: Nano;
  readonly lines: readonly CostLine[];
  /** `null` if the model is free, or if the price comes from the price library and has no version. */
  readonly priceVersionId: string | null;
}

/** The price of tokens, and where it is known from. */
export interface Price
  extends Pick<
    PriceRow,
    | 'inputNanoPerMillion'
    | 'outputNanoPerMillion'
    | 'cacheReadNanoPerMillion'
    | 'cacheWriteNanoPerMillion'
    | 'reasoningNanoPerMillion'
    | 'tiers'
    | 'source'
  > {
  /** `null` if the price comes from the price library and has no version. */
  readonly id: string | null;
}

interface Rates {
  readonly input: Nano;
  readonly output: Nano;
  readonly cacheRead: Nano;
  readonly cacheWrite: Nano;
  readonly reasoning: Nano;
}

export const FREE_OF_CHARGE: Cost = { totalNano: 0n, lines: [], priceVersionId: null };

export function costOf(usage: Usage, price: Price): Cost {
  const rates = ratesFor(price, inputSize(usage));
  const kinds: readonly (readonly [TokenKind, number, Nano])[] = [
    ['INPUT', usage.inputTokens, rates.input],
    ['CACHE_READ', usage.cacheReadTokens, rates.cacheRead],
    ['CACHE_WRITE', usage.cacheWriteTokens, rates.cacheWrite],
    ['OUTPUT', usage.outputTokens, rates.output],
    ['REASONING', usage.reasoningTokens, rates.reasoning],
  ];
  let totalNano = 0n;
  const lines: CostLine[] = [];
  for (const [kind, tokens, rate] of kinds) {
    if (tokens === 0) continue;
    const nano = priceOfTokens(tokens, rate);
    totalNano += nano;
    lines.push({ kind, tokens, nanoPerMillion: rate.toString(), nano: nano.toString() });
  }
  return { totalNano, lines, priceVersionId: price.id };
}

/** The rates of the highest tier that the input exceeds. A rate that a tier or version leaves out is that of plain input or output. */
function ratesFor(price: Price, input: number): Rates {
  const tier = price.tiers
    .filter((each) => input > each.aboveInputTokens)
    .reduce<Price['tiers'][number] | undefined>(
      (highest, each) => (highest && highest.aboveInputTokens > each.aboveInputTokens ? highest : each),
      undefined,
    );
  if (tier) {
    const inputRate = BigInt(tier.input);
    const outputRate = BigInt(tier.output);
    return {
      input: inputRate,
      output: outputRate,
      cacheRead: tier.cacheRead === undefined ? inputRate : BigInt(tier.cacheRead),
      cacheWrite: tier.cacheWrite === undefined ? inputRate : BigInt(tier.cacheWrite),
      reasoning: outputRate,
    };
  }
  return {
    input: price.inputNanoPerMillion,
    output: price.outputNanoPerMillion,
    cacheRead: price.cacheReadNanoPerMillion ?? price.inputNanoPerMillion,
    cacheWrite: price.cacheWriteNanoPerMillion ?? price.inputNanoPerMillion,
    reasoning: price.reasoningNanoPerMillion ?? price.outputNanoPerMillion,
  };
}
