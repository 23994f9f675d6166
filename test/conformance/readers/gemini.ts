// Owns the plain reading of Gemini answers, from Google AI and from Vertex.
import { type CallReading, emptyReading, normalisedUsage, type Reading } from '../reading.ts';
import { at, listAt, numberAt, textAt } from '../walk.ts';
import { asDocument, serverSentEvents } from './split.ts';

export function readGemini(body: Buffer): Reading {
  const reading = emptyReading();
  const document = asDocument(body);
  const pieces =
    document === undefined ? serverSentEvents(body).map(({ value }) => value) : [document].flat();
  for (const piece of pieces) {
    if (at(piece, 'error') !== undefined) reading.error ??= piece;
    readPiece(reading, piece);
  }
  return reading;
}

function readPiece(reading: Reading, piece: unknown): void {
  if (at(piece, 'candidates') !== undefined || at(piece, 'usageMetadata') !== undefined)
    reading.recognised = true;
  const blocked = textAt(piece, 'promptFeedback', 'blockReason');
  if (blocked) {
    reading.recognised = true;
    reading.finish = blocked;
    reading.errorKind = 'blocked-prompt';
  }
  const candidate = listAt(piece, 'candidates').find((entry) => (numberAt(entry, 'index') ?? 0) === 0);
  for (const part of listAt(candidate, 'content', 'parts')) readPart(reading, part);
  const finish = textAt(candidate, 'finishReason');
  if (finish) reading.finish = finish;
  readUsage(reading, at(piece, 'usageMetadata'));
}

function readPart(reading: Reading, part: unknown): void {
  const text = textAt(part, 'text');
  if (text !== undefined) (at(part, 'thought') === true ? reading.reasoning : reading.text).push(text);
  const call = at(part, 'functionCall');
  if (call === undefined) return;
  const name = textAt(call, 'name');
  const open = reading.calls.findLast((one) => (one as OpenCall).open) as OpenCall | undefined;
  const target: OpenCall = !name && open ? open : { name: name ?? '', argumentsText: '', argumentsValue: {} };
  if (target !== open) reading.calls.push(target);
  const id = textAt(call, 'id');
  if (id) target.id ??= id;
  if (at(call, 'args') !== undefined) target.argumentsValue = at(call, 'args');
  for (const piece of listAt(call, 'partialArgs')) addPartialArgument(target, piece);
  target.open = at(call, 'willContinue') === true;
}

interface OpenCall extends CallReading {
  open?: boolean;
}

/** Vertex may stream arguments as values at JSON paths such as `$.places[0].name`; text comes in pieces. */
function addPartialArgument(call: OpenCall, piece: unknown): void {
  const steps = (textAt(piece, 'jsonPath') ?? '$').match(/[^.$[\]'"]+/g) ?? [];
  const last = steps.at(-1);
  if (last === undefined) return;
  let here = call.argumentsValue as Record<string, unknown>;
  for (const [position, step] of steps.slice(0, -1).entries()) {
    here[step] ??= /^\d+$/.test(steps[position + 1]!) ? [] : {};
    here = here[step] as Record<string, unknown>;
  }
  const text = textAt(piece, 'stringValue');
  if (text !== undefined) here[last] = `${here[last] ?? ''}${text}`;
  else if (at(piece, 'numberValue') !== undefined) here[last] = at(piece, 'numberValue');
  else if (at(piece, 'boolValue') !== undefined) here[last] = at(piece, 'boolValue');
  else if (typeof piece === 'object' && piece !== null && 'nullValue' in piece) here[last] = null;
}

function readUsage(reading: Reading, usage: unknown): void {
  if (numberAt(usage, 'promptTokenCount') === undefined && numberAt(usage, 'totalTokenCount') === undefined)
    return;
  const prompt =
    (numberAt(usage, 'promptTokenCount') ?? 0) + (numberAt(usage, 'toolUsePromptTokenCount') ?? 0);
  const found = normalisedUsage({
    input: prompt,
    output: numberAt(usage, 'candidatesTokenCount') ?? 0,
    cacheRead: numberAt(usage, 'cachedContentTokenCount'),
    reasoning: numberAt(usage, 'thoughtsTokenCount'),
    cacheIsPartOfInput: true,
    reasoningIsPartOfOutput: false,
  });
  if (!found) return;
  reading.usage = found;
  const total = numberAt(usage, 'totalTokenCount');
  if (total !== undefined) reading.total = total;
}
