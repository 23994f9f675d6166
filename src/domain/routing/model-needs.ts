// Owns what a request needs of a model, whatever kind of call it is: what planning asks of each candidate.
export interface ModelNeeds {
  /** The modality that the model gives, as in `ModelSpec.outputModalities`. */
  readonly output: string;
  /** Modalities beside text that the request holds, as in `ModelSpec.inputModalities`. */
  readonly inputs: readonly string[];
  /** A lower bound of the input; a model whose context is surely too small is left out. */
  readonly inputTokensAtLeast: number;
  /** The output that the caller asks for at most. */
  readonly maxTokens?: number;
  /** What made the latest continuation of the conversation: it goes first. */
  readonly continuation?: ContinuationMaker;
}

export interface ContinuationMaker {
  readonly instanceId: string | null;
  readonly canonicalId: string;
  readonly protocol: string;
}
