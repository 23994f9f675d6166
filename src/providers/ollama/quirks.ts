// Owns the named deviations of Ollama servers and models, and the settings that a config of them may carry.
import { z } from 'zod';
import { ProviderError } from '../../kernel/errors.ts';
import type { ProviderTarget } from '../contract/target.ts';
import { readQuirks } from '../shared/quirks.ts';

export const THINK_LEVELS = ['low', 'medium', 'high', 'max'] as const;

export const quirksSchema = z.strictObject({
  /**
   * Levels of thinking that model and server distinguish; empty if thinking is only on or off, as servers before 0.12 require.
   * https://docs.ollama.com/capabilities/thinking
   */
  thinkLevels: z.array(z.enum(THINK_LEVELS)).default(['low', 'medium', 'high']),
  /** Whether thinking can be switched off; `gpt-oss` always thinks. */
  thinkOff: z.boolean().default(true),
});

export type OllamaQuirks = z.output<typeof quirksSchema>;

const settingsSchema = z.object({
  /** Context length to load models with. If a prompt exceeds the server's default, the server drops its beginning silently. */
  numCtx: z.int().min(1).optional(),
  /** How long a model stays loaded: `5m`, or seconds; 0 unloads it, -1 keeps it. */
  keepAlive: z.union([z.string().max(20), z.number()]).optional(),
});

export type OllamaSettings = z.output<typeof settingsSchema>;

export function quirksOf(target: ProviderTarget): OllamaQuirks {
  return readQuirks('ollama', quirksSchema, target.quirks);
}

export function ollamaSettings(target: ProviderTarget): OllamaSettings {
  const result = settingsSchema.safeParse(target.settings);
  if (result.success) return result.data;
  throw new ProviderError('MODEL_UNAVAILABLE', `Settings of ollama: ${z.prettifyError(result.error)}`);
}
