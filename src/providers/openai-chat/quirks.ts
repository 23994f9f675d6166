// Owns the named deviations from OpenAI's chat protocol: data on provider and model rows, validated here.
import { z } from 'zod';
import type { JsonObject } from '../../kernel/json.ts';
import type { ProviderTarget } from '../contract/target.ts';
import { readQuirks } from '../shared/quirks.ts';

/** Features of a request that a server may lack. The names are those of the completion input, with a part after the dot if only that part is lacking. */
export const FEATURES = [
  'temperature',
  'topP',
  'topK',
  'stop',
  'seed',
  'presencePenalty',
  'frequencyPenalty',
  'repetitionPenalty',
  'logitBias',
  'reasoningEffort',
  'reasoningTokens',
  'parallelToolCalls',
  'tools',
  'tools.strict',
  'toolChoice',
  'toolChoice.required',
  'toolChoice.named',
  'responseFormat.json',
  'responseFormat.json-schema',
  'images',
  'images.url',
  'images.data',
] as const;

export type Feature = (typeof FEATURES)[number];

const feature = z.enum(FEATURES);

/**
 * A row without quirks stands for a server that accepts what OpenAI's own API accepts, under the older names that the whole family knows. Rows name only
 * what differs.
 * Example: `{ "maxTokensName": "max_completion_tokens", "lacks": ["logitBias"] }`.
 */
export const quirksSchema = z.strictObject({
  /** Features that the server refuses or ignores; a request that uses one is refused before the call. `images` covers `images.url` and `images.data`. */
  lacks: z.array(feature).default([]),
  /** As `lacks`, for models that reason: OpenAI and xAI refuse sampling parameters there. A model row clears it with `[]`. */
  lacksWhenReasoning: z.array(feature).default([]),
  /** Parameters that the server has beyond OpenAI's own. (`reasoningTokens` belongs to `reasoningStyle: "object"`.) */
  extras: z.array(z.enum(['topK', 'repetitionPenalty'])).default([]),

  /** Role of system messages. `developer` is for OpenAI models that refuse `system`. */
  systemRole: z.enum(['system', 'developer']).default('system'),
  /** One system message, first; then user and assistant in strict turns: neighbours of one role are joined (Perplexity, strict chat templates). */
  strictTurns: z.boolean().default(false),

  /** `max_tokens` is deprecated at OpenAI, and refused by its reasoning models. */
  maxTokensName: z.enum(['max_tokens', 'max_completion_tokens']).default('max_tokens'),
  /** Mistral has `random_seed`. */
  seedName: z.enum(['seed', 'random_seed']).default('seed'),
  /** llama.cpp names it `repeat_penalty`. */
  repetitionPenaltyName: z.enum(['repetition_penalty', 'repeat_penalty']).default('repetition_penalty'),
  /** Whether `stream_options: { include_usage: true }` is sent. Off where it is refused, or where usage comes anyway (Mistral, Perplexity). */
  streamOptions: z.boolean().default(true),

  /** The word for "some tool must be called". Mistral's is `any`. */
  requiredToolChoice: z.enum(['required', 'any']).default('required'),
  /** Mistral accepts only ids of nine letters and digits: other ids are hashed into such, in call and result alike. */
  toolCallIds: z.enum(['any', 'nine-alphanumeric']).default('any'),
  /** `nested` is OpenAI's `json_schema: { name, schema }`; `inline` puts `schema` beside `type` (older Together). */
  jsonSchemaForm: z.enum(['nested', 'inline']).default('nested'),
  /**
   * `openai`: with `strict`, a schema has to close its objects and require all properties, so it is brought into that form before it goes out
   * (OpenAI, Azure). `as-given`: schemas go out as the caller wrote them.
   */
  strictSchemas: z.enum(['as-given', 'openai']).default('as-given'),
  /** `string` puts the URL itself under `image_url`. */
  imageUrlForm: z.enum(['object', 'string']).default('object'),
  /** Sends prompt-cache hints as `cache_control` on text and image parts (OpenRouter). Without it hints have no effect. */
  cacheControl: z.boolean().default(false),

  /**
   * How reasoning is asked for: `effort` is `reasoning_effort`; `object` is `reasoning: { effort | max_tokens }` (OpenRouter);
   * `thinking` is `thinking: { type: "enabled" | "disabled" }` (z.ai); `thinking-and-effort` is both (DeepSeek).
   */
  reasoningStyle: z.enum(['effort', 'object', 'thinking', 'thinking-and-effort']).default('effort'),
  /**
   * The accepted efforts and the server's words for them; others are refused before the call. If absent, all are sent under their own names (only `none`
   * and `high`, if `thinking` is the only field).
   */
  reasoningEfforts: z
    .partialRecord(z.enum(['none', 'minimal', 'low', 'medium', 'high', 'max']), z.string())
    .optional(),
  /**
   * When an assistant message is sent back with its reasoning, under the field it came in (`reasoning_content`, `reasoning`,
   * `reasoning_details`, Mistral's chunk `thinking`): DeepSeek demands it of messages with tool calls, strict servers refuse the unknown field.
   */
  echoReasoning: z.enum(['never', 'with-tool-calls', 'always']).default('never'),
  /**
   * What stands in `reasoning_content` of a message with tool calls that comes back without its reasoning, for models that reason. DeepSeek
   * and Xiaomi demand the field, Moonshot takes an empty one for a missing one. Without it the field is left out.
   */
  reasoningPad: z.string().optional(),

  /** Path of the model list under the base URL; `null` if there is none. */
  modelsPath: z.string().startsWith('/').nullable().default('/models'),
  /**
   * What `check` gets to prove address and credential; the model list by default. `null` posts an empty completion instead, which a
   * good credential turns into a validation error: for servers without a list, or whose list is public.
   */
  checkPath: z.string().startsWith('/').nullable().optional(),
});

export type ChatQuirks = z.output<typeof quirksSchema>;

const parsed = new WeakMap<JsonObject, ChatQuirks>();

/** The quirks of a row; parsed once for each object, since every completion needs them. */
export function quirksOf({ quirks: row }: Pick<ProviderTarget, 'quirks'>): ChatQuirks {
  const known = parsed.get(row);
  if (known) return known;
  const quirks = readQuirks('openai-chat', quirksSchema, row);
  parsed.set(row, quirks);
  return quirks;
}
