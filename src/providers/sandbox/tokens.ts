// Owns the sandbox's rule for tokens: each word has one token for every four characters or part of them, and the space before it is free.
import type { Message, ProviderRequest } from '../contract/completions.ts';

const TOKEN = /\s*\S{1,4}|\s+/gu;
const TOKENS_PER_IMAGE = 64;

/** The tokens of a text; joined, they are the text. */
export function tokensOf(text: string): string[] {
  return text.match(TOKEN) ?? [];
}

/** All texts, tool calls and tool definitions by the rule, and 64 for each image. */
export function inputTokensOf(request: ProviderRequest): number {
  const messages = request.messages.reduce((sum, message) => sum + tokensOfMessage(message), 0);
  const tools = request.tools.length === 0 ? 0 : tokensOf(JSON.stringify(request.tools)).length;
  return messages + tools;
}

function tokensOfMessage(message: Message): number {
  let sum = 0;
  for (const part of message.parts) {
    sum += part.type === 'text' ? tokensOf(part.text).length : TOKENS_PER_IMAGE;
  }
  for (const call of message.toolCalls) {
    sum += tokensOf(call.name).length + tokensOf(call.argumentsText).length;
  }
  return sum;
}
