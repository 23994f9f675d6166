// Owns what `providerOptions` of Ollama's chat call may not set.
import { INSTEAD, type OptionRules } from '../contract/option-rules.ts';

export const OPTION_RULES: OptionRules = {
  reserved: {
    model: INSTEAD.model,
    messages: INSTEAD.messages,
    prompt: INSTEAD.messages,
    system: INSTEAD.messages,
    'options.num_predict': INSTEAD.maxTokens,
    stream: INSTEAD.stream,
  },
  priced: ['service_tier', 'region'],
  extended: ['tools'],
};
