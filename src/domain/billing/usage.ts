// Owns what a run used: tokens by kind, each counted in one place, and whether the gateway counted them itself.
import type { ProviderUsage } from '../../providers/contract/completions.ts';

export interface Usage extends ProviderUsage {
  /** True if the provider sent no count, so that the gateway's own is used. */
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

/** All tokens of the input, cached or not: price tiers depend on this number. */
export function inputSize(usage: ProviderUsage): number {
  return usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
}
