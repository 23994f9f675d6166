// Owns what is found out about a completion request before it is sent: its size, and what it needs of a model.
import { BYTES_PER_TOKEN_COUNTED, BYTES_PER_TOKEN_HELD, estimateInputTokens } from '../billing/hold.ts';
import type { ModelNeeds } from '../routing/model-needs.ts';
import type { MeasuredRequest } from '../runs/kind.ts';
import type { CompletionRequest } from './completion-request.ts';
import { latestContinuation } from './provider-request.ts';

/** No text has fewer tokens than this: what does not fit by it does not fit at all. */
const CHARACTERS_PER_TOKEN_AT_MOST = 8;

/** Each figure is found on its first use: a request without limits and holds is never looked through. */
export class CompletionMeasure implements MeasuredRequest {
  readonly #request: CompletionRequest;
  #held: number | undefined;
  #counted: number | undefined;

  constructor(request: CompletionRequest) {
    this.#request = request;
  }

  get inputTokensAtLeast(): number {
    let length = 0;
    for (const { parts } of this.#request.messages) {
      for (const part of parts) if (part.type === 'text') length += part.text.length;
    }
    return Math.floor(length / CHARACTERS_PER_TOKEN_AT_MOST);
  }

  get inputTokensHeld(): number {
    this.#held ??= this.#estimate(BYTES_PER_TOKEN_HELD);
    return this.#held;
  }

  get inputTokensCounted(): number {
    this.#counted ??= this.#estimate(BYTES_PER_TOKEN_COUNTED);
    return this.#counted;
  }

  get outputTokensAsked(): number {
    return this.#request.parameters.maxTokens ?? 0;
  }

  #estimate(bytesPerToken: number): number {
    return estimateInputTokens(this.#request.messages, this.#request.tools, bytesPerToken);
  }
}

export function needsOf(request: CompletionRequest, { inputTokensAtLeast }: MeasuredRequest): ModelNeeds {
  const { messages, parameters } = request;
  const continuation = latestContinuation(messages);
  const hasImages = messages.some(({ parts }) => parts.some(({ type }) => type === 'image'));
  return {
    output: 'text',
    inputs: hasImages ? ['image'] : [],
    inputTokensAtLeast,
    ...(parameters.maxTokens === undefined ? {} : { maxTokens: parameters.maxTokens }),
    ...(continuation ? { continuation } : {}),
  };
}

/** Whether the request asks for anything that a protocol might not be able to express: plain talk is understood by all. */
export function isDemanding({
  messages,
  parameters,
  tools,
  toolChoice,
  responseFormat,
}: CompletionRequest): boolean {
  if (tools.length > 0 || toolChoice || responseFormat) return true;
  for (const name in parameters) if (name !== 'maxTokens') return true;
  return messages.some(
    ({ parts, toolCalls, toolCallId, continuation }) =>
      toolCalls.length > 0 ||
      toolCallId !== undefined ||
      continuation !== undefined ||
      parts.some((part) => part.type !== 'text' || part.cacheHint),
  );
}
