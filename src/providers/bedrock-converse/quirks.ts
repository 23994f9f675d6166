// Owns the deviations that hold for one model: what its family is known for, and over it what the rows state.
import { z } from 'zod';
import { ProviderError } from '../../kernel/errors.ts';
import type { ProviderTarget } from '../contract/adapter.ts';
import { familyQuirks } from './model-families.ts';
import { type BedrockQuirks, bedrockQuirksSchema } from './quirks-schema.ts';

export function bedrockQuirks(target: ProviderTarget, modelKey: string): BedrockQuirks {
  const result = bedrockQuirksSchema.safeParse(target.quirks);
  if (!result.success) {
    throw new ProviderError(
      'MODEL_UNAVAILABLE',
      `The row's quirks are not valid: ${z.prettifyError(result.error)}`,
    );
  }
  return {
    reasoning: 'none',
    reasoningOff: 'omit',
    effortLevels: ['low', 'medium', 'high', 'max'],
    boundThinking: false,
    topKPath: '',
    sampling: 'full',
    tools: true,
    forcedToolChoice: 'named',
    structuredOutput: 'native',
    cachePoints: false,
    systemPrompts: true,
    streaming: 'always',
    inferenceProfiles: [],
    ...familyQuirks(modelKey),
    ...result.data,
  };
}
