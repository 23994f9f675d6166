// Owns what is found out about a completion request before it is sent: its size, and what it needs of a model.
import { InputEstimate } from '../billing/token-estimate.ts';
import type { ModelNeeds } from '../routing/model-needs.ts';
import type { MeasuredRequest } from '../runs/kind.ts';
import type { CompletionRequest } from './completion-request.ts';
import { latestContinuation } from './provider-request.ts';

export class CompletionMeasure implements MeasuredRequest {
  readonly outputTokensAsked: number;
  readonly #input: InputEstimate;

  constructor({ messages, tools, parameters }: CompletionRequest) {
    this.#input = new InputEstimate(messages, tools);
    this.outputTokensAsked = parameters.maxTokens ?? 0;
  }

  get inputTokensAtLeast(): number {
    return this.#input.atLeast;
  }

  get inputTokensHeld(): number {
    return this.#input.held;
  }

  get inputTokensCounted(): number {
    return this.#input.counted;
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

/** True if the request uses a feature that some protocol may be unable to express; plain text messages use none. */
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
