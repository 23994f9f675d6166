// Owns the plain reading of Bedrock Converse answers: JSON documents and AWS event streams.
import { emptyReading, normalisedUsage, type Reading } from '../reading.ts';
import { at, listAt, numberAt, parsed, textAt } from '../walk.ts';
import { asDocument } from './split.ts';

export function readBedrock(body: Buffer): Reading {
  const reading = emptyReading();
  const document = asDocument(body);
  if (document !== undefined) {
    if (at(document, 'output') !== undefined) reading.recognised = true;
    else if (textAt(document, 'message') ?? textAt(document, 'Message')) reading.error = document;
    for (const block of listAt(document, 'output', 'message', 'content')) readBlock(reading, block);
    reading.finish = textAt(document, 'stopReason') ?? reading.finish!;
    readUsage(reading, at(document, 'usage'));
    return reading;
  }
  readStream(reading, body);
  return reading;
}

interface Frame {
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: unknown;
}

/** Frames are length, header length, checksum, headers, payload, checksum; every header that matters is text (type 7). */
function frames(body: Buffer): Frame[] {
  const found: Frame[] = [];
  for (let start = 0; start + 16 <= body.length; ) {
    const length = body.readUInt32BE(start);
    const headersEnd = start + 12 + body.readUInt32BE(start + 4);
    if (start + length > body.length) break;
    const headers: Record<string, string> = {};
    for (let here = start + 12; here < headersEnd; ) {
      const nameEnd = here + 1 + body.readUInt8(here);
      const name = body.toString('utf8', here + 1, nameEnd);
      const valueLength = body.readUInt16BE(nameEnd + 1);
      headers[name] = body.toString('utf8', nameEnd + 3, nameEnd + 3 + valueLength);
      here = nameEnd + 3 + valueLength;
    }
    found.push({ headers, payload: parsed(body.toString('utf8', headersEnd, start + length - 4)) });
    start += length;
  }
  return found;
}

/** Blocks of a stream are put together first, and then read as those of a whole answer. */
function readStream(reading: Reading, body: Buffer): void {
  const blocks: StreamedBlock[] = [];
  for (const { headers, payload } of frames(body)) {
    const type = headers[':event-type'];
    if (headers[':message-type'] !== 'event') {
      reading.error ??= payload ?? { message: headers[':error-message'] };
      reading.errorKind = headers[':exception-type'] ?? headers[':error-code'] ?? '';
      break;
    }
    const index = numberAt(payload, 'contentBlockIndex') ?? 0;
    if (type === 'messageStart') reading.recognised = true;
    if (type === 'contentBlockStart')
      blocks[index] = { start: at(payload, 'start'), text: '', thought: '', json: '' };
    if (type === 'contentBlockDelta') {
      blocks[index] ??= { start: undefined, text: '', thought: '', json: '' };
      blocks[index].text += textAt(payload, 'delta', 'text') ?? '';
      blocks[index].thought += textAt(payload, 'delta', 'reasoningContent', 'text') ?? '';
      blocks[index].json += textAt(payload, 'delta', 'toolUse', 'input') ?? '';
    }
    if (type === 'messageStop') reading.finish = textAt(payload, 'stopReason') ?? reading.finish!;
    if (type === 'metadata') readUsage(reading, at(payload, 'usage'));
  }
  for (const block of blocks) if (block) readStreamedBlock(reading, block);
}

interface StreamedBlock {
  readonly start: unknown;
  text: string;
  thought: string;
  json: string;
}

function readStreamedBlock(reading: Reading, block: StreamedBlock): void {
  if (block.text) reading.text.push(block.text);
  if (block.thought) reading.reasoning.push(block.thought);
  const use = at(block.start, 'toolUse');
  if (use !== undefined) readToolUse(reading, use, block.json);
}

function readBlock(reading: Reading, block: unknown): void {
  const text =
    textAt(block, 'text') ??
    listAt(block, 'citationsContent', 'content')
      .map((part) => textAt(part, 'text') ?? '')
      .join('');
  if (text) reading.text.push(text);
  const thought = textAt(block, 'reasoningContent', 'reasoningText', 'text');
  if (thought) reading.reasoning.push(thought);
  const use = at(block, 'toolUse');
  if (use !== undefined) readToolUse(reading, use, '');
}

/** A tool that the model's own side ran is no call for the client. */
function readToolUse(reading: Reading, use: unknown, argumentsText: string): void {
  if (textAt(use, 'type') === 'server_tool_use') return;
  reading.calls.push({
    id: textAt(use, 'toolUseId') ?? '',
    name: textAt(use, 'name') ?? '',
    argumentsText,
    ...(argumentsText === '' ? { argumentsValue: at(use, 'input') ?? {} } : {}),
  });
}

function readUsage(reading: Reading, usage: unknown): void {
  const found = normalisedUsage({
    input: numberAt(usage, 'inputTokens'),
    output: numberAt(usage, 'outputTokens'),
    cacheRead: numberAt(usage, 'cacheReadInputTokens') ?? numberAt(usage, 'cacheReadInputTokenCount'),
    cacheWrite: numberAt(usage, 'cacheWriteInputTokens') ?? numberAt(usage, 'cacheWriteInputTokenCount'),
    cacheIsPartOfInput: false,
    reasoningIsPartOfOutput: true,
  });
  if (!found) return;
  reading.usage = found;
  const total = numberAt(usage, 'totalTokens');
  if (total !== undefined) reading.total = total;
}
