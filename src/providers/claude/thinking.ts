// Owns how a request for reasoning becomes Claude's `thinking` and effort, which Messages and Converse put in different places.
import type { JsonObject } from '../../kernel/json.ts';
import type { ProviderRequest, ReasoningEffort, Unsupported } from '../contract/completions.ts';
import { readBlockNotes } from '../shared/assistant-blocks.ts';
import type { EffortLevel, ReasoningOff } from './generations.ts';

export interface ThinkingRules {
  readonly reasoning: 'none' | 'budget' | 'adaptive';
  readonly reasoningOff: ReasoningOff;
  readonly effortLevels: readonly EffortLevel[];
  readonly boundThinking: boolean;
}

export interface ThinkingPlan {
  readonly thinking?: JsonObject;
  /** Betas that must be named, or the API refuses the fields of `thinking`. */
  readonly betas?: readonly string[];
  readonly effort?: EffortLevel;
  readonly refused: readonly Unsupported[];
}

const MIN_BUDGET = 1024;
const BUDGETS: Readonly<Record<Exclude<ReasoningEffort, 'none'>, number>> = {
  minimal: MIN_BUDGET,
  low: 2048,
  medium: 8192,
  high: 16_384,
  max: 32_768,
};
const LEVELS: readonly EffortLevel[] = ['low', 'medium', 'high', 'xhigh', 'max'];

/** `conflict`: the reason why thinking by budget cannot be combined with the rest of this request, if there is one. */
export function planThinking(
  request: ProviderRequest,
  rules: ThinkingRules,
  maxTokens: number,
  conflict: string | undefined,
): ThinkingPlan {
  const { model, parameters } = request;
  const bound = boundBy(request, rules);
  const { reasoningEffort: effort, reasoningTokens: tokens } = parameters;
  if (effort === undefined && tokens === undefined) return { ...bound, refused: [] };
  const path = effort === undefined ? 'parameters.reasoningTokens' : 'parameters.reasoningEffort';
  const refuse = (message: string): ThinkingPlan => ({ ...bound, refused: [{ path, message }] });

  const off = effort === 'none' || (effort === undefined && tokens === 0);
  if (rules.reasoning === 'none' || !model.reasoning) {
    return off ? { refused: [] } : refuse('This model does not reason.');
  }
  if (off) return rules.reasoningOff === 'never' ? refuse('This model always reasons.') : switchedOff(rules);
  if (rules.reasoning === 'adaptive') return adaptive(effort, tokens, rules, bound);
  if (conflict) return refuse(conflict);
  return byBudget(effort, tokens, maxTokens, refuse);
}

function switchedOff({ reasoningOff }: ThinkingRules): ThinkingPlan {
  if (reasoningOff === 'omit') return { refused: [] };
  return { thinking: { type: reasoningOff === 'disabled' ? 'disabled' : 'between_tools' }, refused: [] };
}

function adaptive(
  effort: ReasoningEffort | undefined,
  tokens: number | undefined,
  rules: ThinkingRules,
  bound: Omit<ThinkingPlan, 'refused'>,
): ThinkingPlan {
  const refused =
    tokens === undefined
      ? []
      : [
          {
            path: 'parameters.reasoningTokens',
            message: 'This model takes an effort, not a number of reasoning tokens.',
          },
        ];
  if (effort === undefined) return { ...bound, refused };
  // Models after Opus 4.6 leave the text of thinking out unless asked for it.
  const thinking = { type: 'adaptive', display: 'summarized', ...bound.thinking };
  return { ...bound, thinking, effort: nearestLevel(effort, rules.effortLevels), refused };
}

/**
 * These models refuse a history whose thinking blocks no longer follow the content that they were made for, e.g. after one word of the system prompt has
 * changed. With the beta they drop such blocks instead. Without the beta the field itself is refused, so both are sent only if there is such a block.
 */
function boundBy(
  { messages }: ProviderRequest,
  { boundThinking }: ThinkingRules,
): Omit<ThinkingPlan, 'refused'> {
  const holdsThinking = messages.some(({ continuation }) =>
    readBlockNotes(continuation)?.some(({ kind }) => kind === 'opaque'),
  );
  if (!boundThinking || !holdsThinking) return {};
  return {
    thinking: { type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'drop_block' } },
    betas: ['thinking-binding-controls-2026-08-01'],
  };
}

export function nearestLevel(effort: ReasoningEffort, levels: readonly EffortLevel[]): EffortLevel {
  const wanted = LEVELS.indexOf(effort === 'minimal' || effort === 'none' ? 'low' : effort);
  const known = LEVELS.filter((level) => levels.includes(level));
  return known.findLast((level) => LEVELS.indexOf(level) <= wanted) ?? known[0] ?? 'low';
}

function byBudget(
  effort: ReasoningEffort | undefined,
  tokens: number | undefined,
  maxTokens: number,
  refuse: (message: string) => ThinkingPlan,
): ThinkingPlan {
  const wanted = effort === undefined || effort === 'none' ? Number.POSITIVE_INFINITY : BUDGETS[effort];
  // The thinking budget counts towards max_tokens, the most that the caller pays for, so a quarter of that is kept for the answer.
  const budget = Math.min(wanted, tokens ?? Number.POSITIVE_INFINITY, Math.floor(maxTokens * 0.75));
  if (budget < MIN_BUDGET) {
    return refuse(
      `This model reasons with at least ${MIN_BUDGET} tokens, within three quarters of maxTokens (${maxTokens}).`,
    );
  }
  return { thinking: { type: 'enabled', budget_tokens: budget }, refused: [] };
}
