// Owns what `providerOptions` of Cohere's chat call may not set.
import { INSTEAD, type OptionRules } from '../contract/option-rules.ts';

export const OPTION_RULES: OptionRules = {
  reserved: {
    model: INSTEAD.model,
    messages: INSTEAD.messages,
    max_tokens: INSTEAD.maxTokens,
    num_generations: INSTEAD.count,
    stream: INSTEAD.stream,
  },
  priced: ['priority', 'service_tier', 'region'],
  extended: ['tools'],
};
