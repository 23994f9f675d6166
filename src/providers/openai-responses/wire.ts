// Owns the shapes of the Responses API that are read: only the fields in use, everything else let through.
import { z } from 'zod';
import type { JsonObject } from '../../kernel/json.ts';

const text = z.string().nullish();

export const itemSchema = z.looseObject({
  type: z.string(),
  call_id: text,
  name: text,
  arguments: text,
  phase: text,
  encrypted_content: text,
  content: z.array(z.looseObject({ type: z.string(), text: text, refusal: text })).nullish(),
  summary: z.array(z.looseObject({ text: text })).nullish(),
});

const faultSchema = z.looseObject({
  code: z.union([z.string(), z.number()]).nullish(),
  type: text,
  message: text,
  param: text,
});

const count = z.number().nullish();

const usageSchema = z.looseObject({
  input_tokens: z.number(),
  output_tokens: z.number(),
  input_tokens_details: z.looseObject({ cached_tokens: count, cache_write_tokens: count }).nullish(),
  output_tokens_details: z.looseObject({ reasoning_tokens: count }).nullish(),
});

export const responseSchema = z.looseObject({
  id: text,
  model: text,
  status: text,
  output: z.array(itemSchema).nullish(),
  usage: usageSchema.nullish(),
  error: faultSchema.nullish(),
  incomplete_details: z.looseObject({ reason: text }).nullish(),
});

/** One streamed event; `type` tells which of the others are there. */
export const eventSchema = z.looseObject({
  type: text,
  output_index: z.number().nullish(),
  summary_index: z.number().nullish(),
  delta: text,
  item: itemSchema.nullish(),
  response: responseSchema.nullish(),
  error: z.union([faultSchema, z.string()]).nullish(),
  code: z.union([z.string(), z.number()]).nullish(),
  message: text,
});

export const modelListSchema = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) });

export type WireItem = z.output<typeof itemSchema>;
export type WireFault = z.output<typeof faultSchema>;
export type WireUsage = z.output<typeof usageSchema>;
export type WireResponse = z.output<typeof responseSchema>;
export type WireEvent = z.output<typeof eventSchema>;

/** One entry of a request's `input`. */
export type InputItem = JsonObject;
