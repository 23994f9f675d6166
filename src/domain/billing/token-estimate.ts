// Owns every rule by which tokens are estimated without a provider's count: of a request's input, of output that has come, and of output still to come.
import type { Message, Tool } from '../../providers/contract/completions.ts';

/** `bytesPerToken`: bytes of UTF-8 that a token has in the mean of a longer text. The other two are added for what is no text. */
interface InputRule {
  readonly bytesPerToken: number;
  readonly tokensPerMessage: number;
  readonly tokensPerImage: number;
}

/** On the side of too many: what is held before a run, and what is asked of limits on tokens. */
const HELD: InputRule = { bytesPerToken: 3, tokensPerMessage: 8, tokensPerImage: 1_600 };
/** As texts mostly are: what an attempt is charged with whose node was lost before the provider told its count. */
const COUNTED: InputRule = { ...HELD, bytesPerToken: 4 };
/** Beside texts that a tokenizer has counted: what chat templates add around a message, and what an image of middling size takes. */
const BESIDE_COUNTED_TEXTS = { tokensPerMessage: 4, tokensPerImage: 765 };
/** No text has fewer tokens than one for so many characters: what does not fit by it does not fit at all. */
const CHARACTERS_PER_TOKEN_AT_MOST = 8;
/** Of output, in the mean: it is watched by this while it comes, and what is charged is counted. */
const CHARACTERS_PER_OUTPUT_TOKEN = 4;
/** What is assumed of an answer that nobody bounds. */
const DEFAULT_OUTPUT_TOKENS = 4_096;

type SizedMessage = Pick<Message, 'parts' | 'toolCalls'>;

/**
 * The input of one request, measured without a tokenizer, for this stands before every completion. Each figure is found on its first use, and the
 * request is looked through once for both figures in bytes: a request that nobody holds or limits is not looked through at all.
 */
export class InputEstimate {
  readonly #messages: readonly SizedMessage[];
  readonly #tools: readonly Tool[];
  #size: InputSize | undefined;

  constructor(messages: readonly SizedMessage[], tools: readonly Tool[]) {
    this.#messages = messages;
    this.#tools = tools;
  }

  /** Surely no fewer tokens than this. */
  get atLeast(): number {
    let length = 0;
    for (const { parts } of this.#messages) {
      for (const part of parts) if (part.type === 'text') length += part.text.length;
    }
    return Math.floor(length / CHARACTERS_PER_TOKEN_AT_MOST);
  }

  /** Rather too many tokens than too few. */
  get held(): number {
    return this.#tokensBy(HELD);
  }

  /** As many tokens as there mostly are. */
  get counted(): number {
    return this.#tokensBy(COUNTED);
  }

  #tokensBy({ bytesPerToken, tokensPerMessage, tokensPerImage }: InputRule): number {
    this.#size ??= sizeOf(this.#messages, this.#tools);
    const { bytes, images } = this.#size;
    return (
      this.#messages.length * tokensPerMessage + images * tokensPerImage + Math.ceil(bytes / bytesPerToken)
    );
  }
}

interface InputSize {
  /** UTF-8 of all texts, calls and tools. */
  readonly bytes: number;
  readonly images: number;
}

function sizeOf(messages: readonly SizedMessage[], tools: readonly Tool[]): InputSize {
  let bytes = 0;
  let images = 0;
  for (const { parts, toolCalls } of messages) {
    for (const part of parts) {
      if (part.type === 'text') bytes += Buffer.byteLength(part.text);
      else images += 1;
    }
    for (const { name, argumentsText } of toolCalls)
      bytes += Buffer.byteLength(name) + Buffer.byteLength(argumentsText);
  }
  for (const tool of tools) bytes += Buffer.byteLength(JSON.stringify(tool));
  return { bytes, images };
}

/** What messages take beside their texts, where a tokenizer has counted those. */
export function tokensBesideTexts(messages: readonly SizedMessage[]): number {
  const { tokensPerMessage, tokensPerImage } = BESIDE_COUNTED_TEXTS;
  let images = 0;
  for (const { parts } of messages) for (const part of parts) if (part.type === 'image') images += 1;
  return messages.length * tokensPerMessage + images * tokensPerImage;
}

/** Tokens of so many characters of output; not a whole number. */
export function outputTokensOf(characters: number): number {
  return characters / CHARACTERS_PER_OUTPUT_TOKEN;
}

/** The bound that the caller or the instance sets, else 4,096 or what the model gives at most, if that is less. */
export function outputTokensHeld(bound: number | undefined, modelMaximum: number | null | undefined): number {
  return bound ?? Math.min(DEFAULT_OUTPUT_TOKENS, modelMaximum ?? DEFAULT_OUTPUT_TOKENS);
}
