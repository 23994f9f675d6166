// Owns the way from GigaChat's chunks, or from its whole JSON answer, to stream parts.
import type { NewId } from '../../kernel/ids.ts';
import { isJsonObject, parseJson } from '../../kernel/json.ts';
import type { FinishReason, ProviderUsage, StreamPart, Tool } from '../contract/completions.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import { errorText, protocolFault, providerRequestId } from '../shared/answer-faults.ts';
import type { AnswerDecoder } from '../shared/answer-stream.ts';
import { withCalls } from '../shared/finish-reason.ts';
import type { ServerSentEvent } from '../shared/sse.ts';
import type { Continuation } from './encode.ts';
import { faultWithin } from './errors.ts';
import { toolNameOf } from './functions.ts';
import { chunkSchema, type WireChunk, type WireSaid, type WireUsage } from './wire.ts';

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  function_call: 'tool-calls',
  // The topic is forbidden, and the text is a prepared refusal.
  blacklist: 'content-filter',
  // The model wrote invalid arguments.
  error: 'other',
};

export interface DecoderOptions {
  readonly headers: UpstreamResponse['headers'];
  readonly tools: readonly Tool[];
  readonly newId: NewId;
}

export class GigaChatDecoder implements AnswerDecoder<Pick<ServerSentEvent, 'data' | 'errorField'>> {
  readonly #options: DecoderOptions;
  #started = false;
  #over = false;
  #finishReason: string | undefined;
  #calls = 0;
  #functionsStateId: string | undefined;
  #reasoning = '';

  constructor(options: DecoderOptions) {
    this.#options = options;
  }

  get over(): boolean {
    return this.#over;
  }

  get whole(): boolean {
    return this.#finishReason !== undefined;
  }

  read({ data, errorField }: Pick<ServerSentEvent, 'data' | 'errorField'>, parts: StreamPart[]): void {
    if (errorField !== undefined) throw faultWithin(errorText(errorField), this.#options.headers);
    if (data === '[DONE]') this.#over = true;
    else this.#chunk(data, parts);
  }

  readWhole(text: string, parts: StreamPart[]): void {
    this.#chunk(text, parts);
    this.end(parts);
  }

  /** One chunk, or a whole answer. */
  #chunk(text: string, parts: StreamPart[]): void {
    const { choices, model, usage } = this.#parsed(text);
    if (!this.#started) parts.push(this.#start(model ?? undefined));
    for (const { delta, message, finish_reason: reason } of choices) {
      const said = delta ?? message;
      if (said) this.#add(said, parts);
      if (reason) this.#finishReason = reason;
    }
    if (usage) parts.push({ type: 'usage', usage: usageOf(usage) });
  }

  end(parts: StreamPart[]): void {
    const providerReason = this.#finishReason;
    if (providerReason === undefined) throw protocolFault('The stream ended without a finish reason.');
    const known = FINISH_REASONS[providerReason] ?? 'other';
    const continuation = this.#continuation();
    parts.push({
      type: 'finish',
      reason: withCalls(known, this.#calls),
      providerReason,
      ...(continuation ? { continuation } : {}),
    });
  }

  #parsed(text: string): WireChunk {
    const json = parseJson(text);
    if (json === undefined) throw protocolFault('The provider sent what is not JSON.');
    if (isJsonObject(json) && json.choices === undefined && (json.error ?? json.message) !== undefined) {
      throw faultWithin(json, this.#options.headers);
    }
    const result = chunkSchema.safeParse(json);
    if (result.success) return result.data;
    throw protocolFault('The provider sent a chunk of an unknown shape.', result.error);
  }

  #start(servedModel: string | undefined): StreamPart {
    this.#started = true;
    const requestId = providerRequestId(this.#options.headers);
    return {
      type: 'response-start',
      ...(servedModel ? { servedModel } : {}),
      ...(requestId ? { providerRequestId: requestId } : {}),
    };
  }

  #add(said: WireSaid, parts: StreamPart[]): void {
    if (said.functions_state_id) this.#functionsStateId = said.functions_state_id;
    // In messages of this role the service reports the progress of its own functions.
    if (said.role === 'function_in_progress') return;
    if (said.reasoning_content) {
      this.#reasoning += said.reasoning_content;
      parts.push({ type: 'reasoning-delta', text: said.reasoning_content });
    }
    if (said.content) parts.push({ type: 'text-delta', text: said.content });
    if (!said.function_call) return;
    const { name, arguments: given } = said.function_call;
    parts.push({
      type: 'tool-call-delta',
      index: this.#calls,
      callId: `call_${this.#options.newId()}`,
      name: toolNameOf(name, this.#options.tools),
      argumentsText: typeof given === 'string' ? given : JSON.stringify(given ?? {}),
    });
    this.#calls += 1;
  }

  #continuation(): Continuation | undefined {
    if (this.#functionsStateId === undefined && this.#calls === 0) return undefined;
    const kept = {
      ...(this.#functionsStateId === undefined ? {} : { functionsStateId: this.#functionsStateId }),
      ...(this.#calls > 0 && this.#reasoning !== '' ? { reasoning: this.#reasoning } : {}),
    };
    return Object.keys(kept).length > 0 ? kept : undefined;
  }
}

/** Tokens that were read from the cache are not part of `prompt_tokens`. */
function usageOf(usage: WireUsage): ProviderUsage {
  return {
    inputTokens: usage.prompt_tokens,
    cacheReadTokens: usage.precached_prompt_tokens ?? 0,
    cacheWriteTokens: 0,
    outputTokens: usage.completion_tokens,
    reasoningTokens: 0,
  };
}
