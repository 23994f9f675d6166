// Owns what a request, of whatever kind, needs of a model: planning checks each candidate for it.
export interface ModelNeeds {
  /** The modality that the model gives, as in `ModelSpec.outputModalities`. */
  readonly output: string;
  /** Modalities beside text that the request holds, as in `ModelSpec.inputModalities`. */
  readonly inputs: readonly string[];
  /** A lower bound of the input; a model whose context is certainly too small is left out. */
  readonly inputTokensAtLeast: number;
  /** The most output that the caller asks for, in tokens. */
  readonly maxTokens?: number;
  /** The candidate that made the latest continuation of the conversation; it goes first. */
  readonly continuation?: ContinuationMaker;
}

export interface ContinuationMaker {
  readonly instanceId: string | null;
  readonly canonicalId: string;
  readonly protocol: string;
}
