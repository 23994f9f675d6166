// Owns counting where the provider sent no usage: OpenAI's o200k vocabulary stands in for every model's, and the result is marked estimated.
import type { Message, ProviderUsage, Tool } from '../../providers/contract/adapter.ts';

export interface CountedRequest {
  readonly messages: readonly Message[];
  readonly tools: readonly Tool[];
}

export interface CountedOutput {
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly { readonly name: string; readonly argumentsText: string }[];
}

/** What chat templates add around a message, and what an image of middling size takes. */
const TOKENS_PER_MESSAGE = 4;
const TOKENS_PER_IMAGE = 765;
/** Longer texts are counted by the density of tokens in their beginning, so that counting never stalls the process. */
const SAMPLE_LENGTH = 20_000;

let countExactly: ((text: string) => number) | undefined;

/** Loads the vocabulary (some megabytes) once; called at start, so that no run waits for it. */
export async function loadTokenizer(): Promise<(text: string) => number> {
  if (!countExactly) {
    const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base');
    countExactly = (text) => countTokens(text, { disallowedSpecial: new Set() });
  }
  return countExactly;
}

export async function countUsage(request: CountedRequest, output: CountedOutput): Promise<ProviderUsage> {
  const count = await loadTokenizer();
  const tokensOf = (text: string) => {
    if (text.length <= SAMPLE_LENGTH) return text === '' ? 0 : count(text);
    return Math.ceil((count(text.slice(0, SAMPLE_LENGTH)) * text.length) / SAMPLE_LENGTH);
  };
  let inputTokens = 0;
  for (const message of request.messages) {
    inputTokens += TOKENS_PER_MESSAGE;
    for (const part of message.parts)
      inputTokens += part.type === 'text' ? tokensOf(part.text) : TOKENS_PER_IMAGE;
    for (const call of message.toolCalls) inputTokens += tokensOf(call.name) + tokensOf(call.argumentsText);
  }
  for (const tool of request.tools) inputTokens += tokensOf(JSON.stringify(tool));
  let outputTokens = tokensOf(output.text);
  for (const call of output.toolCalls) outputTokens += tokensOf(call.name) + tokensOf(call.argumentsText);
  return {
    inputTokens,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    outputTokens,
    reasoningTokens: tokensOf(output.reasoning),
  };
}
