// Owns the plain reading of Anthropic messages.
import { emptyReading, normalisedUsage, type Reading } from '../reading.ts';
import { at, listAt, numberAt, textAt } from '../walk.ts';
import { asDocument, serverSentEvents } from './split.ts';

export function readAnthropic(body: Buffer): Reading {
  const reading = emptyReading();
  const document = asDocument(body);
  if (document !== undefined) {
    if (at(document, 'error') !== undefined) reading.error = document;
    if (textAt(document, 'type') === 'message') reading.recognised = true;
    for (const block of listAt(document, 'content')) readBlock(reading, block);
    reading.finish = textAt(document, 'stop_reason') ?? reading.finish!;
    readUsage(reading, at(document, 'usage'));
    return reading;
  }
  readStream(reading, body);
  return reading;
}

/** Blocks of a stream are put together first, and then read as those of a whole answer. */
function readStream(reading: Reading, body: Buffer): void {
  const blocks: Record<string, unknown>[] = [];
  let usage: Record<string, unknown> = {};
  for (const { event, value, data } of serverSentEvents(body)) {
    const type = textAt(value, 'type') ?? event;
    if (type === 'error' || event === 'error') reading.error ??= value ?? data;
    if (type === 'message_start') {
      reading.recognised = true;
      usage = { ...usage, ...(at(value, 'message', 'usage') as object) };
    }
    if (type === 'content_block_start') {
      blocks[numberAt(value, 'index') ?? 0] = { ...(at(value, 'content_block') as object), json: '' };
    }
    if (type === 'content_block_delta') addDelta(blocks[numberAt(value, 'index') ?? 0], at(value, 'delta'));
    if (type === 'message_delta') {
      usage = { ...usage, ...withoutNulls(at(value, 'usage')) };
      const reason = textAt(value, 'delta', 'stop_reason');
      if (reason) reading.finish = reason;
    }
  }
  for (const block of blocks) readBlock(reading, block);
  readUsage(reading, usage);
}

function withoutNulls(value: unknown): object {
  return Object.fromEntries(Object.entries((value ?? {}) as object).filter(([, entry]) => entry !== null));
}

function addDelta(block: Record<string, unknown> | undefined, delta: unknown): void {
  if (!block) return;
  const text = textAt(delta, 'text');
  const thinking = textAt(delta, 'thinking');
  const json = textAt(delta, 'partial_json');
  if (text !== undefined) block.text = `${block.text ?? ''}${text}`;
  if (thinking !== undefined) block.thinking = `${block.thinking ?? ''}${thinking}`;
  if (json !== undefined) block.json = `${block.json}${json}`;
}

function readBlock(reading: Reading, block: unknown): void {
  const type = textAt(block, 'type');
  if (type === 'text') reading.text.push(textAt(block, 'text') ?? '');
  if (type === 'thinking') reading.reasoning.push(textAt(block, 'thinking') ?? '');
  if (type !== 'tool_use') return;
  const json = textAt(block, 'json') ?? '';
  reading.calls.push({
    id: textAt(block, 'id') ?? '',
    name: textAt(block, 'name') ?? '',
    argumentsText: json,
    ...(json === '' ? { argumentsValue: at(block, 'input') ?? {} } : {}),
  });
}

function readUsage(reading: Reading, usage: unknown): void {
  const found = normalisedUsage({
    input: numberAt(usage, 'input_tokens'),
    output: numberAt(usage, 'output_tokens'),
    cacheRead: numberAt(usage, 'cache_read_input_tokens'),
    cacheWrite: numberAt(usage, 'cache_creation_input_tokens'),
    reasoning: numberAt(usage, 'output_tokens_details', 'thinking_tokens'),
    cacheIsPartOfInput: false,
    reasoningIsPartOfOutput: true,
  });
  if (found) reading.usage = found;
}
