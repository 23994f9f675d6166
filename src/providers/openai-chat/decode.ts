// Owns the way from chunks to parts: one answer, streamed or whole, of any server of the family.
import { ProviderError } from '../../kernel/errors.ts';
import type { NewId } from '../../kernel/ids.ts';
import { isJsonObject, type JsonValue, parseJson } from '../../kernel/json.ts';
import type { FinishReason, ProviderUsage, StreamPart } from '../contract/completions.ts';
import { errorText, protocolFault, providerRequestId, withoutSecret } from '../shared/answer-faults.ts';
import type { AnswerDecoder } from '../shared/answer-stream.ts';
import { withCalls } from '../shared/finish-reason.ts';
import { RepeatedChunk } from '../shared/repeated-chunk.ts';
import type { ServerSentEvent } from '../shared/sse.ts';
import { errorWithin, type FaultContext, faultOfText, faultOfValue } from './errors.ts';
import type { ChatQuirks } from './quirks.ts';
import { ReasoningReader, textsOfContentList } from './reasoning.ts';
import { ToolCalls } from './tool-calls.ts';
import { sameUsage, usageOf } from './usage.ts';
import { isRecord, listOf, textOf, type WireChoice, type WireChunk, type WireDelta } from './wire.ts';

const FINISH_REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ['stop', 'stop'],
  ['eos', 'stop'],
  ['end_turn', 'stop'],
  ['length', 'length'],
  ['max_tokens', 'length'],
  ['model_length', 'length'],
  ['tool_calls', 'tool-calls'],
  ['function_call', 'tool-calls'],
  ['content_filter', 'content-filter'],
]);

/** Finish reasons that mean that the server gave up: OpenRouter and Mistral; DeepSeek. */
const FAULT_REASONS = new Set(['error', 'insufficient_system_resource']);

export class OpenAiChatDecoder implements AnswerDecoder<ServerSentEvent> {
  readonly #context: FaultContext;
  readonly #echoReasoning: ChatQuirks['echoReasoning'];
  readonly #reasoning: ReasoningReader;
  readonly #toolCalls: ToolCalls;
  readonly #warned = new Set<string>();
  #started = false;
  #hasContent = false;
  #over = false;
  #finishReason: string | undefined;
  #usage: ProviderUsage | undefined;
  readonly #repeated = new RepeatedChunk(plainText);

  constructor(context: FaultContext, quirks: ChatQuirks, newId: NewId) {
    this.#context = context;
    this.#echoReasoning = quirks.echoReasoning;
    this.#reasoning = new ReasoningReader(quirks.echoReasoning !== 'never');
    this.#toolCalls = new ToolCalls(newId);
  }

  get over(): boolean {
    return this.#over;
  }

  get whole(): boolean {
    return this.#finishReason !== undefined && !FAULT_REASONS.has(this.#finishReason);
  }

  read(event: ServerSentEvent, parts: StreamPart[]): void {
    if (event.errorField !== undefined) throw faultOfText(event.errorField, this.#context, 'stream');
    const repeated = event.event === undefined ? this.#repeated.textOf(event.data) : undefined;
    if (repeated !== undefined) {
      if (repeated !== '') parts.push({ type: 'text-delta', text: repeated });
      return;
    }
    const data = event.data.trim();
    if (data === '') return;
    if (data === '[DONE]') {
      this.#over = true;
      return;
    }
    const chunk = parseJson(data);
    if (event.event === 'error') throw faultOfText(data, this.#context, 'stream');
    if (!isJsonObject(chunk)) throw protocolFault('The provider sent an event that is not a JSON object.');
    const error = errorWithin(chunk);
    if (error !== undefined) throw faultOfValue(error, this.#context, 'stream');
    this.#chunk(chunk, parts);
    this.#repeated.learn(data, chunk);
  }

  /** Reads an answer that came as one JSON object, or in an unexpected form, though a stream was requested. */
  readWhole(body: string, parts: StreamPart[]): void {
    const answer = parseJson(body);
    if (answer === undefined) throw faultOfUnreadable(body, this.#context);
    if (!isJsonObject(answer)) throw protocolFault('The provider answered with JSON that is no completion.');
    const error = errorWithin(answer);
    if (error !== undefined) throw faultOfValue(error, this.#context, 'headers');
    this.#chunk(answer, parts, true);
    if (listOf(answer.choices).length > 0) this.#finishReason ??= '';
    this.end(parts);
  }

  end(parts: StreamPart[]): void {
    // vllm-mlx and Snowflake end with `[DONE]` only, which counts as an end if any content came before it.
    const reason = this.#finishReason ?? (this.#over && this.#hasContent ? '' : undefined);
    if (reason === undefined) throw protocolFault('The provider ended its stream without a finish reason.');
    if (FAULT_REASONS.has(reason)) {
      throw new ProviderError('PROVIDER_UNAVAILABLE', `The provider broke off its answer (${reason}).`, {
        phase: 'stream',
        transient: true,
        providerCode: reason,
      });
    }
    this.#toolCalls.end(parts);
    const calls = this.#toolCalls.count;
    const wanted = this.#echoReasoning === 'always' || calls > 0;
    const continuation = wanted ? this.#reasoning.continuation() : undefined;
    parts.push({
      type: 'finish',
      reason: reasonOf(reason, calls),
      ...(reason === '' ? {} : { providerReason: reason }),
      ...(continuation === undefined ? {} : { continuation }),
    });
  }

  #chunk(chunk: WireChunk, parts: StreamPart[], whole = false): void {
    const choice = listOf(chunk.choices).find(isFirstChoice);
    this.#start(chunk, choice !== undefined, parts);
    if (choice) this.#choice(choice, parts, whole);
    const usage = usageOf(chunk.usage) ?? usageOf(chunk.x_groq?.usage);
    if (usage && !sameUsage(this.#usage, usage)) {
      this.#usage = usage;
      parts.push({ type: 'usage', usage });
    }
  }

  /** Azure's first chunk has neither choices nor a model. */
  #start(chunk: WireChunk, hasChoice: boolean, parts: StreamPart[]): void {
    const servedModel = textOf(chunk.model);
    if (this.#started || (servedModel === '' && !hasChoice)) return;
    this.#started = true;
    const requestId = providerRequestId(this.#context.headers) ?? textOf(chunk.id);
    parts.push({
      type: 'response-start',
      ...(servedModel === '' ? {} : { servedModel }),
      ...(requestId === '' ? {} : { providerRequestId: requestId }),
    });
  }

  /** Perplexity sends both: beside an empty delta, a message that repeats the whole text. */
  #choice(choice: WireChoice, parts: StreamPart[], whole: boolean): void {
    const { delta: piece, message } = choice;
    const delta = whole ? (message ?? piece) : (piece ?? message);
    if (isRecord(delta)) this.#delta(delta, parts);
    else if (textOf(choice.text) !== '') {
      throw protocolFault(
        'The provider answered in the form of the old text completions, not of chat completions.',
      );
    }
    if (typeof choice.finish_reason === 'string' && choice.finish_reason !== '') {
      this.#finishReason = choice.finish_reason;
    }
  }

  #delta(delta: WireDelta, parts: StreamPart[]): void {
    const before = parts.length;
    const reasoning = this.#reasoning.read(delta);
    if (reasoning !== '') parts.push({ type: 'reasoning-delta', text: reasoning });
    if (delta.content) this.#content(delta.content, parts);
    const refusal = textOf(delta.refusal);
    if (refusal !== '') {
      this.#warn('REFUSAL', 'The model refused; its text is the refusal.', parts);
      parts.push({ type: 'text-delta', text: refusal });
    }
    for (const fragment of listOf(delta.tool_calls)) {
      if (isRecord(fragment)) this.#toolCalls.push(fragment, parts);
    }
    if (isRecord(delta.function_call)) {
      this.#toolCalls.push({ index: 'function_call', function: delta.function_call }, parts);
    }
    if (listOf(delta.images).length > 0 || isRecord(delta.audio)) this.#warnOfDroppedOutput(parts);
    this.#hasContent ||= parts.length > before;
  }

  #content(content: unknown, parts: StreamPart[]): void {
    if (typeof content === 'string') {
      parts.push({ type: 'text-delta', text: content });
      return;
    }
    const { text, reasoning, dropped } = textsOfContentList(listOf(content));
    this.#reasoning.addThinking(reasoning);
    if (reasoning !== '') parts.push({ type: 'reasoning-delta', text: reasoning });
    if (text !== '') parts.push({ type: 'text-delta', text });
    if (dropped) this.#warnOfDroppedOutput(parts);
  }

  #warnOfDroppedOutput(parts: StreamPart[]): void {
    this.#warn('OUTPUT_DROPPED', 'The answer held media, of which only the text is kept.', parts);
  }

  #warn(code: string, message: string, parts: StreamPart[]): void {
    if (this.#warned.has(code)) return;
    this.#warned.add(code);
    parts.push({ type: 'warning', code, message });
  }
}

/** Of several choices the first is the answer. */
function isFirstChoice(choice: unknown): choice is WireChoice {
  return isRecord(choice) && (choice.index === undefined || choice.index === null || choice.index === 0);
}

/** After tool calls servers name many reasons, most often "stop", which must not end a loop that waits for calls. */
function reasonOf(word: string, calls: number): FinishReason {
  const known = FINISH_REASONS.get(word.toLowerCase());
  if (known === undefined) return calls > 0 ? 'tool-calls' : 'other';
  return withCalls(known, calls);
}

/** The text of a chunk that holds nothing else. */
function plainText(chunk: JsonValue | undefined): string | undefined {
  if (!isRecord(chunk) || chunk.usage || chunk.x_groq) return undefined;
  const [choice, second] = listOf(chunk.choices);
  if (second !== undefined || !isFirstChoice(choice) || choice.finish_reason || choice.message)
    return undefined;
  const { content, role: _role, ...others }: Record<string, unknown> = { ...choice.delta };
  return typeof content === 'string' && Object.values(others).every((value) => value === null)
    ? content
    : undefined;
}

/** HTML or the like with status 200 comes from a machine between the gateway and the provider. */
function faultOfUnreadable(body: string, { secret }: FaultContext): ProviderError {
  const words = withoutSecret(errorText(body).message, secret) || 'nothing';
  return protocolFault(`The provider answered with something that is no completion: ${words}`);
}
