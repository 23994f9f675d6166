// Owns how Cohere's events, or its answer in one piece, become stream parts.

import type { ProviderError } from '../../kernel/errors.ts';
import type { NewId } from '../../kernel/ids.ts';
import { isJsonObject, parseJson } from '../../kernel/json.ts';
import type { FinishReason, ProviderUsage, StreamPart } from '../contract/completions.ts';
import { protocolFault } from '../shared/answer-faults.ts';
import type { AnswerDecoder } from '../shared/answer-stream.ts';
import { withCalls } from '../shared/finish-reason.ts';
import type { ServerSentEvent } from '../shared/sse.ts';
import { type CohereContinuation, toContinuation } from './continuation.ts';
import { faultOfEnd } from './errors.ts';
import {
  answerSchema,
  type CohereContent,
  type CohereEvent,
  type CohereToolCall,
  type CohereUsage,
  eventSchema,
} from './wire.ts';

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  COMPLETE: 'stop',
  STOP_SEQUENCE: 'stop',
  MAX_TOKENS: 'length',
  ERROR_LIMIT: 'length',
  TOOL_CALL: 'tool-calls',
  ERROR_TOXIC: 'content-filter',
};

interface Call {
  readonly index: number;
  empty: boolean;
}

export class CohereDecoder implements AnswerDecoder<Pick<ServerSentEvent, 'data'>> {
  /** Always false: the answer is whole only with its last event. */
  readonly whole = false;
  readonly #newId: NewId;
  readonly #kept: CohereContinuation = { toolPlan: '', thinking: '' };
  readonly #calls: Call[] = [];
  #finishReason: string | undefined;

  constructor(newId: NewId) {
    this.#newId = newId;
  }

  get over(): boolean {
    return this.#finishReason !== undefined;
  }

  read({ data }: Pick<ServerSentEvent, 'data'>, parts: StreamPart[]): void {
    if (data === '[DONE]') return;
    const result = eventSchema.safeParse(parseJson(data));
    if (!result.success) {
      throw protocolFault('Cohere sent an event that is not one of its own.', result.error);
    }
    const event = result.data;
    if (event.type === 'message-end') this.#messageEnd(event, parts);
    else parts.push(...this.#event(event));
  }

  /** The answer in the form that Cohere gives if it does not stream. */
  readWhole(text: string, parts: StreamPart[]): void {
    const json = parseJson(text);
    const result = answerSchema.safeParse(json);
    if (!result.success) {
      // A message is an error, whatever the status says.
      const words = isJsonObject(json) && typeof json.message === 'string' ? json.message : undefined;
      if (words !== undefined) raise(faultOfEnd('ERROR', words));
      throw protocolFault('Cohere sent something other than an answer.', result.error);
    }
    const { id, message, finish_reason, usage } = result.data;
    parts.push(...this.#start(id), ...this.#plan(message.tool_plan));
    for (const content of message.content ?? []) parts.push(...this.#content(content));
    for (const call of message.tool_calls ?? []) parts.push(...this.#callStart(call), ...this.#callEnd());
    this.#settle(finish_reason, usage, undefined, parts);
    this.end(parts);
  }

  end(parts: StreamPart[]): void {
    const providerReason = this.#finishReason;
    if (providerReason === undefined)
      throw protocolFault('The stream of Cohere ended without `message-end`.');
    const continuation = toContinuation(this.#kept);
    parts.push({
      type: 'finish',
      reason: withCalls(FINISH_REASONS[providerReason] ?? 'other', this.#calls.length),
      providerReason,
      ...(continuation === undefined ? {} : { continuation }),
    });
  }

  #event({ type, id, delta }: CohereEvent): StreamPart[] {
    const message = delta?.message;
    switch (type) {
      case 'message-start':
        return this.#start(id);
      case 'content-start':
      case 'content-delta':
        return isJsonObject(message?.content) ? this.#content(message.content as CohereContent) : [];
      case 'tool-plan-delta':
        return this.#plan(message?.tool_plan);
      case 'tool-call-start':
        return isJsonObject(message?.tool_calls) ? this.#callStart(message.tool_calls as CohereToolCall) : [];
      case 'tool-call-delta':
        return isJsonObject(message?.tool_calls) ? this.#callDelta(message.tool_calls as CohereToolCall) : [];
      case 'tool-call-end':
        return this.#callEnd();
      default:
        return [];
    }
  }

  #start(id: string | null | undefined): StreamPart[] {
    return [{ type: 'response-start', ...(id ? { providerRequestId: id } : {}) }];
  }

  #content({ text, thinking }: CohereContent): StreamPart[] {
    const parts: StreamPart[] = [];
    if (thinking) {
      this.#kept.thinking += thinking;
      parts.push({ type: 'reasoning-delta', text: thinking });
    }
    if (text) parts.push({ type: 'text-delta', text });
    return parts;
  }

  /** Text in which the model tells its plan for its tools; it is shown as reasoning, since it is no part of the answer. */
  #plan(text: string | null | undefined): StreamPart[] {
    if (!text) return [];
    this.#kept.toolPlan += text;
    return [{ type: 'reasoning-delta', text }];
  }

  #callStart({ id, function: called }: CohereToolCall): StreamPart[] {
    const parts = this.#callEnd();
    const argumentsText = called?.arguments ?? '';
    const index = this.#calls.push({ index: this.#calls.length, empty: argumentsText === '' }) - 1;
    return [
      ...parts,
      {
        type: 'tool-call-delta',
        index,
        callId: id || `call_${this.#newId()}`,
        name: called?.name ?? '',
        argumentsText,
      },
    ];
  }

  #callDelta({ function: called }: CohereToolCall): StreamPart[] {
    const call = this.#calls.at(-1);
    const argumentsText = called?.arguments ?? '';
    if (!call || argumentsText === '') return [];
    call.empty = false;
    return [{ type: 'tool-call-delta', index: call.index, argumentsText }];
  }

  /** A call of a tool without arguments has an empty text instead of `{}`. */
  #callEnd(): StreamPart[] {
    const call = this.#calls.at(-1);
    if (!call?.empty) return [];
    call.empty = false;
    return [{ type: 'tool-call-delta', index: call.index, argumentsText: '{}' }];
  }

  #messageEnd({ delta }: CohereEvent, parts: StreamPart[]): void {
    if (!delta?.finish_reason) raise(faultOfEnd('ERROR', delta?.error));
    else this.#settle(delta.finish_reason, delta.usage, delta.error, parts);
  }

  #settle(
    reason: string,
    usage: CohereUsage | null | undefined,
    error: string | null | undefined,
    parts: StreamPart[],
  ): void {
    const counted = usage ? toProviderUsage(usage) : undefined;
    parts.push(...this.#callEnd());
    if (counted) parts.push({ type: 'usage', usage: counted });
    raise(faultOfEnd(reason, error));
    this.#finishReason = reason;
  }
}

function raise(fault: ProviderError | undefined): void {
  if (fault) throw fault;
}

/**
 * What is charged: `billed_units`. The real counts in `tokens` are larger, since they hold Cohere's own template, which costs nothing
 * (7 billed of 502 read for one short question), and nearly all that `cached_tokens` counts is of that template; Cohere has no price
 * for it. So cached tokens are told apart only where Cohere does not say what it charges. Reasoning is a part of the output in both.
 * https://docs.cohere.com/docs/how-does-cohere-pricing-work
 */
export function toProviderUsage({
  billed_units: billed,
  tokens,
  cached_tokens,
}: CohereUsage): ProviderUsage | undefined {
  const input = billed?.input_tokens ?? tokens?.input_tokens;
  const output = billed?.output_tokens ?? tokens?.output_tokens;
  if (typeof input !== 'number' && typeof output !== 'number') return undefined;
  const cacheReadTokens =
    typeof billed?.input_tokens === 'number' ? 0 : Math.min(cached_tokens ?? 0, input ?? 0);
  const reasoningTokens = Math.min(tokens?.reasoning_tokens ?? 0, output ?? 0);
  return {
    inputTokens: (input ?? 0) - cacheReadTokens,
    cacheReadTokens,
    cacheWriteTokens: 0,
    outputTokens: (output ?? 0) - reasoningTokens,
    reasoningTokens,
  };
}
