// Owns the shapes that Cohere's chat call (version 2) sends, as far as they are used.
import { z } from 'zod';

const count = z.number().min(0).nullish();

export const usageSchema = z.object({
  billed_units: z.object({ input_tokens: count, output_tokens: count }).nullish(),
  tokens: z.object({ input_tokens: count, output_tokens: count, reasoning_tokens: count }).nullish(),
  cached_tokens: count,
});

const contentSchema = z.object({ text: z.string().nullish(), thinking: z.string().nullish() });

const toolCallSchema = z.object({
  id: z.string().nullish(),
  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
});

/** In a delta, `content` and `tool_calls` are single objects; in `message-start` they are empty arrays, which hold nothing. */
export const eventSchema = z.object({
  type: z.string(),
  id: z.string().nullish(),
  index: z.number().nullish(),
  delta: z
    .object({
      message: z
        .object({
          content: z.union([contentSchema, z.array(z.unknown())]).nullish(),
          tool_plan: z.string().nullish(),
          tool_calls: z.union([toolCallSchema, z.array(z.unknown())]).nullish(),
        })
        .nullish(),
      finish_reason: z.string().nullish(),
      usage: usageSchema.nullish(),
      error: z.string().nullish(),
    })
    .nullish(),
});

export const answerSchema = z.object({
  id: z.string().nullish(),
  message: z.object({
    content: z.array(contentSchema).nullish(),
    tool_plan: z.string().nullish(),
    tool_calls: z.array(toolCallSchema).nullish(),
  }),
  finish_reason: z.string(),
  usage: usageSchema.nullish(),
});

export const modelListSchema = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      is_deprecated: z.boolean().nullish(),
      endpoints: z.array(z.string()).nullish(),
      context_length: z.number().nullish(),
      features: z.array(z.string()).nullish(),
    }),
  ),
  next_page_token: z.string().nullish(),
});

export type CohereEvent = z.output<typeof eventSchema>;
export type CohereAnswer = z.output<typeof answerSchema>;
export type CohereToolCall = z.output<typeof toolCallSchema>;
export type CohereContent = z.output<typeof contentSchema>;
export type CohereUsage = z.output<typeof usageSchema>;
export type CohereModelList = z.output<typeof modelListSchema>;
