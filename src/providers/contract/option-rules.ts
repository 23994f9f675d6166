// Owns the contract of option rules: which fields of a protocol's request a caller may not set through `providerOptions`.

/**
 * Names are those of the provider's API, with dots where they nest (`generationConfig.maxOutputTokens`). Case, `_` and `-` do not count when names are
 * compared, because several servers ignore them too. The gateway checks each request against these rules before it begins a run, for every protocol that
 * its `providerOptions` name.
 */
export interface OptionRules {
  /**
   * Fields that options may not set, because the gateway decides them, records them or enforces a bound by them; each with the words that tell the
   * caller what to do instead.
   */
  readonly reserved: Readonly<Record<string, string>>;
  /**
   * Fields that change what the provider charges. They are refused if an account or a budget pays for the completion. Lists on the path are searched as
   * well.
   */
  readonly priced: readonly string[];
  /** Lists that options extend: their entries are added after the caller's own, not put in place of them. */
  readonly extended: readonly string[];
}

/** What to do instead of setting a reserved field, for fields that many protocols have. */
export const INSTEAD = {
  model: 'name the model in "model"',
  messages: 'give the conversation, its system messages too, in "messages"',
  maxTokens: 'give the bound in "parameters.maxTokens"',
  stream: 'the gateway decides how it reads the answer; call "complete" or subscribe to "streamCompletion"',
  count: 'a completion has one answer; call once for each that you want',
} as const;
