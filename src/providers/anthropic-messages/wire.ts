// Owns the shapes of Messages answers: only fields that are read are checked.
import { z } from 'zod';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';

const count = z.number().nullish();

const usageSchema = z.object({
  input_tokens: count,
  output_tokens: count,
  cache_creation_input_tokens: count,
  cache_read_input_tokens: count,
  output_tokens_details: z.object({ thinking_tokens: count }).nullish(),
});

const stopSchema = z.object({
  stop_reason: z.string().nullish(),
  stop_details: z.object({ explanation: z.string().nullish() }).nullish(),
});

/** The whole block is kept, since fields that a newer API adds must be sent back too. */
const blockSchema = z.custom<JsonObject & { readonly type: string }>(
  (value) => isJsonObject(value) && typeof value.type === 'string',
);

const messageStartSchema = z.object({
  type: z.literal('message_start'),
  message: z.object({
    id: z.string().nullish(),
    model: z.string().nullish(),
    usage: usageSchema.nullish(),
  }),
});

const errorSchema = z.object({
  type: z.literal('error'),
  error: z.object({ type: z.string().nullish(), message: z.string().nullish() }),
  request_id: z.string().nullish(),
});

export const eventSchema = z.discriminatedUnion('type', [
  messageStartSchema,
  z.object({ type: z.literal('content_block_start'), index: z.number(), content_block: blockSchema }),
  z.object({
    type: z.literal('content_block_delta'),
    index: z.number(),
    delta: z.object({
      type: z.string(),
      text: z.string().optional(),
      thinking: z.string().optional(),
      signature: z.string().optional(),
      partial_json: z.string().optional(),
      citation: z.custom<JsonValue>().optional(),
    }),
  }),
  z.object({ type: z.literal('content_block_stop'), index: z.number() }),
  z.object({ type: z.literal('message_delta'), delta: stopSchema, usage: usageSchema.nullish() }),
  z.object({ type: z.literal('message_stop') }),
  errorSchema,
]);

export const messageSchema = stopSchema.extend({
  type: z.literal('message'),
  id: z.string().nullish(),
  model: z.string().nullish(),
  content: z.array(blockSchema),
  usage: usageSchema.nullish(),
});

export const modelPageSchema = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      display_name: z.string().nullish(),
      max_input_tokens: z.number().nullish(),
      max_tokens: z.number().nullish(),
      capabilities: z.custom<JsonValue>().optional(),
    }),
  ),
  has_more: z.boolean().nullish(),
  last_id: z.string().nullish(),
});

export type WireEvent = z.output<typeof eventSchema>;
export type WireError = z.output<typeof errorSchema>;
export type WireMessage = z.output<typeof messageSchema>;
export type WireUsage = z.output<typeof usageSchema>;
export type WireBlock = z.output<typeof blockSchema>;

export const EVENT_TYPES: ReadonlySet<unknown> = new Set(
  eventSchema.options.map((option) => option.shape.type.value),
);
