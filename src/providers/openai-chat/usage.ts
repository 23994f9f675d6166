// Owns the token counts of the compatible family: servers differ in which counts include others, and their own total decides.
import type { ProviderUsage } from '../contract/completions.ts';
import { isRecord } from './wire.ts';

/** `undefined` if the value holds no counts. */
export function usageOf(wire: unknown): ProviderUsage | undefined {
  if (!isRecord(wire)) return undefined;
  const { prompt_tokens: promptTokens, completion_tokens: completionTokens } = wire;
  if (typeof promptTokens !== 'number' && typeof completionTokens !== 'number') return undefined;
  const prompt = count(promptTokens);
  const completion = count(completionTokens);
  const total = typeof wire.total_tokens === 'number' ? wire.total_tokens : undefined;
  return { ...inputSide(wire, prompt, completion, total), ...outputSide(wire, prompt, completion, total) };
}

/** Cached tokens are part of the prompt; Grok on Azure AI Foundry reports more of them than the prompt has. */
function inputSide(
  wire: Record<string, unknown>,
  prompt: number,
  completion: number,
  total: number | undefined,
): Pick<ProviderUsage, 'inputTokens' | 'cacheReadTokens' | 'cacheWriteTokens'> {
  const details = isRecord(wire.prompt_tokens_details) ? wire.prompt_tokens_details : {};
  const cached =
    count(details.cached_tokens) ||
    count(wire.prompt_cache_hit_tokens) ||
    count(wire.num_cached_tokens) ||
    count(wire.cached_tokens);
  const cacheReadTokens = Math.min(cached, prompt);
  const cacheWriteTokens = Math.min(count(details.cache_write_tokens), prompt - cacheReadTokens);
  // Mistral counts audio in the total but not in the prompt.
  const audio = count(details.audio_tokens);
  const audioBeside = audio > 0 && total === prompt + completion + audio ? audio : 0;
  return {
    inputTokens: prompt - cacheReadTokens - cacheWriteTokens + audioBeside,
    cacheReadTokens,
    cacheWriteTokens,
  };
}

/** Reasoning is part of the completion, except at xAI, where it is counted beside it; the total shows which. */
function outputSide(
  wire: Record<string, unknown>,
  prompt: number,
  completion: number,
  total: number | undefined,
): Pick<ProviderUsage, 'outputTokens' | 'reasoningTokens'> {
  const details = isRecord(wire.completion_tokens_details) ? wire.completion_tokens_details : {};
  const reasoning = count(details.reasoning_tokens) || count(wire.reasoning_tokens);
  const beside = total === undefined ? reasoning > completion : total === prompt + completion + reasoning;
  if (beside) return { outputTokens: completion, reasoningTokens: reasoning };
  const reasoningTokens = Math.min(reasoning, completion);
  return { outputTokens: completion - reasoningTokens, reasoningTokens };
}

function count(value: unknown): number {
  return typeof value === 'number' && value > 0 && Number.isFinite(value) ? Math.round(value) : 0;
}

export function sameUsage(a: ProviderUsage | undefined, b: ProviderUsage): boolean {
  return (
    a !== undefined &&
    a.inputTokens === b.inputTokens &&
    a.cacheReadTokens === b.cacheReadTokens &&
    a.cacheWriteTokens === b.cacheWriteTokens &&
    a.outputTokens === b.outputTokens &&
    a.reasoningTokens === b.reasoningTokens
  );
}
