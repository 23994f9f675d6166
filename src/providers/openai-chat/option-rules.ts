// Owns what `providerOptions` of the chat protocol may not set, under the names that any server of the family reads.
import { INSTEAD, type OptionRules } from '../contract/option-rules.ts';

export const OPTION_RULES: OptionRules = {
  reserved: {
    model: INSTEAD.model,
    // OpenRouter and LiteLLM: further models, one of which answers if the first does not.
    models: INSTEAD.model,
    fallbacks: INSTEAD.model,
    messages: INSTEAD.messages,
    prompt: INSTEAD.messages,
    input: INSTEAD.messages,
    max_tokens: INSTEAD.maxTokens,
    max_completion_tokens: INSTEAD.maxTokens,
    max_output_tokens: INSTEAD.maxTokens,
    max_new_tokens: INSTEAD.maxTokens,
    // Names that llama.cpp and Ollama use.
    n_predict: INSTEAD.maxTokens,
    num_predict: INSTEAD.maxTokens,
    'options.num_predict': INSTEAD.maxTokens,
    n: INSTEAD.count,
    best_of: INSTEAD.count,
    stream: INSTEAD.stream,
    stream_options: INSTEAD.stream,
    // Proxies merge its fields into the body, past these rules.
    extra_body: 'put its fields beside the other options',
  },
  priced: [
    'service_tier',
    'speed',
    'inference_geo',
    'region',
    'modalities',
    // OpenRouter: which of its providers answers, each at a price of its own.
    'provider.order',
    'provider.only',
    'provider.sort',
  ],
  extended: ['tools'],
};
