// Owns the named deviations that a provider row or a model row can state: Converse unifies the shapes of models, not their abilities.
import { z } from 'zod';

export const quirksSchema = z.strictObject({
  /**
   * How a reasoning model is asked to think, in `additionalModelRequestFields`: `budget` is Claude's `thinking` with a token budget (3.7 to 4.5),
   * `adaptive` its successor with an effort (4.6 and later), `nova` is `reasoningConfig` (Nova 2), `effort` is `reasoning_effort` (gpt-oss),
   * `unasked` thinks always and takes no wish (DeepSeek R1).
   */
  reasoning: z.enum(['none', 'budget', 'adaptive', 'nova', 'effort', 'unasked']).optional(),
  /** How Claude's thinking is switched off; see the Messages protocol. */
  reasoningOff: z.enum(['omit', 'disabled', 'between-tools', 'never']).optional(),
  /** Effort levels that the model takes. */
  effortLevels: z
    .array(z.enum(['low', 'medium', 'high', 'xhigh', 'max']))
    .min(1)
    .optional(),
  /** Whether Claude's thinking blocks are bound to what came before them; see the Messages protocol. */
  boundThinking: z.boolean().optional(),
  /** Where top_k goes within `additionalModelRequestFields`: `top_k` (Claude), `inferenceConfig.topK` (Nova), `k` (Cohere). Empty: nowhere. */
  topKPath: z.string().optional(),
  /** Sampling: everything; temperature or topP but not both (Claude 4 to 4.6); nothing (Claude after 4.6). */
  sampling: z.enum(['full', 'temperature-or-top-p', 'fixed']).optional(),
  /** Whether the model takes tools. */
  tools: z.boolean().optional(),
  /** How far a tool can be forced: a named one (Claude, Nova), only any (Mistral), not at all (Llama). */
  forcedToolChoice: z.enum(['named', 'any', 'never']).optional(),
  /** JSON Schema output: natively through `outputConfig`, through a forced tool (Nova, Claude before 4.5), or not at all. */
  structuredOutput: z.enum(['native', 'tool', 'none']).optional(),
  /** Whether the model takes cache points (Claude, Nova). */
  cachePoints: z.boolean().optional(),
  /** Whether the model takes system prompts; Titan Text and the first Mistral models do not. */
  systemPrompts: z.boolean().optional(),
  /** Whether ConverseStream works: always, only without tools (Llama), or never. */
  streaming: z.enum(['always', 'without-tools', 'never']).optional(),
  /**
   * Geographies whose inference profile is needed to call the model, e.g. `["us", "eu", "global"]`: `us.` is put before its id, by the config's
   * setting `inferenceProfile`, else by its region. Empty: the id is called as it is.
   */
  inferenceProfiles: z.array(z.string()).optional(),
});

export type BedrockQuirks = Required<z.output<typeof quirksSchema>>;
