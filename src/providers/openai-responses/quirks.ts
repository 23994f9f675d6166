// Owns the deviations of a provider's or model's Responses API from OpenAI's, as data on its row.
import { z } from 'zod';
import type { ProviderTarget } from '../contract/target.ts';
import { readQuirks } from '../shared/quirks.ts';

const parameter = z.enum(['maxTokens', 'temperature', 'topP', 'reasoningEffort', 'parallelToolCalls']);

/** The first five mean what they mean for `openai-chat`. */
export const quirksSchema = z.strictObject({
  /** Parameters that the server refuses, in addition to those that the protocol does not have. */
  lacks: z.array(parameter).default([]),
  /** As `lacks`, for models that reason: OpenAI refuses sampling parameters there. A model row clears it with `[]`. */
  lacksWhenReasoning: z.array(parameter).default([]),
  /** The accepted efforts and the server's words for them; others are refused before the call. If absent, all are sent under their own names. */
  reasoningEfforts: z
    .partialRecord(z.enum(['none', 'minimal', 'low', 'medium', 'high', 'max']), z.string())
    .optional(),
  /** Path of the model list under the base URL; `null` if there is none. */
  modelsPath: z.string().startsWith('/').nullable().default('/models'),
  /**
   * What `check` gets to prove address and credential; the model list by default. `null` posts an empty request instead, which a good
   * credential turns into a validation error.
   */
  checkPath: z.string().startsWith('/').nullable().optional(),
  /** Which summary of its reasoning a model is asked for. OpenAI refuses to give any to organisations that it has not verified. */
  reasoningSummary: z.enum(['auto', 'concise', 'detailed', 'none']).default('none'),
  /** False where the server has no encrypted reasoning; then nothing of it is asked for. */
  encryptedReasoning: z.boolean().default(true),
});

export type ResponsesQuirks = z.output<typeof quirksSchema>;

export function quirksOf({ quirks }: Pick<ProviderTarget, 'quirks'>): ResponsesQuirks {
  return readQuirks('openai-responses', quirksSchema, quirks);
}
