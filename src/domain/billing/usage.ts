// Owns what a run used: tokens by kind, each counted in one place, and whether they were counted by us.
import type { ProviderUsage } from '../../providers/contract/completions.ts';

export interface Usage extends ProviderUsage {
  /** True where the provider sent no count and ours stands in. */
  readonly estimated: boolean;
}

export const NO_USAGE: Usage = {
  inputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  estimated: false,
};

export function totalTokens(usage: ProviderUsage): number {
  return inputSize(usage) + usage.outputTokens + usage.reasoningTokens;
}

/** All tokens of the input, cached or not: what price tiers go by. */
export function inputSize(usage: ProviderUsage): number {
  return usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
}
