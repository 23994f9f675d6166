// Owns the shapes of GigaChat's API v1 that are read: only the fields in use, everything else let through.
import { z } from 'zod';

const text = z.string().nullish();

/** A message, whole or in part. */
const saidSchema = z.looseObject({
  role: text,
  content: text,
  reasoning_content: text,
  functions_state_id: text,
  function_call: z.looseObject({ name: z.string(), arguments: z.json().optional() }).nullish(),
});

const usageSchema = z.looseObject({
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  precached_prompt_tokens: z.number().nullish(),
});

/** A streamed chunk has `delta` where a whole answer has `message`. */
export const chunkSchema = z.looseObject({
  model: text,
  choices: z.array(
    z.looseObject({ delta: saidSchema.nullish(), message: saidSchema.nullish(), finish_reason: text }),
  ),
  usage: usageSchema.nullish(),
});

/** Both ways of signing in have been seen to answer in either form. */
export const tokenSchema = z.union([
  z.looseObject({ access_token: z.string().min(1), expires_at: z.number() }),
  z
    .looseObject({ tok: z.string().min(1), exp: z.number() })
    .transform(({ tok, exp }) => ({ access_token: tok, expires_at: exp })),
]);

export const fileSchema = z.looseObject({ id: z.string().min(1) });

export const modelListSchema = z.looseObject({
  data: z.array(z.looseObject({ id: z.string(), type: text })),
});

export type WireChunk = z.output<typeof chunkSchema>;
export type WireSaid = z.output<typeof saidSchema>;
export type WireUsage = z.output<typeof usageSchema>;

/** One entry of a request's `messages`. */
export interface WireMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'function';
  /** Never null, never a list of parts. */
  readonly content: string;
  readonly name?: string;
  readonly attachments?: readonly string[];
  readonly function_call?: { readonly name: string; readonly arguments: unknown };
  readonly functions_state_id?: string;
  readonly reasoning_content?: string;
}
