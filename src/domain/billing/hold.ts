// Owns how much money is held for a completion before its usage is known.
import type { Nano } from '../../kernel/money.ts';
import { costOf, type Price } from './cost.ts';

/** Output and reasoning may have different prices; the hold uses the higher one. */
export function holdFor(price: Price, inputTokens: number, outputTokens: number): Nano {
  const usage = { inputTokens, cacheReadTokens: 0, cacheWriteTokens: 0, estimated: true };
  const asOutput = costOf({ ...usage, outputTokens, reasoningTokens: 0 }, price).totalNano;
  const asReasoning = costOf({ ...usage, outputTokens: 0, reasoningTokens: outputTokens }, price).totalNano;
  return asOutput > asReasoning ? asOutput : asReasoning;
}
