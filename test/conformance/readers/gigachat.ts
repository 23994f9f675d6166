// Owns the plain reading of GigaChat answers of both generations.
import { emptyReading, normalisedUsage, type Reading } from '../reading.ts';
import { at, listAt, numberAt, textAt } from '../walk.ts';
import { asDocument, serverSentEvents } from './split.ts';

export function readGigaChat(body: Buffer): Reading {
  const reading = emptyReading();
  const document = asDocument(body);
  const pieces =
    document === undefined
      ? serverSentEvents(body)
          .filter(({ data }) => data !== '[DONE]')
          .map(({ value }) => value)
      : [document];
  for (const piece of pieces) {
    if (at(piece, 'choices') !== undefined) readFirstGeneration(reading, piece);
    else if (at(piece, 'messages') !== undefined || at(piece, 'finish_reason') !== undefined) {
      readSecondGeneration(reading, piece);
    } else if (at(piece, 'error') !== undefined || textAt(piece, 'message') !== undefined)
      reading.error ??= piece;
  }
  return reading;
}

function readFirstGeneration(reading: Reading, piece: unknown): void {
  reading.recognised = true;
  const choice = listAt(piece, 'choices').find((entry) => (numberAt(entry, 'index') ?? 0) === 0);
  const message = at(choice, 'message') ?? at(choice, 'delta');
  reading.text.push(textAt(message, 'content') ?? '');
  reading.reasoning.push(textAt(message, 'reasoning_content') ?? '');
  readCall(reading, at(message, 'function_call'));
  const finish = textAt(choice, 'finish_reason');
  if (finish) reading.finish = finish;
  const usage = at(piece, 'usage');
  const found = normalisedUsage({
    input: numberAt(usage, 'prompt_tokens'),
    output: numberAt(usage, 'completion_tokens'),
    cacheRead: numberAt(usage, 'precached_prompt_tokens'),
    cacheIsPartOfInput: false,
    reasoningIsPartOfOutput: true,
  });
  if (found) reading.usage = found;
}

function readSecondGeneration(reading: Reading, piece: unknown): void {
  reading.recognised = true;
  reading.errorKind = 'second-generation';
  for (const message of listAt(piece, 'messages')) {
    for (const part of listAt(message, 'content')) {
      reading.text.push(textAt(part, 'text') ?? '');
      readCall(reading, at(part, 'function_call'));
    }
  }
  const finish = textAt(piece, 'finish_reason');
  if (finish) reading.finish = finish;
  const usage = at(piece, 'usage');
  const found = normalisedUsage({
    input: numberAt(usage, 'input_tokens'),
    output: numberAt(usage, 'output_tokens'),
    cacheRead: numberAt(usage, 'input_tokens_details', 'cached_tokens'),
    cacheIsPartOfInput: true,
    reasoningIsPartOfOutput: true,
  });
  if (found) reading.usage = found;
}

function readCall(reading: Reading, call: unknown): void {
  if (call === undefined) return;
  const value = at(call, 'arguments');
  reading.calls.push({
    name: textAt(call, 'name') ?? '',
    argumentsText: typeof value === 'string' ? value : '',
    ...(typeof value === 'string' ? {} : { argumentsValue: value ?? {} }),
  });
}
