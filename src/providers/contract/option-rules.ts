// Owns the contract on `providerOptions`: what of a protocol's request a caller may not write into by hand.

/**
 * Names are those of the wire, dotted where they nest (`generationConfig.maxOutputTokens`). They are compared without regard to case, `_` and `-`,
 * as several servers read them. The gateway checks a request against these rules before it is accepted, for every protocol that it names.
 */
export interface OptionRules {
  /** Fields that options may not set, each with the words that tell the caller what to do instead: the gateway decides, records or bounds by them. */
  readonly reserved: Readonly<Record<string, string>>;
  /** Fields that change what the provider charges. They are refused where a completion is paid from an account or a budget; lists on the way are looked through. */
  readonly priced: readonly string[];
  /** Lists to which options add: the caller's own entries stay. */
  readonly extended: readonly string[];
}

/** What a caller does instead of setting a reserved field. */
export const INSTEAD = {
  model: 'name the model in "model"',
  messages: 'give the conversation, its system messages too, in "messages"',
  maxTokens: 'give the bound in "parameters.maxTokens"',
  stream: 'the gateway decides how it reads the answer; call "complete" or subscribe to "streamCompletion"',
  count: 'a completion has one answer; call once for each that you want',
} as const;
