// Owns how the lines of an Ollama answer become stream parts.
import type { NewId } from '../../kernel/ids.ts';
import { parseJson } from '../../kernel/json.ts';
import type { FinishReason, ProviderUsage, StreamPart } from '../contract/completions.ts';
import { protocolFault } from '../shared/answer-faults.ts';
import type { AnswerDecoder } from '../shared/answer-stream.ts';
import { withCalls } from '../shared/finish-reason.ts';
import { faultOfLine } from './errors.ts';
import { chunkSchema, type OllamaChunk, type OllamaToolCall } from './wire.ts';

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = { stop: 'stop', length: 'length' };

export class OllamaDecoder implements AnswerDecoder<string> {
  /** Always false: the answer is whole only with its last line. */
  readonly whole = false;
  readonly #newId: NewId;
  #started = false;
  #calls = 0;
  #thinking = '';
  #end: { readonly reason: string | undefined } | undefined;

  constructor(newId: NewId) {
    this.#newId = newId;
  }

  get over(): boolean {
    return this.#end !== undefined;
  }

  read(line: string, parts: StreamPart[]): void {
    const result = chunkSchema.safeParse(parseJson(line));
    if (!result.success) {
      throw protocolFault('Ollama sent a line that is no piece of an answer.', result.error);
    }
    const chunk = result.data;
    if (chunk.error !== undefined) {
      throw faultOfLine(typeof chunk.error === 'string' ? chunk.error : chunk.error.message);
    }
    parts.push(...this.#chunk(chunk));
  }

  end(parts: StreamPart[]): void {
    if (!this.#end) throw protocolFault('The stream of Ollama ended without `done`.');
    const { reason } = this.#end;
    const mapped = reason === undefined ? 'stop' : (FINISH_REASONS[reason] ?? 'other');
    parts.push({
      type: 'finish',
      reason: withCalls(mapped, this.#calls),
      ...(reason === undefined ? {} : { providerReason: reason }),
      ...(this.#thinking === '' || this.#calls === 0 ? {} : { continuation: { thinking: this.#thinking } }),
    });
  }

  #chunk(chunk: OllamaChunk): StreamPart[] {
    const parts = this.#start(chunk);
    const { message } = chunk;
    const thinking = message?.thinking || chunk.thinking;
    const text = message?.content || chunk.response;
    if (thinking) {
      this.#thinking += thinking;
      parts.push({ type: 'reasoning-delta', text: thinking });
    }
    if (text) parts.push({ type: 'text-delta', text });
    for (const call of message?.tool_calls ?? []) parts.push(this.#call(call));
    if (chunk.done) {
      this.#end = { reason: chunk.done_reason };
      const usage = toProviderUsage(chunk);
      if (usage) parts.push({ type: 'usage', usage });
    }
    return parts;
  }

  #start({ model }: OllamaChunk): StreamPart[] {
    if (this.#started) return [];
    this.#started = true;
    return [{ type: 'response-start', ...(model ? { servedModel: model } : {}) }];
  }

  #call({ id, function: called }: OllamaToolCall): StreamPart {
    const given = called.arguments ?? {};
    return {
      type: 'tool-call-delta',
      index: this.#calls++,
      callId: id || `call_${this.#newId()}`,
      name: called.name,
      argumentsText: typeof given === 'string' ? given || '{}' : JSON.stringify(given),
    };
  }
}

/** A prompt that is wholly cached is not evaluated, and the server then sends no count of it. */
export function toProviderUsage(chunk: OllamaChunk): ProviderUsage | undefined {
  if (chunk.prompt_eval_count === undefined && chunk.eval_count === undefined) return undefined;
  return {
    inputTokens: chunk.prompt_eval_count ?? 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: chunk.eval_count ?? 0,
    reasoningTokens: 0,
  };
}
