// Owns what `providerOptions` of the Gemini protocol may not set, at either of Google's addresses.
import { INSTEAD, type OptionRules } from '../contract/option-rules.ts';

export const OPTION_RULES: OptionRules = {
  reserved: {
    model: INSTEAD.model,
    contents: INSTEAD.messages,
    systemInstruction: INSTEAD.messages,
    'generationConfig.maxOutputTokens': INSTEAD.maxTokens,
    'generationConfig.candidateCount': INSTEAD.count,
    stream: INSTEAD.stream,
  },
  // Output of other kinds than text has prices of its own.
  priced: ['serviceTier', 'region', 'generationConfig.serviceTier', 'generationConfig.responseModalities'],
  extended: ['tools'],
};
