// Owns the plain reading of OpenAI chat completions and of the servers that imitate them.
import { type BodyContext, emptyReading, normalisedUsage, type Reading } from '../reading.ts';
import { at, listAt, numberAt, textAt } from '../walk.ts';
import { asDocument, serverSentEvents } from './split.ts';

export function readOpenAiChat(body: Buffer, context: BodyContext): Reading {
  const reading = emptyReading();
  const document = asDocument(body);
  if (document !== undefined) {
    readChunk(reading, document, 'message', context);
    return reading;
  }
  for (const { event, data, value } of serverSentEvents(body)) {
    if (data === '[DONE]') continue;
    if (event === 'error') reading.error ??= value ?? data;
    readChunk(reading, value, 'delta', context);
    if (reading.error !== undefined) break;
  }
  return reading;
}

function readChunk(reading: Reading, chunk: unknown, field: 'message' | 'delta', context: BodyContext): void {
  if (at(chunk, 'error') !== undefined || isFlatError(chunk)) reading.error ??= chunk;
  if (at(chunk, 'x_groq', 'error') !== undefined) reading.error ??= at(chunk, 'x_groq');
  const choice = listAt(chunk, 'choices').find((entry) => (numberAt(entry, 'index') ?? 0) === 0);
  if (at(chunk, 'choices') !== undefined && !isLegacyCompletion(choice)) reading.recognised = true;
  if (at(choice, 'error') !== undefined) reading.error ??= choice;
  if (choice !== undefined) readChoice(reading, at(choice, field), choice);
  const usage = at(chunk, 'usage') ?? at(chunk, 'x_groq', 'usage');
  if (usage !== undefined) readUsage(reading, usage, context);
}

/** The old completions endpoint: text without a message around it. */
function isLegacyCompletion(choice: unknown): boolean {
  return (
    textAt(choice, 'text') !== undefined &&
    at(choice, 'message') === undefined &&
    at(choice, 'delta') === undefined
  );
}

/** Errors without the `error` wrapper, as of Cerebras, Mistral and older vLLM. */
function isFlatError(chunk: unknown): boolean {
  if (at(chunk, 'choices') !== undefined) return false;
  return (
    textAt(chunk, 'object') === 'error' ||
    at(chunk, 'detail') !== undefined ||
    textAt(chunk, 'message') !== undefined
  );
}

function readChoice(reading: Reading, message: unknown, choice: unknown): void {
  const content = at(message, 'content');
  if (typeof content === 'string') reading.text.push(content);
  for (const part of listAt(message, 'content')) readContentPart(reading, part);
  const refusal = textAt(message, 'refusal');
  if (refusal) addRefusal(reading, refusal);
  readReasoning(reading, message);
  for (const call of listAt(message, 'tool_calls')) readToolCall(reading, call);
  const legacy = at(message, 'function_call');
  if (legacy !== undefined) readToolCall(reading, { index: 0, function: legacy });
  const finish = textAt(choice, 'finish_reason');
  if (finish) reading.finish = finish;
}

function readContentPart(reading: Reading, part: unknown): void {
  if (textAt(part, 'type') === 'text') reading.text.push(textAt(part, 'text') ?? '');
  if (textAt(part, 'type') === 'refusal') addRefusal(reading, textAt(part, 'refusal') ?? '');
  if (textAt(part, 'type') !== 'thinking') return;
  const thinking = at(part, 'thinking');
  if (typeof thinking === 'string') reading.reasoning.push(thinking);
  for (const piece of listAt(part, 'thinking')) reading.reasoning.push(textAt(piece, 'text') ?? '');
}

function addRefusal(reading: Reading, text: string): void {
  reading.text.push(text);
  reading.refused = true;
}

/** Servers that repeat the same reasoning under several names mean it once. */
function readReasoning(reading: Reading, message: unknown): void {
  const plain = textAt(message, 'reasoning_content') || textAt(message, 'reasoning');
  if (plain) {
    reading.reasoning.push(plain);
    return;
  }
  for (const detail of listAt(message, 'reasoning_details')) {
    const text = textAt(detail, 'text') ?? textAt(detail, 'summary');
    if (text) reading.reasoning.push(text);
  }
}

/** Pieces of one call share an index, and repeat its id or leave it out: another id is another call. */
function readToolCall(reading: Reading, piece: unknown): void {
  const id = textAt(piece, 'id') || undefined;
  const index = numberAt(piece, 'index');
  const calls = reading.calls as (Reading['calls'][number] & { index?: number })[];
  let call =
    index === undefined && id !== undefined ? undefined : calls.findLast((one) => one.index === index);
  if (call && id !== undefined && call.id !== undefined && call.id !== id) call = undefined;
  if (!call) {
    call = { name: '', argumentsText: '' };
    if (index !== undefined) call.index = index;
    calls.push(call);
  }
  if (id !== undefined) call.id ??= id;
  call.name ||= textAt(piece, 'function', 'name') ?? '';
  call.argumentsText += textAt(piece, 'function', 'arguments') ?? '';
  const value = at(piece, 'function', 'arguments');
  if (typeof value === 'object') call.argumentsValue = value;
}

/** Two servers count something beside the whole, as their totals show: xAI its reasoning, Mistral its audio input. */
function readUsage(reading: Reading, usage: unknown, context: BodyContext): void {
  const prompt = numberAt(usage, 'prompt_tokens');
  const output = numberAt(usage, 'completion_tokens');
  const total = numberAt(usage, 'total_tokens');
  const sum = (prompt ?? 0) + (output ?? 0);
  const reasoning =
    numberAt(usage, 'completion_tokens_details', 'reasoning_tokens') ??
    numberAt(usage, 'reasoning_tokens') ??
    0;
  const reasoningIsBeside = reasoning > 0 && (total === sum + reasoning || context.provider === 'xai');
  const audio = numberAt(usage, 'prompt_tokens_details', 'audio_tokens') ?? 0;
  const audioIsBeside = audio > 0 && total === sum + audio;
  const found = normalisedUsage({
    input: audioIsBeside ? (prompt ?? 0) + audio : prompt,
    output,
    reasoning,
    cacheRead:
      numberAt(usage, 'prompt_tokens_details', 'cached_tokens') ??
      numberAt(usage, 'prompt_cache_hit_tokens') ??
      numberAt(usage, 'num_cached_tokens'),
    cacheWrite: numberAt(usage, 'prompt_tokens_details', 'cache_write_tokens'),
    cacheIsPartOfInput: true,
    reasoningIsPartOfOutput: !reasoningIsBeside,
  });
  if (!found) return;
  reading.usage = found;
  if (total === sum || reasoningIsBeside || audioIsBeside) reading.total = total;
}
