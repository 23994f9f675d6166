// Owns the abilities of a Bedrock model's family, taken from the model's id, for rows that do not state them.
// https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html
import { claudeTraits } from '../claude/generations.ts';
import type { BedrockQuirks } from './quirks-schema.ts';

type Family = readonly [id: RegExp, quirks: Partial<BedrockQuirks>];

const NOVA = {
  topKPath: 'inferenceConfig.topK',
  structuredOutput: 'tool',
  cachePoints: true,
} as const;

/** The first family whose pattern matches applies. */
const FAMILIES: readonly Family[] = [
  [/amazon\.nova-2/, { ...NOVA, reasoning: 'nova', effortLevels: ['low', 'medium', 'high'] }],
  [/amazon\.nova/, NOVA],
  [/amazon\.titan/, { tools: false, systemPrompts: false, structuredOutput: 'none' }],
  [/meta\.llama/, { forcedToolChoice: 'never', structuredOutput: 'none', streaming: 'without-tools' }],
  [/mistral\.mi(stral-7b|xtral)/, { tools: false, systemPrompts: false, structuredOutput: 'none' }],
  [/mistral\./, { forcedToolChoice: 'any', structuredOutput: 'tool' }],
  [/cohere\./, { topKPath: 'k', forcedToolChoice: 'never', structuredOutput: 'none' }],
  [/ai21\./, { forcedToolChoice: 'never', structuredOutput: 'none' }],
  [/deepseek\.r1/, { reasoning: 'unasked', tools: false, structuredOutput: 'none' }],
  [/openai\.gpt-oss/, { reasoning: 'effort', effortLevels: ['low', 'medium', 'high'] }],
];

export function familyQuirks(modelKey: string): Partial<BedrockQuirks> {
  const claude = claudeTraits(modelKey);
  if (!claude) return FAMILIES.find(([id]) => id.test(modelKey))?.[1] ?? {};
  return {
    reasoning: claude.reasoning,
    reasoningOff: claude.reasoningOff,
    effortLevels: [...claude.effortLevels],
    boundThinking: claude.boundThinking,
    sampling: claude.sampling,
    forcedToolChoice: claude.forcedToolChoice ? 'named' : 'never',
    structuredOutput: claude.nativeSchema ? 'native' : 'tool',
    topKPath: 'top_k',
    cachePoints: true,
  };
}
