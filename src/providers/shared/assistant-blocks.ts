// Owns the order of an assistant message's blocks: a continuation notes it, so that signed and encrypted blocks go back unmodified and in place.
import { z } from 'zod';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../../kernel/json.ts';
import type { Message, ToolCall } from '../contract/completions.ts';

const noteSchema = z.discriminatedUnion('kind', [
  /** The next `length` UTF-16 units of the message's text, with further data of that block (citations). */
  z.object({
    kind: z.literal('text'),
    length: z.int().min(0),
    extra: z.custom<JsonObject>(isJsonObject).optional(),
  }),
  z.object({ kind: z.literal('call'), callId: z.string() }),
  /** A block that only the provider can read, verbatim. */
  z.object({ kind: z.literal('opaque'), block: z.custom<JsonObject>(isJsonObject) }),
]);

const continuationSchema = z.object({ blocks: z.array(noteSchema) });

export type BlockNote = z.output<typeof noteSchema>;

/** The notes that `finish` gave earlier; `undefined` if the value has another form. */
export function readBlockNotes(continuation: JsonValue | undefined): readonly BlockNote[] | undefined {
  const result = continuationSchema.safeParse(continuation);
  return result.success ? result.data.blocks : undefined;
}

/** `undefined` if the message alone holds everything. */
export function continuationOf(notes: readonly BlockNote[]): JsonValue | undefined {
  const needed = notes.some((note) => note.kind === 'opaque' || (note.kind === 'text' && note.extra));
  return needed ? ({ blocks: notes } as unknown as JsonValue) : undefined;
}

export type AssistantBlock =
  | { readonly kind: 'text'; readonly text: string; readonly cacheHint: boolean; readonly extra?: JsonObject }
  | { readonly kind: 'call'; readonly call: ToolCall }
  | { readonly kind: 'opaque'; readonly block: JsonObject };

/** The message's text and calls with the opaque blocks between them; content that the notes do not name comes last. */
export function assistantBlocks(message: Message, notes: readonly BlockNote[] = []): AssistantBlock[] {
  const opaqueOnly = notes.filter((note) => note.kind === 'opaque');
  const text = message.parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
  const noted = notes.reduce((sum, note) => sum + (note.kind === 'text' ? note.length : 0), 0);
  // A text that the caller changed no longer fits the notes, so its places are unknown: before the calls, after the reasoning.
  return noted === text.length ? placed(message, notes, text) : placed(message, opaqueOnly, text);
}

function placed(message: Message, notes: readonly BlockNote[], text: string): AssistantBlock[] {
  const blocks: AssistantBlock[] = [];
  const hinted = message.parts.some((part) => part.cacheHint);
  const calls = new Map(message.toolCalls.map((call) => [call.callId, call]));
  let at = 0;
  for (const note of notes) {
    if (note.kind === 'opaque') blocks.push(note);
    else if (note.kind === 'text') {
      const piece = text.slice(at, at + note.length);
      at += note.length;
      const cacheHint = hinted && at === text.length;
      blocks.push({ kind: 'text', text: piece, cacheHint, ...(note.extra ? { extra: note.extra } : {}) });
    } else {
      const call = calls.get(note.callId);
      if (call) blocks.push({ kind: 'call', call });
      calls.delete(note.callId);
    }
  }
  if (at < text.length) blocks.push(...textBlocks(message));
  for (const call of calls.values()) blocks.push({ kind: 'call', call });
  return blocks;
}

function textBlocks(message: Message): AssistantBlock[] {
  return message.parts.flatMap((part) =>
    part.type === 'text' ? [{ kind: 'text', text: part.text, cacheHint: part.cacheHint === true }] : [],
  );
}

/** The arguments as the object that the API requires. Broken JSON of a model is put into an object as text, so that the model can see it. */
export function argumentsObject({ argumentsText }: ToolCall): JsonObject {
  if (argumentsText.trim() === '') return {};
  const parsed = parseJson(argumentsText);
  return isJsonObject(parsed) ? parsed : { malformedArguments: argumentsText };
}
