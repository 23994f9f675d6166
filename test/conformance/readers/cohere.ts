// Owns the plain reading of Cohere v2 chat answers.
import { emptyReading, normalisedUsage, type Reading } from '../reading.ts';
import { at, listAt, numberAt, textAt } from '../walk.ts';
import { asDocument, serverSentEvents } from './split.ts';

export function readCohere(body: Buffer): Reading {
  const reading = emptyReading();
  const document = asDocument(body);
  if (document !== undefined) {
    const message = at(document, 'message');
    if (typeof message === 'object') reading.recognised = true;
    else if (typeof message === 'string') reading.error = document;
    readMessage(reading, message);
    reading.finish = textAt(document, 'finish_reason') ?? reading.finish!;
    readUsage(reading, at(document, 'usage'));
    return reading;
  }
  for (const { data, value, event } of serverSentEvents(body)) {
    if (data === '[DONE]') continue;
    const message = at(value, 'delta', 'message');
    const type = textAt(value, 'type') ?? event;
    if (type === 'error') reading.error ??= value;
    if (type === 'message-start') reading.recognised = true;
    if (type === 'content-start' || type === 'content-delta') readContent(reading, at(message, 'content'));
    if (type === 'tool-plan-delta') reading.reasoning.push(textAt(message, 'tool_plan') ?? '');
    if (type === 'tool-call-start') readCall(reading, at(message, 'tool_calls'));
    if (type === 'tool-call-delta') {
      reading.calls.at(-1)!.argumentsText += textAt(message, 'tool_calls', 'function', 'arguments') ?? '';
    }
    if (type === 'message-end') {
      reading.finish = textAt(value, 'delta', 'finish_reason') ?? reading.finish!;
      if (at(value, 'delta', 'error') !== undefined) reading.error ??= at(value, 'delta');
      readUsage(reading, at(value, 'delta', 'usage'));
    }
  }
  return reading;
}

function readMessage(reading: Reading, message: unknown): void {
  const plan = textAt(message, 'tool_plan');
  if (plan) reading.reasoning.push(plan);
  for (const part of listAt(message, 'content')) readContent(reading, part);
  for (const call of listAt(message, 'tool_calls')) readCall(reading, call);
}

function readContent(reading: Reading, part: unknown): void {
  const text = textAt(part, 'text');
  const thinking = textAt(part, 'thinking');
  if (text) reading.text.push(text);
  if (thinking) reading.reasoning.push(thinking);
}

function readCall(reading: Reading, call: unknown): void {
  reading.calls.push({
    id: textAt(call, 'id') ?? '',
    name: textAt(call, 'function', 'name') ?? '',
    argumentsText: textAt(call, 'function', 'arguments') ?? '',
  });
}

/** What is paid for: `tokens` counts a hidden template as well, and leaves out images. */
function readUsage(reading: Reading, usage: unknown): void {
  const counts = at(usage, 'billed_units', 'input_tokens') === undefined ? 'tokens' : 'billed_units';
  const found = normalisedUsage({
    input: numberAt(usage, counts, 'input_tokens'),
    output: numberAt(usage, counts, 'output_tokens'),
    reasoning: numberAt(usage, 'tokens', 'reasoning_tokens'),
    cacheIsPartOfInput: true,
    reasoningIsPartOfOutput: true,
  });
  if (found) reading.usage = found;
}
