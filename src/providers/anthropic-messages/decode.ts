// Owns how the events of a Messages stream become parts; a whole answer is read as the events it would have been.
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../../kernel/json.ts';
import type { FinishReason, ProviderUsage, StreamPart } from '../contract/completions.ts';
import { protocolFault } from '../shared/answer-faults.ts';
import type { AnswerDecoder } from '../shared/answer-stream.ts';
import { type BlockNote, continuationOf } from '../shared/assistant-blocks.ts';
import { withCalls } from '../shared/finish-reason.ts';
import type { ServerSentEvent } from '../shared/sse.ts';
import {
  EVENT_TYPES,
  eventSchema,
  type WireBlock,
  type WireError,
  type WireEvent,
  type WireMessage,
  type WireUsage,
} from './wire.ts';

export interface ReaderOptions {
  /** The tool whose arguments are the answer's text. */
  readonly outputTool?: string;
  readonly providerRequestId?: string;
  faultOf(event: WireError): Error;
}

interface OpenBlock {
  readonly start: WireBlock;
  /** Text, thinking or JSON gathered so far. */
  text: string;
  signature: string;
  readonly citations: JsonValue[];
  /** For a tool call: its number among the calls; absent for the output tool. */
  callIndex?: number;
}

type DeltaEvent = Extract<WireEvent, { type: 'content_block_delta' }>;

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  tool_use: 'tool-calls',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  refusal: 'content-filter',
};

export class AnthropicMessagesDecoder implements AnswerDecoder<ServerSentEvent> {
  readonly #options: ReaderOptions;
  readonly #open = new Map<number, OpenBlock>();
  readonly #notes: BlockNote[] = [];
  #usage: WireUsage = {};
  #stopReason: string | undefined;
  #calls = 0;
  #started = false;
  #over = false;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  get over(): boolean {
    return this.#over;
  }

  get whole(): boolean {
    return this.#stopReason !== undefined && this.#open.size === 0;
  }

  /** Events of unknown types are ignored. */
  read({ data }: Pick<ServerSentEvent, 'data'>, parts: StreamPart[]): void {
    if (data === '') return;
    const json = parseJson(data);
    if (!isJsonObject(json)) throw protocolFault('The provider sent an event that is not a JSON object.');
    if (!EVENT_TYPES.has(json.type)) return;
    const event = eventSchema.safeParse(json);
    if (!event.success) throw protocolFault(`The provider sent a malformed ${json.type}.`, event.error);
    parts.push(...this.#partsOf(event.data));
  }

  /** An answer in one piece is read as the events that it would have been. */
  readWhole(message: WireMessage, parts: StreamPart[]): void {
    for (const event of eventsOfMessage(message)) parts.push(...this.#partsOf(event));
    this.end(parts);
  }

  #partsOf(event: WireEvent): StreamPart[] {
    switch (event.type) {
      case 'message_start':
        return this.#start(event.message);
      case 'content_block_start':
        return this.#startBlock(event.index, event.content_block);
      case 'content_block_delta':
        return this.#readDelta(event);
      case 'content_block_stop':
        return this.#stopBlock(event.index);
      case 'message_delta':
        return this.#readEnding(event);
      case 'message_stop':
        this.#over = true;
        return [];
      case 'error':
        throw this.#options.faultOf(event);
    }
  }

  /** Some proxies send this event twice; the second one is read for its usage only. */
  #start({ id, model, usage }: Extract<WireEvent, { type: 'message_start' }>['message']): StreamPart[] {
    const parts = this.#readUsage(usage);
    if (this.#started) return parts;
    this.#started = true;
    const requestId = this.#options.providerRequestId ?? id ?? undefined;
    const start: StreamPart = {
      type: 'response-start',
      ...(model ? { servedModel: model } : {}),
      ...(requestId === undefined ? {} : { providerRequestId: requestId }),
    };
    return [start, ...parts];
  }

  #startBlock(index: number, start: WireBlock): StreamPart[] {
    const block: OpenBlock = { start, text: '', signature: '', citations: [] };
    this.#open.set(index, block);
    if (start.type === 'text') return this.#text(block, stringOf(start.text));
    if (start.type === 'thinking') {
      block.signature = stringOf(start.signature);
      return this.#thinking(block, stringOf(start.thinking));
    }
    if (start.type !== 'tool_use' || start.name === this.#options.outputTool) return [];
    block.callIndex = this.#calls++;
    const { id, name } = start;
    return [
      {
        type: 'tool-call-delta',
        index: block.callIndex,
        callId: stringOf(id),
        name: stringOf(name),
        argumentsText: '',
      },
    ];
  }

  #readDelta({ index, delta }: DeltaEvent): StreamPart[] {
    const block = this.#open.get(index);
    if (!block) throw protocolFault('The provider sent a delta of a content block that it did not start.');
    switch (delta.type) {
      case 'text_delta':
        return this.#text(block, delta.text ?? '');
      case 'thinking_delta':
        return this.#thinking(block, delta.thinking ?? '');
      case 'input_json_delta':
        return this.#argumentsText(block, delta.partial_json ?? '');
      case 'signature_delta':
        block.signature += delta.signature ?? '';
        return [];
      case 'citations_delta':
        if (delta.citation !== undefined) block.citations.push(delta.citation);
        return [];
      default:
        return [];
    }
  }

  #text(block: OpenBlock, text: string): StreamPart[] {
    block.text += text;
    return text === '' ? [] : [{ type: 'text-delta', text }];
  }

  #thinking(block: OpenBlock, text: string): StreamPart[] {
    block.text += text;
    return text === '' ? [] : [{ type: 'reasoning-delta', text }];
  }

  #argumentsText(block: OpenBlock, argumentsText: string): StreamPart[] {
    block.text += argumentsText;
    if (argumentsText === '' || block.start.type !== 'tool_use') return [];
    if (block.callIndex === undefined) return [{ type: 'text-delta', text: argumentsText }];
    return [{ type: 'tool-call-delta', index: block.callIndex, argumentsText }];
  }

  #stopBlock(index: number): StreamPart[] {
    const block = this.#open.get(index);
    if (!block) return [];
    this.#open.delete(index);
    const { start } = block;
    // A call without arguments has empty deltas only; some servers give the arguments with the start instead.
    const parts =
      start.type === 'tool_use' && block.text === ''
        ? this.#argumentsText(block, JSON.stringify(start.input ?? {}))
        : [];
    this.#notes.push(noteOf(block));
    return parts;
  }

  #readEnding({ delta, usage }: Extract<WireEvent, { type: 'message_delta' }>): StreamPart[] {
    this.#stopReason = delta.stop_reason ?? this.#stopReason;
    const parts = this.#readUsage(usage);
    const explanation = delta.stop_details?.explanation;
    if (explanation) parts.push({ type: 'warning', code: 'PROVIDER_REFUSAL', message: explanation });
    return parts;
  }

  /** Input counts come at the start, output counts grow; a later count replaces an earlier one. */
  #readUsage(usage: WireUsage | null | undefined): StreamPart[] {
    if (!usage) return [];
    const told = Object.entries(usage).filter(([, value]) => value !== null && value !== undefined);
    this.#usage = { ...this.#usage, ...Object.fromEntries(told) };
    return [{ type: 'usage', usage: toProviderUsage(this.#usage) }];
  }

  end(parts: StreamPart[]): void {
    if (!this.#over && !this.whole) throw protocolFault('The stream ended before the answer was complete.');
    const providerReason = this.#stopReason;
    const named = FINISH_REASONS[providerReason ?? ''] ?? 'other';
    const continuation = continuationOf(this.#notes);
    parts.push({
      type: 'finish',
      // A call of the output tool is not a call for the caller.
      reason: named === 'tool-calls' && this.#calls === 0 ? 'stop' : withCalls(named, this.#calls),
      ...(providerReason === undefined ? {} : { providerReason }),
      ...(continuation === undefined ? {} : { continuation }),
    });
  }
}

function toProviderUsage(usage: WireUsage): ProviderUsage {
  const output = usage.output_tokens ?? 0;
  const thinking = Math.min(usage.output_tokens_details?.thinking_tokens ?? 0, output);
  return {
    inputTokens: usage.input_tokens ?? 0,
    cacheReadTokens: usage.cache_read_input_tokens ?? 0,
    cacheWriteTokens: usage.cache_creation_input_tokens ?? 0,
    outputTokens: output - thinking,
    reasoningTokens: thinking,
  };
}

function noteOf(block: OpenBlock): BlockNote {
  const { start, text, signature, citations } = block;
  if (start.type === 'text') {
    const known = Array.isArray(start.citations) ? (start.citations as readonly JsonValue[]) : [];
    const all = [...known, ...citations];
    return { kind: 'text', length: text.length, ...(all.length > 0 ? { extra: { citations: all } } : {}) };
  }
  if (start.type === 'tool_use') {
    return block.callIndex === undefined
      ? { kind: 'text', length: text.length }
      : { kind: 'call', callId: stringOf(start.id) };
  }
  return { kind: 'opaque', block: opaqueOf(start, text, signature) };
}

function opaqueOf(start: WireBlock, text: string, signature: string): JsonObject {
  if (start.type === 'thinking') return { ...start, thinking: text, signature };
  const input = text === '' ? undefined : parseJson(text);
  return input === undefined ? start : { ...start, input };
}

/** The events that a whole answer would have been. */
function* eventsOfMessage(message: WireMessage): Generator<WireEvent> {
  const { id, model, usage, content, stop_reason, stop_details } = message;
  yield { type: 'message_start', message: { id, model } };
  for (const [index, block] of content.entries()) {
    yield { type: 'content_block_start', index, content_block: block };
    yield { type: 'content_block_stop', index };
  }
  yield { type: 'message_delta', delta: { stop_reason, stop_details }, usage };
  yield { type: 'message_stop' };
}

function stringOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
