// Owns how much is held for a completion before it is known what it uses.
import type { Nano } from '../../kernel/money.ts';
import type { Message, Tool } from '../../providers/contract/completions.ts';
import { costOf, type Price } from './cost.ts';

/** Bytes of UTF-8 that a token has in the mean of a longer text: for a hold on the side of too much, for a count as they mostly are. */
export const BYTES_PER_TOKEN_HELD = 3;
export const BYTES_PER_TOKEN_COUNTED = 4;
const TOKENS_PER_MESSAGE = 8;
const TOKENS_PER_IMAGE = 1_600;
/** What is assumed of an answer that nobody bounds. */
const DEFAULT_OUTPUT_TOKENS = 4_096;

/** Without a tokenizer: this is asked for before every completion. */
export function estimateInputTokens(
  messages: readonly Pick<Message, 'parts' | 'toolCalls'>[],
  tools: readonly Tool[],
  bytesPerToken = BYTES_PER_TOKEN_HELD,
): number {
  let bytes = 0;
  let tokens = 0;
  for (const { parts, toolCalls } of messages) {
    tokens += TOKENS_PER_MESSAGE;
    for (const part of parts) {
      if (part.type === 'text') bytes += Buffer.byteLength(part.text);
      else tokens += TOKENS_PER_IMAGE;
    }
    for (const { name, argumentsText } of toolCalls)
      bytes += Buffer.byteLength(name) + Buffer.byteLength(argumentsText);
  }
  for (const tool of tools) bytes += Buffer.byteLength(JSON.stringify(tool));
  return tokens + Math.ceil(bytes / bytesPerToken);
}

/** The bound that the caller or the instance sets, else 4,096 or what the model gives at most, if that is less. */
export function outputTokensHeld(bound: number | undefined, modelMaximum: number | null | undefined): number {
  return bound ?? Math.min(DEFAULT_OUTPUT_TOKENS, modelMaximum ?? DEFAULT_OUTPUT_TOKENS);
}

/** Output and reasoning may be priced apart: the dearer is held for. */
export function holdFor(price: Price, inputTokens: number, outputTokens: number): Nano {
  const usage = { inputTokens, cacheReadTokens: 0, cacheWriteTokens: 0, estimated: true };
  const asOutput = costOf({ ...usage, outputTokens, reasoningTokens: 0 }, price).totalNano;
  const asReasoning = costOf({ ...usage, outputTokens: 0, reasoningTokens: outputTokens }, price).totalNano;
  return asOutput > asReasoning ? asOutput : asReasoning;
}
