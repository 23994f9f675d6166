// Owns the rules for estimating tokens without a provider's count: of a request's input, of the output so far, and of the output still to come.
import type { Message, Tool } from '../../providers/contract/completions.ts';

/** `bytesPerToken`: the average number of UTF-8 bytes of a token in longer texts. The other two fields count what is not text. */
interface InputRule {
  readonly bytesPerToken: number;
  readonly tokensPerMessage: number;
  readonly tokensPerImage: number;
}

/** Rather too many tokens: for holds, and for limits on tokens. */
const HELD: InputRule = { bytesPerToken: 3, tokensPerMessage: 8, tokensPerImage: 1_600 };
/** The usual number of tokens: it is charged for an attempt whose node was lost before the provider told its count. */
const COUNTED: InputRule = { ...HELD, bytesPerToken: 4 };
/** Added to texts that a tokenizer has counted: the tokens that chat templates add to each message, and those of an image of medium size. */
const BESIDE_COUNTED_TEXTS = { tokensPerMessage: 4, tokensPerImage: 765 };
/** No text has fewer tokens than one for so many characters: a text that is too long even by this rule certainly does not fit. */
const CHARACTERS_PER_TOKEN_AT_MOST = 8;
/** The average number of characters of an output token. The size of an answer is watched by it while the answer comes; the charge uses a real count. */
const CHARACTERS_PER_OUTPUT_TOKEN = 4;
/** The output that is assumed if neither the caller nor the instance bounds it. */
const DEFAULT_OUTPUT_TOKENS = 4_096;

type SizedMessage = Pick<Message, 'parts' | 'toolCalls'>;

/**
 * Estimates the input of one request without a tokenizer, since this is done before every completion. Each figure is computed on its first use, and both
 * figures in bytes come from one pass: a request without a hold and limits is not scanned at all.
 */
export class InputEstimate {
  readonly #messages: readonly SizedMessage[];
  readonly #tools: readonly Tool[];
  #size: InputSize | undefined;

  constructor(messages: readonly SizedMessage[], tools: readonly Tool[]) {
    this.#messages = messages;
    this.#tools = tools;
  }

  /** The input certainly has no fewer tokens than this. */
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

  /** The usual number of tokens for this size. */
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
  /** UTF-8 bytes of all texts, tool calls and tools. */
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

/** The tokens that messages take in addition to their texts, if a tokenizer has counted the texts. */
export function tokensBesideTexts(messages: readonly SizedMessage[]): number {
  const { tokensPerMessage, tokensPerImage } = BESIDE_COUNTED_TEXTS;
  let images = 0;
  for (const { parts } of messages) for (const part of parts) if (part.type === 'image') images += 1;
  return messages.length * tokensPerMessage + images * tokensPerImage;
}

/** Tokens of this many characters of output; not a whole number. */
export function outputTokensOf(characters: number): number {
  return characters / CHARACTERS_PER_OUTPUT_TOKEN;
}

/** The output to hold for: the bound that the caller or the instance sets; else 4,096, or the model's maximum if that is less. */
export function outputTokensHeld(bound: number | undefined, modelMaximum: number | null | undefined): number {
  return bound ?? Math.min(DEFAULT_OUTPUT_TOKENS, modelMaximum ?? DEFAULT_OUTPUT_TOKENS);
}
