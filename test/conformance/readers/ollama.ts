// Owns the plain reading of Ollama's own answers, from its chat and from its older text endpoint.
import { emptyReading, normalisedUsage, type Reading } from '../reading.ts';
import { at, listAt, numberAt, textAt } from '../walk.ts';
import { asDocument, jsonLines } from './split.ts';

export function readOllama(body: Buffer): Reading {
  const reading = emptyReading();
  const document = asDocument(body);
  for (const line of document === undefined ? jsonLines(body) : [document]) {
    if (at(line, 'error') !== undefined) reading.error ??= line;
    const message = at(line, 'message');
    if (message !== undefined || at(line, 'response') !== undefined) reading.recognised = true;
    reading.text.push(textAt(message, 'content') ?? textAt(line, 'response') ?? '');
    reading.reasoning.push(textAt(message, 'thinking') ?? textAt(line, 'thinking') ?? '');
    for (const call of listAt(message, 'tool_calls')) {
      reading.calls.push({
        id: textAt(call, 'id') ?? '',
        name: textAt(call, 'function', 'name') ?? '',
        argumentsText: '',
        argumentsValue: at(call, 'function', 'arguments') ?? {},
      });
    }
    if (at(line, 'done') === true) {
      reading.finish = textAt(line, 'done_reason') ?? 'stop';
      readUsage(reading, line);
    }
  }
  return reading;
}

/** A prompt that was cached as a whole has no count. */
function readUsage(reading: Reading, line: unknown): void {
  const found = normalisedUsage({
    input: numberAt(line, 'prompt_eval_count'),
    output: numberAt(line, 'eval_count'),
    cacheIsPartOfInput: true,
    reasoningIsPartOfOutput: true,
  });
  if (found) reading.usage = found;
}
