// Owns how a request for reasoning becomes fields for the model behind Converse, which each family of models names differently.
import type { JsonObject } from '../../kernel/json.ts';
import { nearestLevel, planThinking } from '../claude/thinking.ts';
import type { ProviderRequest, Unsupported } from '../contract/completions.ts';
import { readBlockNotes } from '../shared/assistant-blocks.ts';
import type { BedrockQuirks } from './quirks-schema.ts';

export interface ReasoningPlan {
  /** For `additionalModelRequestFields`. */
  readonly fields: JsonObject;
  /** Set if the model's thinking budget has to be lower than it. */
  readonly maxTokens?: number;
  /** The reason why sampling parameters cannot be combined with it. */
  readonly noSampling?: string;
  readonly refused: readonly Unsupported[];
}

const DEFAULT_MAX_TOKENS = 4096;

export function planReasoning(
  request: ProviderRequest,
  quirks: BedrockQuirks,
  forcedTool: boolean,
): ReasoningPlan {
  const { reasoning } = quirks;
  if (reasoning === 'nova' || reasoning === 'effort') return byEffort(request, quirks, reasoning);
  if (reasoning === 'unasked') return unasked(request);
  const maxTokens = request.parameters.maxTokens ?? request.model.maxOutputTokens ?? DEFAULT_MAX_TOKENS;
  const plan = planThinking(
    request,
    { ...quirks, reasoning },
    maxTokens,
    thinkingConflict(request, forcedTool),
  );
  const byBudget = plan.thinking?.type === 'enabled';
  return {
    fields: {
      ...(plan.thinking ? { thinking: plan.thinking } : {}),
      ...(plan.betas ? { anthropic_beta: plan.betas } : {}),
      ...(plan.effort ? { output_config: { effort: plan.effort } } : {}),
    },
    ...(byBudget ? { maxTokens, noSampling: 'With reasoning, sampling cannot be set.' } : {}),
    refused: plan.refused,
  };
}

function unasked({ parameters: { reasoningEffort, reasoningTokens } }: ProviderRequest): ReasoningPlan {
  const refused: Unsupported[] = [];
  const message = 'This model reasons by its own measure.';
  if (reasoningEffort !== undefined) refused.push({ path: 'parameters.reasoningEffort', message });
  if (reasoningTokens !== undefined) refused.push({ path: 'parameters.reasoningTokens', message });
  return { fields: {}, refused };
}

function byEffort(
  { model, parameters: { reasoningEffort: effort, reasoningTokens } }: ProviderRequest,
  { effortLevels }: BedrockQuirks,
  reasoning: 'nova' | 'effort',
): ReasoningPlan {
  const refused: Unsupported[] = [];
  if (reasoningTokens !== undefined) {
    const message = 'This model takes an effort, not a number of reasoning tokens.';
    refused.push({ path: 'parameters.reasoningTokens', message });
  }
  if (effort === undefined) return { fields: {}, refused };
  if (effort === 'none') {
    if (reasoning === 'effort') {
      refused.push({ path: 'parameters.reasoningEffort', message: 'This model always reasons.' });
    }
    return { fields: {}, refused };
  }
  if (!model.reasoning) {
    refused.push({ path: 'parameters.reasoningEffort', message: 'This model does not reason.' });
    return { fields: {}, refused };
  }
  const level = nearestLevel(effort, effortLevels);
  if (reasoning === 'effort') return { fields: { reasoning_effort: level }, refused };
  return {
    fields: { reasoningConfig: { type: 'enabled', maxReasoningEffort: level } },
    // https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
    ...(level === 'high' ? { noSampling: 'With high reasoning effort, sampling cannot be set.' } : {}),
    refused,
  };
}

/** The reason why Claude cannot think by budget in this request; see the Messages protocol. */
function thinkingConflict({ messages }: ProviderRequest, forcedTool: boolean): string | undefined {
  if (forcedTool) return 'This model cannot reason where a tool is forced.';
  const last = messages.at(-1);
  const caller = last?.role === 'tool' ? messages.findLast(({ role }) => role === 'assistant') : undefined;
  const notes = readBlockNotes(caller?.continuation) ?? [];
  if (!caller || notes.some((note) => note.kind === 'opaque')) return undefined;
  return 'This model cannot reason on in a tool loop whose assistant turn lacks its continuation.';
}
