// Owns how the pieces of a Gemini answer become stream parts.

import type { NewId } from '../../kernel/ids.ts';
import type { FinishReason, ProviderUsage, StreamPart } from '../contract/completions.ts';
import { protocolFault } from '../shared/answer-faults.ts';
import type { AnswerDecoder } from '../shared/answer-stream.ts';
import { withCalls } from '../shared/finish-reason.ts';
import { ContinuationRecorder } from './continuation.ts';
import { faultOfBlockedPrompt, faultOfErrorInStream } from './errors.ts';
import { PartialArguments } from './partial-arguments.ts';
import {
  answerSchema,
  type GeminiAnswer,
  type GeminiFunctionCall,
  type GeminiPart,
  type GeminiUsage,
} from './wire.ts';

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'content-filter',
  RECITATION: 'content-filter',
  BLOCKLIST: 'content-filter',
  PROHIBITED_CONTENT: 'content-filter',
  SPII: 'content-filter',
  MODEL_ARMOR: 'content-filter',
  IMAGE_SAFETY: 'content-filter',
  IMAGE_PROHIBITED_CONTENT: 'content-filter',
  IMAGE_RECITATION: 'content-filter',
};

/** Reads one answer, which comes in pieces of the same shape as the whole. */
export class GeminiDecoder implements AnswerDecoder<unknown> {
  readonly #newId: NewId;
  readonly #recorder = new ContinuationRecorder();
  #started = false;
  #usage: ProviderUsage | undefined;
  #finishReason: string | undefined;
  #calls = 0;
  #openCall: { readonly index: number; readonly arguments: PartialArguments } | undefined;
  #droppedMedia = false;
  #over = false;

  constructor(newId: NewId) {
    this.#newId = newId;
  }

  read(json: unknown, parts: StreamPart[]): void {
    const result = answerSchema.safeParse(json);
    if (!result.success) {
      throw protocolFault('Gemini sent a piece that is not an answer.', result.error);
    }
    const answer = result.data;
    if (answer.error) throw faultOfErrorInStream(answer.error);
    parts.push(...this.#start(answer));
    const candidate = answer.candidates?.[0];
    for (const part of candidate?.content?.parts ?? []) parts.push(...this.#part(part));
    if (candidate?.finishReason !== undefined) this.#finishReason = candidate.finishReason;
    if (answer.usageMetadata) parts.push(...this.#countUsage(answer.usageMetadata));
    const { promptFeedback } = answer;
    if (!candidate && promptFeedback?.blockReason !== undefined) {
      throw faultOfBlockedPrompt(promptFeedback.blockReason, promptFeedback.blockReasonMessage);
    }
  }

  /** True once the last count has come, which is sent with the finish reason or after it. */
  get over(): boolean {
    return this.#over;
  }

  get whole(): boolean {
    return this.#finishReason !== undefined;
  }

  end(parts: StreamPart[]): void {
    const providerReason = this.#finishReason;
    if (providerReason === undefined) {
      throw protocolFault('The stream of Gemini ended without a finish reason.');
    }
    const mapped = FINISH_REASONS[providerReason] ?? 'other';
    const continuation = this.#recorder.result();
    parts.push(...this.#closeCall(), {
      type: 'finish',
      reason: withCalls(mapped, this.#calls),
      providerReason,
      ...(continuation === undefined ? {} : { continuation }),
    });
  }

  #start({ modelVersion, responseId }: GeminiAnswer): StreamPart[] {
    if (this.#started) return [];
    this.#started = true;
    return [
      {
        type: 'response-start',
        ...(modelVersion === undefined ? {} : { servedModel: modelVersion }),
        ...(responseId === undefined ? {} : { providerRequestId: responseId }),
      },
    ];
  }

  #part(part: GeminiPart): StreamPart[] {
    const { text, thoughtSignature } = part;
    if (part.functionCall) return this.#call(part.functionCall, thoughtSignature);
    if (part.inlineData) return this.#media();
    if (text === undefined) {
      if (thoughtSignature !== undefined && Object.keys(part).every((key) => key.startsWith('thought'))) {
        this.#recorder.text('', thoughtSignature);
      } else {
        this.#recorder.part(part);
      }
      return [];
    }
    if (part.thought) {
      this.#recorder.thought(text, thoughtSignature);
      return text === '' ? [] : [{ type: 'reasoning-delta', text }];
    }
    this.#recorder.text(text, thoughtSignature);
    return text === '' ? [] : [{ type: 'text-delta', text }];
  }

  #call(call: GeminiFunctionCall, signature: string | undefined): StreamPart[] {
    if (call.name === undefined) return this.#continueCall(call);
    const parts = this.#closeCall();
    const index = this.#calls++;
    this.#recorder.call(call.id, signature);
    const head = {
      type: 'tool-call-delta',
      index,
      callId: call.id ?? `call_${this.#newId()}`,
      name: call.name,
    } as const;
    if (!call.willContinue && !call.partialArgs) {
      return [...parts, { ...head, argumentsText: JSON.stringify(call.args ?? {}) }];
    }
    this.#openCall = { index, arguments: new PartialArguments() };
    return [...parts, { ...head, argumentsText: '' }, ...this.#continueCall(call)];
  }

  #continueCall({ partialArgs = [], willContinue }: GeminiFunctionCall): StreamPart[] {
    for (const piece of partialArgs) this.#openCall?.arguments.add(piece);
    return willContinue ? [] : this.#closeCall();
  }

  #closeCall(): StreamPart[] {
    const call = this.#openCall;
    this.#openCall = undefined;
    return call ? [{ type: 'tool-call-delta', index: call.index, argumentsText: call.arguments.text() }] : [];
  }

  #media(): StreamPart[] {
    if (this.#droppedMedia) return [];
    this.#droppedMedia = true;
    return [
      {
        type: 'warning',
        code: 'OUTPUT_DROPPED',
        message: 'The answer held media, of which only the text is kept.',
      },
    ];
  }

  /** Each piece repeats the count so far; an early one on Vertex has none. */
  #countUsage(wire: GeminiUsage): StreamPart[] {
    if (wire.promptTokenCount === undefined) return [];
    const usage = toProviderUsage(wire);
    const before = this.#usage;
    this.#usage = usage;
    this.#over = this.#finishReason !== undefined;
    return before && sameUsage(before, usage) ? [] : [{ type: 'usage', usage }];
  }
}

/** Cached input is part of the prompt; tokens that its own tools read and that it thought are counted separately. */
export function toProviderUsage(wire: GeminiUsage): ProviderUsage {
  const prompt = wire.promptTokenCount ?? 0;
  const cacheReadTokens = Math.min(wire.cachedContentTokenCount ?? 0, prompt);
  return {
    inputTokens: prompt - cacheReadTokens + (wire.toolUsePromptTokenCount ?? 0),
    cacheReadTokens,
    cacheWriteTokens: 0,
    outputTokens: wire.candidatesTokenCount ?? 0,
    reasoningTokens: wire.thoughtsTokenCount ?? 0,
  };
}

function sameUsage(a: ProviderUsage, b: ProviderUsage): boolean {
  return (
    a.inputTokens === b.inputTokens &&
    a.cacheReadTokens === b.cacheReadTokens &&
    a.outputTokens === b.outputTokens &&
    a.reasoningTokens === b.reasoningTokens
  );
}
