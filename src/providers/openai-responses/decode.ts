// Owns the way from the events of the Responses API, or from its whole JSON answer, to stream parts.
import { newId } from '../../kernel/ids.ts';
import { isJsonObject } from '../../kernel/json.ts';
import type { FinishReason, ProviderUsage, StreamPart } from '../contract/completions.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import { errorText, protocolFault, providerRequestId } from '../shared/answer-faults.ts';
import type { AnswerDecoder } from '../shared/answer-stream.ts';
import type { ServerSentEvent } from '../shared/sse.ts';
import { continuationOf, textOf } from './continuation.ts';
import { faultWithin } from './errors.ts';
import {
  eventSchema,
  responseSchema,
  type WireEvent,
  type WireItem,
  type WireResponse,
  type WireUsage,
} from './wire.ts';

/** How much of one output item was given as deltas, so that its end adds only the rest. */
interface ItemProgress {
  readonly counts: { text: number; summary: number; reasoning: number; arguments: number };
  toolIndex?: number;
}

type Kind = keyof ItemProgress['counts'];

/** Events of other types are ignored, whatever their shape. */
const READ_TYPES: ReadonlySet<string> = new Set([
  'response.output_text.delta',
  'response.refusal.delta',
  'response.reasoning_summary_part.added',
  'response.reasoning_summary_text.delta',
  'response.reasoning_text.delta',
  'response.function_call_arguments.delta',
  'response.output_item.added',
  'response.output_item.done',
  'response.created',
  'response.in_progress',
  'response.queued',
  'response.completed',
  'response.incomplete',
  'response.failed',
  'response.cancelled',
  'error',
]);

/** Between two parts of a reasoning summary. */
const PARAGRAPH = '\n\n';

export class OpenAiResponsesDecoder implements AnswerDecoder<ServerSentEvent> {
  /** Always false: the answer is whole only with its last event. */
  readonly whole = false;
  readonly #headers: UpstreamResponse['headers'];
  readonly #progress = new Map<number, ItemProgress>();
  readonly #items = new Map<number, WireItem>();
  /** Parts of the piece that is being read. */
  #parts: StreamPart[] = [];
  #started = false;
  #ending: StreamPart | undefined;
  #toolCalls = 0;
  #refused = false;

  constructor(headers: UpstreamResponse['headers']) {
    this.#headers = headers;
  }

  get over(): boolean {
    return this.#ending !== undefined;
  }

  read({ data, event: name, errorField }: ServerSentEvent, parts: StreamPart[]): void {
    if (errorField !== undefined) {
      throw faultWithin({ message: errorText(errorField).message }, this.#headers);
    }
    if (data === '[DONE]') return;
    this.#parts = parts;
    const json = parsedJson(data);
    const type = typeOf(json) ?? name ?? '';
    if (READ_TYPES.has(type)) this.#apply(isPlainDelta(json) ? json : parsed(json), type);
  }

  /** The parts of an answer that came as one JSON document. */
  readWhole(text: string, parts: StreamPart[]): void {
    this.#parts = parts;
    const json = parsedJson(text);
    const fault = eventSchema.safeParse(json).data?.error;
    const response = responseSchema.safeParse(json);
    if (!response.success || (response.data.output == null && fault != null)) {
      throw fault
        ? faultWithin(faultOf(fault), this.#headers)
        : protocolFault('The answer is no response object.');
    }
    this.#start(response.data);
    this.#settleAll(response.data, response.data.status ?? '');
    this.end(parts);
  }

  end(parts: StreamPart[]): void {
    if (!this.#ending) throw protocolFault('The stream ended before the response was complete.');
    parts.push(this.#ending);
  }

  #apply(event: WireEvent, type: string): void {
    const index = event.output_index ?? 0;
    const delta = event.delta ?? '';
    switch (type) {
      case 'response.output_text.delta':
        this.#text(index, delta);
        break;
      case 'response.refusal.delta':
        this.#refused = true;
        this.#text(index, delta);
        break;
      case 'response.reasoning_summary_part.added':
        if ((event.summary_index ?? 0) > 0) this.#reasoning(index, 'summary', PARAGRAPH);
        break;
      case 'response.reasoning_summary_text.delta':
        this.#reasoning(index, 'summary', delta);
        break;
      case 'response.reasoning_text.delta':
        this.#reasoning(index, 'reasoning', delta);
        break;
      case 'response.function_call_arguments.delta':
        this.#arguments(index, delta);
        break;
      case 'response.output_item.added':
        if (event.item?.type === 'function_call') this.#openCall(index, event.item);
        break;
      case 'response.output_item.done':
        if (event.item) this.#settle(index, event.item);
        break;
      default:
        this.#applyToResponse(event, type);
    }
  }

  /** Events about the response as a whole. */
  #applyToResponse(event: WireEvent, type: string): void {
    switch (type) {
      case 'response.created':
      case 'response.in_progress':
      case 'response.queued':
        this.#start(event.response ?? {});
        break;
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
      case 'response.cancelled':
        this.#settleAll(event.response ?? {}, type.slice('response.'.length));
        break;
      default:
        throw faultWithin(faultOf(event.error) ?? event, this.#headers);
    }
  }

  #start(response: WireResponse): void {
    if (this.#started) return;
    this.#started = true;
    const requestId = providerRequestId(this.#headers) ?? response.id;
    this.#parts.push({
      type: 'response-start',
      ...(response.model ? { servedModel: response.model } : {}),
      ...(requestId ? { providerRequestId: requestId } : {}),
    });
  }

  #progressOf(index: number): ItemProgress {
    let progress = this.#progress.get(index);
    if (!progress) {
      progress = { counts: { text: 0, summary: 0, reasoning: 0, arguments: 0 } };
      this.#progress.set(index, progress);
    }
    return progress;
  }

  #text(index: number, text: string): void {
    if (text === '') return;
    this.#progressOf(index).counts.text += text.length;
    this.#parts.push({ type: 'text-delta', text });
  }

  #reasoning(index: number, kind: 'summary' | 'reasoning', text: string): void {
    if (text === '') return;
    this.#progressOf(index).counts[kind] += text.length;
    this.#parts.push({ type: 'reasoning-delta', text });
  }

  #openCall(index: number, item: WireItem): void {
    const progress = this.#progressOf(index);
    if (progress.toolIndex !== undefined) return;
    progress.toolIndex = this.#toolCalls;
    this.#toolCalls += 1;
    this.#parts.push({
      type: 'tool-call-delta',
      index: progress.toolIndex,
      callId: item.call_id ?? `call_${newId()}`,
      name: item.name ?? '',
      argumentsText: '',
    });
  }

  #arguments(index: number, argumentsText: string): void {
    const progress = this.#progressOf(index);
    if (progress.toolIndex === undefined)
      throw protocolFault('Arguments came for a call that was not announced.');
    if (argumentsText === '') return;
    progress.counts.arguments += argumentsText.length;
    this.#parts.push({ type: 'tool-call-delta', index: progress.toolIndex, argumentsText });
  }

  /** Adds the content of the whole item that no delta gave: some servers send items without deltas. */
  #settle(index: number, item: WireItem): void {
    this.#items.set(index, item);
    const rest = (kind: Kind, whole: string) => whole.slice(this.#progressOf(index).counts[kind]);
    if (item.type === 'message') {
      this.#refused ||= (item.content ?? []).some(({ type }) => type === 'refusal');
      this.#text(index, rest('text', textOf(item)));
    } else if (item.type === 'reasoning') {
      const summary = (item.summary ?? []).map(({ text }) => text ?? '').join(PARAGRAPH);
      this.#reasoning(index, 'summary', rest('summary', summary));
      this.#reasoning(index, 'reasoning', rest('reasoning', textOf(item)));
    } else if (item.type === 'function_call') {
      this.#openCall(index, item);
      this.#arguments(index, rest('arguments', item.arguments ?? ''));
    }
  }

  #settleAll(response: WireResponse, status: string): void {
    if (status === 'failed' || response.error) throw faultWithin(response.error ?? undefined, this.#headers);
    if (status !== 'completed' && status !== 'incomplete') {
      throw protocolFault(`The response ended with status "${status}".`);
    }
    this.#start(response);
    for (const [index, item] of (response.output ?? []).entries()) this.#settle(index, item);
    if (response.usage) this.#parts.push({ type: 'usage', usage: usageOf(response.usage) });
    const cut = status === 'incomplete' ? (response.incomplete_details?.reason ?? 'incomplete') : undefined;
    const output = [...this.#items].sort(([a], [b]) => a - b).map(([, item]) => item);
    const continuation = continuationOf(output);
    this.#ending = {
      type: 'finish',
      reason: this.#reasonOf(cut),
      providerReason: cut ?? (this.#refused ? 'refusal' : 'completed'),
      ...(continuation === undefined ? {} : { continuation }),
    };
  }

  #reasonOf(cut: string | undefined): FinishReason {
    if (cut === 'max_output_tokens') return 'length';
    if (cut === 'content_filter') return 'content-filter';
    if (cut !== undefined) return 'other';
    if (this.#toolCalls > 0) return 'tool-calls';
    return this.#refused ? 'content-filter' : 'stop';
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw protocolFault('The provider sent what is not JSON.', cause);
  }
}

/** An event that has an `error` and no type is an error event. */
function typeOf(json: unknown): string | undefined {
  if (!isJsonObject(json)) return undefined;
  if (typeof json.type === 'string' && json.type !== '') return json.type;
  return json.error ? 'error' : undefined;
}

function parsed(json: unknown): WireEvent {
  const result = eventSchema.safeParse(json);
  if (result.success) return result.data;
  throw protocolFault('The provider sent an event of an unknown shape.', result.error);
}

/** True for the most frequent events, which are read without a schema. */
function isPlainDelta(json: unknown): json is WireEvent {
  return isJsonObject(json) && typeof json.delta === 'string' && typeof json.output_index === 'number';
}

function faultOf(error: WireEvent['error']) {
  return typeof error === 'string' ? { message: error } : (error ?? undefined);
}

/** Cached and written tokens are part of the input, reasoning is part of the output. */
function usageOf(usage: WireUsage): ProviderUsage {
  const cacheReadTokens = usage.input_tokens_details?.cached_tokens ?? 0;
  const cacheWriteTokens = usage.input_tokens_details?.cache_write_tokens ?? 0;
  const reasoningTokens = usage.output_tokens_details?.reasoning_tokens ?? 0;
  return {
    inputTokens: Math.max(0, usage.input_tokens - cacheReadTokens - cacheWriteTokens),
    cacheReadTokens,
    cacheWriteTokens,
    outputTokens: Math.max(0, usage.output_tokens - reasoningTokens),
    reasoningTokens,
  };
}
