// Owns what a plain reader gets out of a recorded body, before anything is concluded from it.
import type { ProviderUsage } from '../../src/providers/contract/completions.ts';

export interface CallReading {
  id?: string;
  name: string;
  /** JSON text, where the provider sends text, possibly in pieces. */
  argumentsText: string;
  /** The arguments themselves, where the provider sends an object. */
  argumentsValue?: unknown;
}

export interface Reading {
  /** False as long as nothing in the body belongs to an answer of this wire form. */
  recognised: boolean;
  /** Visible text, in its pieces. */
  text: string[];
  reasoning: string[];
  calls: CallReading[];
  /** The provider's own word for the end. */
  finish?: string;
  /** Set where the text is a refusal that is marked as such. */
  refused?: boolean;
  usage?: ProviderUsage;
  /** The provider's own sum over the usage, where it gives one that covers all of it. */
  total?: number;
  /** What the provider said went wrong, as it said it. */
  error?: unknown;
  /** Kind of fault where the body names it outside of the error itself. */
  errorKind?: string;
}

/** What the readers may know besides the body. */
export interface BodyContext {
  readonly provider: string;
  readonly contentType: string;
}

export type Reader = (body: Buffer, context: BodyContext) => Reading;

export function emptyReading(): Reading {
  return { recognised: false, text: [], reasoning: [], calls: [] };
}

/** Input and output counts as a provider gives them; what is cached or thought may be part of them or beside them. */
export interface RawUsage {
  readonly input: number | undefined;
  readonly output: number | undefined;
  readonly cacheRead?: number | undefined;
  readonly cacheWrite?: number | undefined;
  readonly reasoning?: number | undefined;
  readonly cacheIsPartOfInput: boolean;
  readonly reasoningIsPartOfOutput: boolean;
}

/** Counts each token in one place. Parts are never taken for more than their whole: some servers report such. */
export function normalisedUsage(raw: RawUsage): ProviderUsage | undefined {
  if (raw.input === undefined && raw.output === undefined) return undefined;
  const input = raw.input ?? 0;
  const output = raw.output ?? 0;
  let cacheRead = raw.cacheRead ?? 0;
  let cacheWrite = raw.cacheWrite ?? 0;
  let reasoning = raw.reasoning ?? 0;
  if (raw.cacheIsPartOfInput) {
    cacheRead = Math.min(cacheRead, input);
    cacheWrite = Math.min(cacheWrite, input - cacheRead);
  }
  if (raw.reasoningIsPartOfOutput) reasoning = Math.min(reasoning, output);
  return {
    inputTokens: raw.cacheIsPartOfInput ? input - cacheRead - cacheWrite : input,
    cacheReadTokens: cacheRead,
    cacheWriteTokens: cacheWrite,
    outputTokens: raw.reasoningIsPartOfOutput ? output - reasoning : output,
    reasoningTokens: reasoning,
  };
}
