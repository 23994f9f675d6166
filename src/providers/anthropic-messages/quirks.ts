// Owns the named deviations from the Messages protocol that a provider row or a model row can state, and the values that hold if they do not.
import { z } from 'zod';
import { claudeTraits } from '../claude/generations.ts';
import type { ProviderTarget } from '../contract/target.ts';
import { readQuirks } from '../shared/quirks.ts';

export const quirksSchema = z.strictObject({
  /**
   * How a reasoning model is asked to think: by a token budget (Claude 3.7 to 4.5, compatible servers), adaptively with an effort level
   * (Claude 4.6 and later), or not at all. https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking
   */
  reasoning: z.enum(['none', 'budget', 'adaptive']).optional(),
  /**
   * How thinking is switched off: by leaving it out (up to Claude 4.8), by `disabled` (Opus 5, Sonnet 5: they think unasked),
   * by `between_tools` (Sonnet 5.5), or not at all (Fable, Mythos, Opus 5.5).
   */
  reasoningOff: z.enum(['omit', 'disabled', 'between-tools', 'never']).optional(),
  /** Effort levels that the model takes, read where `reasoning` is `adaptive`. `xhigh` came with Opus 4.7. */
  effortLevels: z
    .array(z.enum(['low', 'medium', 'high', 'xhigh', 'max']))
    .min(1)
    .optional(),
  /** Whether thinking blocks are bound to what came before them (Fable 5.1, the 5.5 family): stale ones are then to be dropped, not refused. */
  boundThinking: z.boolean().optional(),
  /** Sampling: everything; temperature or top_p but not both (Claude 4 to 4.6); nothing but the defaults (Claude after 4.6). */
  sampling: z.enum(['full', 'temperature-or-top-p', 'fixed']).optional(),
  /** Whether a tool can be forced; Fable 5.1, Mythos 5.1 and the 5.5 family refuse it. */
  forcedToolChoice: z.boolean().optional(),
  /** JSON Schema output: natively (`output_config.format`), through a forced tool (Claude before 4.5), or not at all. */
  structuredOutput: z.enum(['native', 'tool', 'none']).optional(),
  /** Whether the last message may be the assistant's, to be continued; Claude after 4.5 refuses it. */
  prefill: z.boolean().optional(),
  /** Whether a system message may stand among the turns, after one of the user's: Claude 4.8 and later, at Anthropic itself. */
  systemTurns: z.boolean().optional(),
  /** Values of the header `anthropic-beta`. */
  betas: z.array(z.string()).optional(),
  /** Whether `GET /v1/models` exists; several compatible servers lack it. */
  listsModels: z.boolean().optional(),
});

export type AnthropicQuirks = Required<z.output<typeof quirksSchema>>;

export function quirksOf(target: ProviderTarget, modelKey = ''): AnthropicQuirks {
  const own = readQuirks('anthropic-messages', quirksSchema, target.quirks);
  return {
    reasoning: 'budget',
    reasoningOff: 'omit',
    effortLevels: ['low', 'medium', 'high', 'max'],
    boundThinking: false,
    sampling: 'full',
    forcedToolChoice: true,
    structuredOutput: 'native',
    prefill: true,
    systemTurns: false,
    betas: [],
    listsModels: true,
    ...ofGeneration(modelKey),
    ...own,
  };
}

function ofGeneration(modelKey: string): Partial<AnthropicQuirks> {
  const traits = claudeTraits(modelKey);
  if (!traits) return {};
  const { nativeSchema, effortLevels, ...same } = traits;
  return { ...same, effortLevels: [...effortLevels], structuredOutput: nativeSchema ? 'native' : 'tool' };
}
