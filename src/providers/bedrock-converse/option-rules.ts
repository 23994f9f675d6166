// Owns the fields of Converse that `providerOptions` may not set, both its own and those that it passes to the model.
import { INSTEAD, type OptionRules } from '../contract/option-rules.ts';

const OF_MODEL = 'additionalModelRequestFields';

export const OPTION_RULES: OptionRules = {
  reserved: {
    model: INSTEAD.model,
    modelId: INSTEAD.model,
    messages: INSTEAD.messages,
    system: INSTEAD.messages,
    promptVariables: INSTEAD.messages,
    'inferenceConfig.maxTokens': INSTEAD.maxTokens,
    [`${OF_MODEL}.model`]: INSTEAD.model,
    [`${OF_MODEL}.messages`]: INSTEAD.messages,
    [`${OF_MODEL}.system`]: INSTEAD.messages,
    [`${OF_MODEL}.prompt`]: INSTEAD.messages,
    // Each family of models has a name of its own for it.
    [`${OF_MODEL}.max_tokens`]: INSTEAD.maxTokens,
    [`${OF_MODEL}.max_tokens_to_sample`]: INSTEAD.maxTokens,
    [`${OF_MODEL}.max_completion_tokens`]: INSTEAD.maxTokens,
    [`${OF_MODEL}.max_new_tokens`]: INSTEAD.maxTokens,
    [`${OF_MODEL}.max_gen_len`]: INSTEAD.maxTokens,
    [`${OF_MODEL}.inferenceConfig.maxTokens`]: INSTEAD.maxTokens,
    [`${OF_MODEL}.inferenceConfig.max_new_tokens`]: INSTEAD.maxTokens,
    [`${OF_MODEL}.n`]: INSTEAD.count,
    [`${OF_MODEL}.num_generations`]: INSTEAD.count,
    [`${OF_MODEL}.stream`]: INSTEAD.stream,
  },
  priced: [
    'serviceTier',
    'performanceConfig',
    'region',
    `${OF_MODEL}.service_tier`,
    `${OF_MODEL}.speed`,
    `${OF_MODEL}.inference_geo`,
  ],
  extended: ['toolConfig.tools', `${OF_MODEL}.anthropic_beta`],
};
