// Owns how reasoning effort and reasoning tokens become Gemini's thinking configuration, by level or by budget.
import type { JsonObject } from '../../kernel/json.ts';
import type { ProviderRequest, ReasoningEffort, Unsupported } from '../contract/completions.ts';
import { type GeminiQuirks, THINKING_LEVELS } from './quirks.ts';

/** The budgets that Google's own OpenAI-compatible endpoint uses: https://ai.google.dev/gemini-api/docs/openai#thinking */
const BUDGETS: Readonly<Record<Exclude<ReasoningEffort, 'none' | 'max'>, number>> = {
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
};

export function encodeThinking(request: ProviderRequest, quirks: GeminiQuirks): JsonObject | undefined {
  const { model, parameters } = request;
  const refused = new Set(unsupportedThinking(request, quirks).map(({ path }) => path));
  const effort = refused.has('parameters.reasoningEffort') ? undefined : parameters.reasoningEffort;
  const tokens = refused.has('parameters.reasoningTokens') ? undefined : parameters.reasoningTokens;
  if (!model.reasoning) return undefined;
  if (effort === 'none' || tokens === 0) return { thinkingBudget: 0 };
  return {
    includeThoughts: true,
    ...(tokens === undefined ? {} : { thinkingBudget: tokens }),
    ...(effort === undefined ? {} : encodeEffort(effort, quirks)),
  };
}

export function unsupportedThinking(
  { model, parameters }: ProviderRequest,
  quirks: GeminiQuirks,
): Unsupported[] {
  const { reasoningEffort: effort, reasoningTokens: tokens } = parameters;
  const found: Unsupported[] = [];
  const refuse = (field: string, message: string) => found.push({ path: `parameters.${field}`, message });
  if (!model.reasoning) {
    if (effort !== undefined && effort !== 'none') refuse('reasoningEffort', 'The model does not think.');
    if (tokens !== undefined && tokens > 0) refuse('reasoningTokens', 'The model does not think.');
    return found;
  }
  if (effort !== undefined && tokens !== undefined) {
    refuse('reasoningEffort', 'Gemini takes either an effort or a number of reasoning tokens.');
  } else if (effort === 'none' && !canStopThinking(quirks)) {
    refuse('reasoningEffort', 'This model cannot be kept from thinking; `minimal` is the least.');
  }
  if (tokens !== undefined && (tokens < leastBudget(quirks) || tokens > quirks.thinkingBudgetMax)) {
    refuse(
      'reasoningTokens',
      `This model takes from ${leastBudget(quirks)} to ${quirks.thinkingBudgetMax} reasoning tokens.`,
    );
  }
  return found;
}

/** Gemini 3 still accepts a budget, but not one of 0. */
function leastBudget(quirks: GeminiQuirks): number {
  return quirks.thinking === 'level' ? Math.max(1, quirks.thinkingBudgetMin) : quirks.thinkingBudgetMin;
}

function canStopThinking({ thinking, thinkingBudgetMin }: GeminiQuirks): boolean {
  return thinking === 'budget' && thinkingBudgetMin === 0;
}

function encodeEffort(effort: Exclude<ReasoningEffort, 'none'>, quirks: GeminiQuirks): JsonObject {
  if (quirks.thinking === 'level') return { thinkingLevel: levelOf(effort, quirks).toUpperCase() };
  const budget = effort === 'max' ? quirks.thinkingBudgetMax : BUDGETS[effort];
  return { thinkingBudget: Math.min(Math.max(budget, quirks.thinkingBudgetMin), quirks.thinkingBudgetMax) };
}

/** The level of that name, else the next higher one that the model knows, else its highest. */
function levelOf(effort: Exclude<ReasoningEffort, 'none'>, { thinkingLevels }: GeminiQuirks): string {
  const wanted = effort === 'max' ? THINKING_LEVELS.length - 1 : THINKING_LEVELS.indexOf(effort);
  const known = THINKING_LEVELS.filter((level) => thinkingLevels.includes(level));
  return known.find((level) => THINKING_LEVELS.indexOf(level) >= wanted) ?? known.at(-1) ?? 'high';
}
