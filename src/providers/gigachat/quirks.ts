// Owns the named deviations of GigaChat's models and installations, as data on their rows.
import { z } from 'zod';
import type { ProviderTarget } from '../contract/target.ts';
import { readQuirks } from '../shared/quirks.ts';

export const quirksSchema = z.strictObject({
  /** The accepted efforts and the server's words for them; others are refused before the call. */
  reasoningEfforts: z
    .partialRecord(z.enum(['none', 'minimal', 'low', 'medium', 'high', 'max']), z.string())
    .default({ low: 'low', medium: 'medium', high: 'high' }),
});

export type GigaChatQuirks = z.output<typeof quirksSchema>;

export function quirksOf(target: ProviderTarget): GigaChatQuirks {
  return readQuirks('gigachat', quirksSchema, target.quirks);
}
