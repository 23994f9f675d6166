// Owns the named deviations from the Messages protocol that a provider row or a model row can state.
import { z } from 'zod';
import { ProviderError } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json.ts';

const quirksSchema = z.object({
  /**
   * How a reasoning model is asked to think: by a token budget (Claude 3.7 to 4.5, most compatible servers), adaptively with an effort level
   * (Claude 4.6 and later), or not at all. Default: `budget`.
   */
  reasoning: z.enum(['none', 'budget', 'adaptive']).default('budget'),
  /**
   * How thinking is switched off: by leaving it out (up to Claude 4.8), by `disabled` (Claude Opus 5, Sonnet 5: they think unasked),
   * by `between_tools` (Sonnet 5.5), or not at all (Fable, Mythos, Opus 5.5). Default: `omit`.
   */
  reasoningOff: z.enum(['omit', 'disabled', 'between-tools', 'never']).default('omit'),
  /** Effort levels that the model takes; `xhigh` came with Opus 4.7. Only read where `reasoning` is `adaptive`. */
  effortLevels: z
    .array(z.enum(['low', 'medium', 'high', 'xhigh', 'max']))
    .default(['low', 'medium', 'high', 'max']),
  /** Whether thinking blocks are bound to what came before them (Fable 5.1, the 5.5 family), so that stale ones are to be dropped. */
  boundThinking: z.boolean().default(false),
  /**
   * Sampling: everything; temperature or top_p but not both (Claude 4 to 4.6); nothing but the defaults (Claude after 4.6). Default: `full`.
   */
  sampling: z.enum(['full', 'temperature-or-top-p', 'fixed']).default('full'),
  /** Whether a tool can be forced; Fable 5.1, Mythos 5.1 and the 5.5 family refuse it. */
  forcedToolChoice: z.boolean().default(true),
  /** JSON Schema output: natively, through a forced tool (Claude before 4.1), or not at all. Default: `native`. */
  structuredOutput: z.enum(['native', 'tool', 'none']).default('native'),
  /** Whether the last message may be the assistant's, to be continued; Claude after 4.5 refuses it. */
  prefill: z.boolean().default(true),
  /** Whether a system message may stand among the turns (Claude 5.5 and later). */
  systemTurns: z.boolean().default(false),
  /** Values of the header `anthropic-beta`. */
  betas: z.array(z.string()).default([]),
  /** Whether `GET /v1/models` exists; several compatible servers lack it. */
  listsModels: z.boolean().default(true),
});

export type AnthropicQuirks = z.infer<typeof quirksSchema>;

export function parseAnthropicQuirks(quirks: JsonObject): AnthropicQuirks {
  const parsed = quirksSchema.safeParse(quirks);
  if (parsed.success) return parsed.data;
  throw new ProviderError(
    'PROVIDER_INVALID_REQUEST',
    `The quirks of this provider or model are not valid: ${z.prettifyError(parsed.error)}`,
  );
}
