// Owns how a provider's or a model's Responses API may deviate from OpenAI's, as data on its row.
import { z } from 'zod';
import { ProviderError } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json.ts';

const quirksSchema = z.strictObject({
  /** Parameters that the model refuses, as paths: OpenAI's reasoning models take no `parameters.temperature`. */
  refuses: z.array(z.string()).default([]),
  /** Which summary of its reasoning a model is asked for; `none` where the organisation is not verified for it. */
  reasoningSummary: z.enum(['auto', 'concise', 'detailed', 'none']).default('auto'),
  /** The provider's own word for an effort, where it differs: `{ "max": "xhigh" }`. */
  effortNames: z.record(z.string(), z.string()).default({}),
  /** False where the server has no encrypted reasoning; then nothing of it is sent back. */
  encryptedReasoning: z.boolean().default(true),
});

export type ResponsesQuirks = z.output<typeof quirksSchema>;

export function quirksOf(quirks: JsonObject): ResponsesQuirks {
  const result = quirksSchema.safeParse(quirks);
  if (result.success) return result.data;
  throw new ProviderError(
    'PROVIDER_INVALID_REQUEST',
    `The quirks of this provider or model are not valid: ${z.prettifyError(result.error)}`,
    { cause: result.error },
  );
}
