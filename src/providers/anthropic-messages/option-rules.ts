// Owns what `providerOptions` of the Messages protocol may not set, at Anthropic and on Vertex.
import { INSTEAD, type OptionRules } from '../contract/option-rules.ts';

export const OPTION_RULES: OptionRules = {
  reserved: {
    model: INSTEAD.model,
    messages: INSTEAD.messages,
    system: INSTEAD.messages,
    prompt: INSTEAD.messages,
    max_tokens: INSTEAD.maxTokens,
    max_tokens_to_sample: INSTEAD.maxTokens,
    n: INSTEAD.count,
    stream: INSTEAD.stream,
  },
  // Cache entries that live for an hour cost more to write than the catalogue's price for cache writes.
  priced: [
    'service_tier',
    'speed',
    'inference_geo',
    'region',
    'cache_control.ttl',
    'tools.cache_control.ttl',
  ],
  extended: ['tools'],
};
