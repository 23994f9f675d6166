// Owns the deviations that hold for one model: what its family is known for, and over it what the rows state.
import type { ProviderTarget } from '../contract/target.ts';
import { readQuirks } from '../shared/quirks.ts';
import { familyQuirks } from './model-families.ts';
import { type BedrockQuirks, quirksSchema } from './quirks-schema.ts';

export function quirksOf(target: ProviderTarget, modelKey: string): BedrockQuirks {
  const own = readQuirks('bedrock-converse', quirksSchema, target.quirks);
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
    ...own,
  };
}
