// Owns what `providerOptions` of GigaChat may not set.
import { INSTEAD, type OptionRules } from '../contract/option-rules.ts';

export const OPTION_RULES: OptionRules = {
  reserved: {
    model: INSTEAD.model,
    messages: INSTEAD.messages,
    max_tokens: INSTEAD.maxTokens,
    n: INSTEAD.count,
    stream: INSTEAD.stream,
    update_interval: INSTEAD.stream,
  },
  priced: ['service_tier', 'region'],
  extended: ['functions'],
};
