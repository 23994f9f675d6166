// Owns the named deviations from the Converse protocol that a provider row or a model row can state: Converse unifies shapes, not abilities.
import { z } from 'zod';
import { ProviderError } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json.ts';

const quirksSchema = z.object({
  /**
   * How a reasoning model is asked to think, in `additionalModelRequestFields`: `budget` is Claude's `thinking` with a token budget (3.7 to 4.5),
   * `adaptive` its successor with an effort (4.6 and later), `nova` is `reasoningConfig` (Nova 2), `effort` is `reasoning_effort` (gpt-oss),
   * `unasked` thinks always and takes no wish (DeepSeek R1). Default: `none`.
   */
  reasoning: z.enum(['none', 'budget', 'adaptive', 'nova', 'effort', 'unasked']).default('none'),
  /** How Claude's thinking is switched off; see the Messages protocol. Default: `omit`. */
  reasoningOff: z.enum(['omit', 'disabled', 'between-tools', 'never']).default('omit'),
  /** Effort levels that the model takes. */
  effortLevels: z
    .array(z.enum(['low', 'medium', 'high', 'xhigh', 'max']))
    .default(['low', 'medium', 'high', 'max']),
  /** Where top_k goes within `additionalModelRequestFields`, e.g. `top_k` (Claude), `inferenceConfig.topK` (Nova), `k` (Cohere). Without it: nowhere. */
  topKPath: z.string().optional(),
  /** Sampling: everything; temperature or topP but not both (Claude 4 to 4.6); nothing (Claude after 4.6). Default: `full`. */
  sampling: z.enum(['full', 'temperature-or-top-p', 'fixed']).default('full'),
  /** Whether the model takes tools at all. */
  tools: z.boolean().default(true),
  /** How far a tool can be forced: any or a named one (Claude, Nova), only any (Mistral Large), not at all (Llama). Default: `named`. */
  forcedToolChoice: z.enum(['named', 'any', 'never']).default('named'),
  /** JSON Schema output: natively through `outputConfig`, through a forced tool (Nova, Claude before 4.5), or not at all. Default: `native`. */
  structuredOutput: z.enum(['native', 'tool', 'none']).default('native'),
  /** Whether the model takes cache points (Claude, Nova). */
  cachePoints: z.boolean().default(true),
  /** Whether the model takes system prompts (Titan Text, Mistral 7B Instruct do not). */
  systemPrompts: z.boolean().default(true),
  /** Whether ConverseStream works: always, only without tools (some Llama, Jamba and Mistral models), or never. Default: `always`. */
  streaming: z.enum(['always', 'without-tools', 'never']).default('always'),
  /**
   * Geographies whose inference profile is needed to call the model, e.g. `["us", "eu", "global"]`; `us.` is put before the model id, by the config's
   * setting `inferenceProfile`, else by its region. Empty: the id is called as it is.
   */
  inferenceProfiles: z.array(z.string()).default([]),
});

export type BedrockQuirks = z.infer<typeof quirksSchema>;

export function parseBedrockQuirks(quirks: JsonObject): BedrockQuirks {
  const parsed = quirksSchema.safeParse(quirks);
  if (parsed.success) return parsed.data;
  throw new ProviderError(
    'PROVIDER_INVALID_REQUEST',
    `The quirks of this provider or model are not valid: ${z.prettifyError(parsed.error)}`,
  );
}
