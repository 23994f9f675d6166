// Owns the plain reading of the OpenAI Responses API, also as served by xAI and Azure.
import { emptyReading, normalisedUsage, type Reading } from '../reading.ts';
import { at, listAt, numberAt, textAt } from '../walk.ts';
import { asDocument, serverSentEvents } from './split.ts';

export function readOpenAiResponses(body: Buffer): Reading {
  const reading = emptyReading();
  const document = asDocument(body);
  if (document !== undefined) {
    if (at(document, 'output') === undefined && at(document, 'error') !== undefined) reading.error = document;
    readResponse(reading, document);
    return reading;
  }
  const finishedItems: unknown[] = [];
  const textPieces: string[] = [];
  let last: unknown;
  for (const { event, data, value } of serverSentEvents(body)) {
    if (data === '[DONE]') continue;
    const type = textAt(value, 'type') ?? event;
    if (type === 'error' || event === 'error') reading.error ??= value ?? data;
    if (type === 'response.failed') reading.error ??= at(value, 'response');
    if (type.startsWith('response.')) reading.recognised = true;
    if (type === 'response.output_text.delta') textPieces.push(textAt(value, 'delta') ?? '');
    if (type === 'response.output_item.done') finishedItems.push(at(value, 'item'));
    if (type === 'response.completed' || type === 'response.incomplete') last = at(value, 'response');
  }
  if (last !== undefined) readResponse(reading, last);
  if (reading.text.length + reading.reasoning.length + reading.calls.length === 0) {
    for (const item of finishedItems) readItem(reading, item);
  }
  if (last === undefined) reading.text = [textPieces.join('')];
  return reading;
}

function readResponse(reading: Reading, response: unknown): void {
  if (at(response, 'output') === undefined || (textAt(response, 'object') ?? 'response') !== 'response')
    return;
  reading.recognised = true;
  const status = textAt(response, 'status');
  if (status === 'failed') reading.error ??= response;
  for (const item of listAt(response, 'output')) readItem(reading, item);
  const ended = status === undefined || status === 'completed' || status === 'incomplete';
  if (ended) reading.finish = textAt(response, 'incomplete_details', 'reason') ?? status ?? 'completed';
  readUsage(reading, at(response, 'usage'));
}

function readItem(reading: Reading, item: unknown): void {
  const type = textAt(item, 'type');
  if (type === 'message') {
    for (const part of listAt(item, 'content')) readMessagePart(reading, part);
  }
  if (type === 'reasoning') {
    for (const part of [...listAt(item, 'summary'), ...listAt(item, 'content')]) {
      reading.reasoning.push(textAt(part, 'text') ?? '');
    }
  }
  if (type === 'function_call') {
    reading.calls.push({
      id: textAt(item, 'call_id') ?? '',
      name: textAt(item, 'name') ?? '',
      argumentsText: textAt(item, 'arguments') ?? '',
    });
  }
}

function readMessagePart(reading: Reading, part: unknown): void {
  reading.text.push(textAt(part, 'text') ?? textAt(part, 'refusal') ?? '');
  if (textAt(part, 'type') === 'refusal') reading.refused = true;
}

function readUsage(reading: Reading, usage: unknown): void {
  const found = normalisedUsage({
    input: numberAt(usage, 'input_tokens'),
    output: numberAt(usage, 'output_tokens'),
    cacheRead: numberAt(usage, 'input_tokens_details', 'cached_tokens'),
    cacheWrite: numberAt(usage, 'input_tokens_details', 'cache_write_tokens'),
    reasoning: numberAt(usage, 'output_tokens_details', 'reasoning_tokens'),
    cacheIsPartOfInput: true,
    reasoningIsPartOfOutput: true,
  });
  if (!found) return;
  reading.usage = found;
  const total = numberAt(usage, 'total_tokens');
  if (total !== undefined) reading.total = total;
}
