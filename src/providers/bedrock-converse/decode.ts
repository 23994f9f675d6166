// Owns how the events of a Converse stream become parts; a whole answer is read as the events it would have been.
import { parseJson } from '../../kernel/json.ts';
import type { FinishReason, ProviderUsage, StreamPart } from '../contract/completions.ts';
import { protocolFault } from '../shared/answer-faults.ts';
import type { AnswerDecoder } from '../shared/answer-stream.ts';
import { type BlockNote, continuationOf } from '../shared/assistant-blocks.ts';
import { withCalls } from '../shared/finish-reason.ts';
import {
  type EventFrame,
  eventSchemas,
  type WireAnswer,
  type WireDelta,
  type WireEvent,
  type WireUsage,
} from './wire.ts';

export interface ReaderOptions {
  /** The tool whose arguments are the answer's text. */
  readonly outputTool?: string;
  readonly providerRequestId?: string;
  faultOf(frame: EventFrame): Error;
}

interface OpenBlock {
  kind: 'text' | 'reasoning' | 'call' | 'output' | 'server-tool';
  text: string;
  signature: string;
  readonly redacted: Buffer[];
  readonly callId: string;
  readonly callIndex: number;
}

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  tool_use: 'tool-calls',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  guardrail_intervened: 'content-filter',
  content_filtered: 'content-filter',
};

export class BedrockConverseDecoder implements AnswerDecoder<EventFrame> {
  readonly #options: ReaderOptions;
  readonly #open = new Map<number, OpenBlock>();
  readonly #notes: BlockNote[] = [];
  /** Absent until the stream has said why it ended; usage still follows then. */
  #ending: { readonly stopReason: string | undefined } | undefined;
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
    return this.#ending !== undefined;
  }

  read(frame: EventFrame, parts: StreamPart[]): void {
    if (frame.headers[':message-type'] !== 'event') throw this.#options.faultOf(frame);
    const type = frame.headers[':event-type'] ?? '';
    if (!isKnown(type)) return;
    const body = eventSchemas[type].safeParse(parseJson(frame.payload));
    if (!body.success) throw protocolFault(`The provider sent a malformed ${type}.`, body.error);
    parts.push(...this.#partsOf({ type, body: body.data } as WireEvent));
  }

  /** An answer in one piece is read as the events that it would have been. */
  readWhole(answer: WireAnswer, parts: StreamPart[]): void {
    for (const event of eventsOfAnswer(answer)) parts.push(...this.#partsOf(event));
    this.end(parts);
  }

  #partsOf(event: WireEvent): StreamPart[] {
    switch (event.type) {
      case 'messageStart':
        return this.#start();
      case 'contentBlockStart':
        return this.#startBlock(event.body);
      case 'contentBlockDelta':
        return this.#readDelta(event.body.contentBlockIndex, event.body.delta);
      case 'contentBlockStop':
        return this.#stopBlock(event.body.contentBlockIndex);
      case 'messageStop':
        this.#ending = { stopReason: event.body.stopReason ?? undefined };
        return [];
      case 'metadata': {
        const { usage } = event.body;
        // If the stream has said why it ended, nothing follows the usage.
        this.#over = this.#ending !== undefined;
        return usage ? [{ type: 'usage', usage: toProviderUsage(usage) }] : [];
      }
    }
  }

  end(parts: StreamPart[]): void {
    if (!this.#ending) throw protocolFault('The stream ended before the answer was complete.');
    const { stopReason } = this.#ending;
    const named = FINISH_REASONS[stopReason ?? ''] ?? 'other';
    const continuation = continuationOf(this.#notes);
    parts.push({
      type: 'finish',
      // A call of the output tool is not a call for the caller.
      reason: named === 'tool-calls' && this.#calls === 0 ? 'stop' : withCalls(named, this.#calls),
      ...(stopReason === undefined ? {} : { providerReason: stopReason }),
      ...(continuation === undefined ? {} : { continuation }),
    });
  }

  #start(): StreamPart[] {
    if (this.#started) return [];
    this.#started = true;
    const { providerRequestId } = this.#options;
    return [{ type: 'response-start', ...(providerRequestId === undefined ? {} : { providerRequestId }) }];
  }

  /** Only tool calls have a start; other blocks begin with their first delta. */
  #startBlock({
    contentBlockIndex,
    start,
  }: Extract<WireEvent, { type: 'contentBlockStart' }>['body']): StreamPart[] {
    const tool = start?.toolUse;
    if (!tool) return [];
    if (tool.type === 'server_tool_use') {
      this.#openBlock(contentBlockIndex, 'server-tool');
      return [];
    }
    if (tool.name === this.#options.outputTool) {
      this.#openBlock(contentBlockIndex, 'output');
      return [];
    }
    const { callIndex, callId } = this.#openBlock(contentBlockIndex, 'call', tool.toolUseId, this.#calls++);
    return [{ type: 'tool-call-delta', index: callIndex, callId, name: tool.name, argumentsText: '' }];
  }

  #openBlock(index: number, kind: OpenBlock['kind'], callId = '', callIndex = -1): OpenBlock {
    const block: OpenBlock = { kind, text: '', signature: '', redacted: [], callId, callIndex };
    this.#open.set(index, block);
    return block;
  }

  #readDelta(index: number, { text, toolUse, reasoningContent }: WireDelta): StreamPart[] {
    const known = this.#open.get(index);
    if (toolUse) {
      if (!known) throw protocolFault('The provider sent arguments of a tool call that it did not start.');
      return this.#argumentsText(known, toolUse.input);
    }
    if (text !== undefined) return this.#text(known ?? this.#openBlock(index, 'text'), text);
    if (!reasoningContent) return [];
    const block = known ?? this.#openBlock(index, 'reasoning');
    const { signature = '', redactedContent = '' } = reasoningContent;
    block.signature += signature;
    if (redactedContent !== '') block.redacted.push(Buffer.from(redactedContent, 'base64'));
    const thought = reasoningContent.text ?? '';
    block.text += thought;
    return thought === '' ? [] : [{ type: 'reasoning-delta', text: thought }];
  }

  #text(block: OpenBlock, text: string): StreamPart[] {
    block.text += text;
    return text === '' ? [] : [{ type: 'text-delta', text }];
  }

  #argumentsText(block: OpenBlock, argumentsText: string): StreamPart[] {
    if (block.kind === 'server-tool') return [];
    block.text += argumentsText;
    if (argumentsText === '') return [];
    if (block.kind === 'output') return [{ type: 'text-delta', text: argumentsText }];
    return [{ type: 'tool-call-delta', index: block.callIndex, argumentsText }];
  }

  #stopBlock(index: number): StreamPart[] {
    const block = this.#open.get(index);
    if (!block) return [];
    this.#open.delete(index);
    const isTool = block.kind === 'call' || block.kind === 'output';
    const parts = isTool && block.text === '' ? this.#argumentsText(block, '{}') : [];
    const note = noteOf(block);
    if (note) this.#notes.push(note);
    return parts;
  }
}

/**
 * Reasoning without a signature (DeepSeek, gpt-oss) is not accepted back:
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ReasoningTextBlock.html
 */
function noteOf({ kind, text, signature, redacted, callId }: OpenBlock): BlockNote | undefined {
  if (kind === 'call') return { kind: 'call', callId };
  if (kind === 'text' || kind === 'output') return { kind: 'text', length: text.length };
  if (kind === 'server-tool') return undefined;
  if (redacted.length > 0) {
    const redactedContent = Buffer.concat(redacted).toString('base64');
    return { kind: 'opaque', block: { reasoningContent: { redactedContent } } };
  }
  if (signature === '') return undefined;
  return { kind: 'opaque', block: { reasoningContent: { reasoningText: { text, signature } } } };
}

function toProviderUsage(usage: WireUsage): ProviderUsage {
  return {
    inputTokens: usage.inputTokens ?? 0,
    cacheReadTokens: usage.cacheReadInputTokens ?? usage.cacheReadInputTokenCount ?? 0,
    cacheWriteTokens: usage.cacheWriteInputTokens ?? usage.cacheWriteInputTokenCount ?? 0,
    outputTokens: usage.outputTokens ?? 0,
    reasoningTokens: 0,
  };
}

function isKnown(type: string): type is WireEvent['type'] {
  return Object.hasOwn(eventSchemas, type);
}

/** The events that a whole answer would have been. */
function* eventsOfAnswer({ output, stopReason, usage }: WireAnswer): Generator<WireEvent> {
  yield { type: 'messageStart', body: {} };
  for (const [contentBlockIndex, block] of output.message.content.entries()) {
    if (block.toolUse) {
      const { input, ...toolUse } = block.toolUse;
      yield { type: 'contentBlockStart', body: { contentBlockIndex, start: { toolUse } } };
      const delta = { toolUse: { input: JSON.stringify(input ?? {}) } };
      yield { type: 'contentBlockDelta', body: { contentBlockIndex, delta } };
    }
    for (const delta of deltasOf(block)) {
      yield { type: 'contentBlockDelta', body: { contentBlockIndex, delta } };
    }
    yield { type: 'contentBlockStop', body: { contentBlockIndex } };
  }
  yield { type: 'messageStop', body: { stopReason } };
  yield { type: 'metadata', body: { usage } };
}

type Block = WireAnswer['output']['message']['content'][number];

function deltasOf({ text, reasoningContent, citationsContent }: Block): WireDelta[] {
  if (text !== undefined) return [{ text }];
  if (citationsContent) return (citationsContent.content ?? []).map((entry) => ({ text: entry.text ?? '' }));
  if (!reasoningContent) return [];
  const { reasoningText, redactedContent } = reasoningContent;
  if (redactedContent !== undefined) return [{ reasoningContent: { redactedContent } }];
  if (!reasoningText) return [];
  const { text: thought, signature } = reasoningText;
  return [{ reasoningContent: { text: thought, ...(signature ? { signature } : {}) } }];
}
