// Owns how messages become Gemini's contents: turns of user and model, results in the order of their calls, signatures in their places.
import { ProviderError } from '../../kernel/errors.ts';
import { isJsonObject, type JsonObject, parseJson } from '../../kernel/json.ts';
import type { Message, MessagePart, ToolCall } from '../contract/completions.ts';
import { argumentsObject } from '../shared/assistant-blocks.ts';
import { joinedText } from '../shared/joined-text.ts';
import { type ContinuationStep, readContinuation } from './continuation.ts';
import { encodeImage } from './encode-media.ts';
import type { GeminiQuirks } from './quirks.ts';
import type { GeminiContent } from './wire.ts';

/** Google's own word for a call that another model made: https://ai.google.dev/gemini-api/docs/thought-signatures */
const FOREIGN_SIGNATURE = 'skip_thought_signature_validator';

/** A call whose result is awaited, with its id if Gemini gave it one. */
interface OpenCall {
  readonly call: ToolCall;
  readonly wireId: string | undefined;
}

export function encodeSystem(messages: readonly Message[]): JsonObject {
  const parts = messages
    .filter(({ role }) => role === 'system')
    .flatMap((message) => textsOf(message.parts).map((text) => ({ text })));
  // Contents may not be empty, so instructions without a conversation are sent as a user's message.
  return parts.length > 0 && hasConversation(messages) ? { systemInstruction: { parts } } : {};
}

export function encodeContents(messages: readonly Message[], quirks: GeminiQuirks): JsonObject[] {
  const contents: GeminiContent[] = [];
  let open: OpenCall[] = [];
  const onlySystem = !hasConversation(messages);
  for (let at = 0; at < messages.length; at += 1) {
    const message = messages[at];
    if (!message) continue;
    if (message.role === 'tool') {
      const results = takeResults(messages, at);
      contents.push({ role: 'user', parts: encodeResults(results, open, quirks) });
      at += results.length - 1;
    } else if (message.role === 'assistant') {
      const answer = encodeAnswer(message, quirks);
      open = answer.open;
      contents.push({ role: 'model', parts: answer.parts });
    } else if (message.role === 'user' || onlySystem) {
      contents.push({ role: 'user', parts: message.parts.flatMap((part) => encodePart(part, quirks)) });
    }
  }
  return contents.filter(({ parts }) => parts.length > 0).map((content) => ({ ...content }));
}

function hasConversation(messages: readonly Message[]): boolean {
  return messages.some(({ role }) => role !== 'system');
}

function encodePart(part: MessagePart, quirks: GeminiQuirks): JsonObject[] {
  if (part.type === 'text') return part.text === '' ? [] : [{ text: part.text }];
  return 'url' in part.image && !quirks.imageUrls ? [] : [encodeImage(part.image)];
}

/** The consecutive results from `at` on: Gemini requires those of one turn in one content. */
function takeResults(messages: readonly Message[], at: number): Message[] {
  const end = messages.findIndex(({ role }, index) => index > at && role !== 'tool');
  return messages.slice(at, end < 0 ? undefined : end);
}

/** Results in the order of the calls, since that order pairs them if Gemini gave no ids. */
function encodeResults(
  results: readonly Message[],
  open: readonly OpenCall[],
  quirks: GeminiQuirks,
): JsonObject[] {
  return results
    .map((message) => {
      const place = open.findIndex(({ call }) => call.callId === message.toolCallId);
      const answered = open[place];
      if (!answered) {
        throw new ProviderError(
          'PROVIDER_INVALID_REQUEST',
          `The tool result ${message.toolCallId ?? ''} answers no call of the message before it.`,
        );
      }
      return { place, part: encodeResult(message, answered, quirks) };
    })
    .sort((a, b) => a.place - b.place)
    .map(({ part }) => part);
}

function encodeResult(message: Message, { call, wireId }: OpenCall, quirks: GeminiQuirks): JsonObject {
  const text = joinedText(message.parts);
  const images = quirks.toolResultImages
    ? message.parts.filter(({ type }) => type === 'image').flatMap((part) => encodePart(part, quirks))
    : [];
  return {
    functionResponse: {
      ...(wireId === undefined ? {} : { id: wireId }),
      name: call.name,
      response: responseOf(text),
      ...(images.length > 0 ? { parts: images } : {}),
    },
  };
}

/** A response must be an object; `output` is the key under which Gemini reads any other value. */
function responseOf(text: string): JsonObject {
  const value = parseJson(text);
  if (isJsonObject(value)) return value;
  return { output: Array.isArray(value) ? value : text };
}

function encodeAnswer(message: Message, quirks: GeminiQuirks): { parts: JsonObject[]; open: OpenCall[] } {
  const steps = readContinuation(message.continuation);
  if (steps && fits(steps, message)) return replayAnswer(message, steps);
  return {
    parts: [
      ...message.parts.flatMap((part) => encodePart(part, quirks)),
      ...message.toolCalls.map((call, index) => ({
        functionCall: { name: call.name, args: argumentsObject(call) },
        // Of parallel calls only the first has a signature.
        ...(index === 0 && quirks.thoughtSignatures === 'required'
          ? { thoughtSignature: FOREIGN_SIGNATURE }
          : {}),
      })),
    ],
    open: message.toolCalls.map((call) => ({ call, wireId: undefined })),
  };
}

/** True if the message is still the one that the answer became. */
function fits(steps: readonly ContinuationStep[], message: Message): boolean {
  const calls = steps.filter(({ kind }) => kind === 'call').length;
  const length = steps.reduce((sum, step) => sum + (step.kind === 'text' ? step.length : 0), 0);
  return calls === message.toolCalls.length && length === textsOf(message.parts).join('').length;
}

/** The parts of the original answer, each with its own signature. */
function replayAnswer(
  message: Message,
  steps: readonly ContinuationStep[],
): { parts: JsonObject[]; open: OpenCall[] } {
  const text = textsOf(message.parts).join('');
  const calls = message.toolCalls[Symbol.iterator]();
  const open: OpenCall[] = [];
  const parts: JsonObject[] = [];
  let at = 0;
  for (const step of steps) {
    if (step.kind === 'part') parts.push(step.part as JsonObject);
    else if (step.kind === 'thought') parts.push({ text: step.text, thought: true, ...signed(step) });
    else if (step.kind === 'text') {
      parts.push({ text: text.slice(at, at + step.length), ...signed(step) });
      at += step.length;
    } else {
      const call = calls.next().value;
      if (!call) continue;
      open.push({ call, wireId: step.id });
      parts.push({
        functionCall: {
          ...(step.id === undefined ? {} : { id: step.id }),
          name: call.name,
          args: argumentsObject(call),
        },
        ...signed(step),
      });
    }
  }
  return { parts, open };
}

function signed({ signature }: { readonly signature?: string | undefined }): JsonObject {
  return signature === undefined ? {} : { thoughtSignature: signature };
}

function textsOf(parts: readonly MessagePart[]): string[] {
  return parts.flatMap((part) => (part.type === 'text' && part.text !== '' ? [part.text] : []));
}
