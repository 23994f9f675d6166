// Owns what `providerOptions` of the Responses API may not set.
import { INSTEAD, type OptionRules } from '../contract/option-rules.ts';

export const OPTION_RULES: OptionRules = {
  reserved: {
    model: INSTEAD.model,
    models: INSTEAD.model,
    input: INSTEAD.messages,
    instructions: INSTEAD.messages,
    messages: INSTEAD.messages,
    // A stored prompt, response or conversation brings messages that the gateway has not seen, perhaps another tenant's.
    prompt: INSTEAD.messages,
    previous_response_id: INSTEAD.messages,
    conversation: INSTEAD.messages,
    max_output_tokens: INSTEAD.maxTokens,
    n: INSTEAD.count,
    stream: INSTEAD.stream,
    stream_options: INSTEAD.stream,
    // Such a response goes on, and is charged, after the gateway has stopped the run.
    background: 'a completion goes on without its caller unless "onDetach" says otherwise',
    extra_body: 'put its fields beside the other options',
  },
  priced: ['service_tier', 'speed', 'inference_geo', 'region'],
  extended: ['tools'],
};
