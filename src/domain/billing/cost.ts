// Owns what usage costs: tokens by kind times the price version in force, each kind rounded half up, the total their sum.
import { type Nano, priceOfTokens } from '../../kernel/money.ts';
import type { PriceRow } from '../catalog/snapshot.ts';
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
  /** `null` where the model is free. */
  readonly priceVersionId: string | null;
}

interface Rates {
  readonly input: Nano;
  readonly output: Nano;
  readonly cacheRead: Nano;
  readonly cacheWrite: Nano;
  readonly reasoning: Nano;
}

export const FREE_OF_CHARGE: Cost = { totalNano: 0n, lines: [], priceVersionId: null };

/** The version in force at `at`: the latest that has taken effect. */
export function priceInForce(versions: readonly PriceRow[] | undefined, at: Date): PriceRow | undefined {
  return versions?.findLast((version) => version.effectiveAt <= at);
}

export function costOf(usage: Usage, price: PriceRow): Cost {
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

/** The rates of the highest tier that the input exceeds; what a tier or version leaves out costs as plain input or output. */
function ratesFor(price: PriceRow, input: number): Rates {
  const tier = price.tiers
    .filter((each) => input > each.aboveInputTokens)
    .reduce<PriceRow['tiers'][number] | undefined>(
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
