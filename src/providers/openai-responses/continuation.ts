// Owns what a tool loop must send back with an assistant message: its reasoning items unmodified, in their place between text and calls.
import { z } from 'zod';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import type { Message } from '../contract/completions.ts';
import type { InputItem, WireItem } from './wire.ts';

/** Text and calls stand in the message itself, so only their place is stored. */
const placeSchema = z.union([
  z.strictObject({ text: z.int().min(0), phase: z.string().optional() }),
  z.strictObject({ call: z.string() }),
  z.strictObject({ item: z.custom<JsonObject>(isJsonObject) }),
]);

const continuationSchema = z.strictObject({ output: z.array(placeSchema) });

type Place = z.output<typeof placeSchema>;

/** `undefined` if the message itself holds everything. */
export function continuationOf(output: readonly WireItem[]): JsonValue | undefined {
  const places = output.map(placeOf).filter((place) => place !== undefined);
  const telling = places.some((place) => 'item' in place || ('text' in place && place.phase !== undefined));
  return telling ? ({ output: places } as JsonValue) : undefined;
}

function placeOf(item: WireItem): Place | undefined {
  switch (item.type) {
    case 'message':
      return { text: textOf(item).length, ...(item.phase ? { phase: item.phase } : {}) };
    case 'function_call':
      return { call: item.call_id ?? '' };
    case 'reasoning':
      // Without it the server would look for the item in its store, where nothing was kept.
      return item.encrypted_content ? { item: item as JsonObject } : undefined;
    default:
      // Calls of the provider's own tools are kept, because reasoning items have their places between them.
      return { item: item as JsonObject };
  }
}

export function textOf(item: WireItem): string {
  return (item.content ?? []).map((part) => part.text ?? part.refusal ?? '').join('');
}

/** The input items of an assistant message, in the order in which they were made as far as that is known. */
export function assistantItems(message: Message): InputItem[] {
  const texts = message.parts.flatMap((part) =>
    part.type === 'text' && part.text !== '' ? [part.text] : [],
  );
  // The places were counted in the running text of the answer.
  const text = texts.join('');
  const calls = new Map(message.toolCalls.map((call) => [call.callId, call]));
  const items: InputItem[] = [];
  const pushTexts = (pieces: readonly string[], phase?: string) => {
    if (pieces.some((piece) => piece !== '')) items.push(textItem(pieces, phase));
  };
  const pushCall = (callId: string) => {
    const call = calls.get(callId);
    if (!call) return;
    calls.delete(callId);
    items.push({
      type: 'function_call',
      call_id: callId,
      name: call.name,
      arguments: call.argumentsText || '{}',
    });
  };

  const places = placesOf(message);
  const length = places.reduce((sum, place) => sum + ('text' in place ? place.text : 0), 0);
  // A text that was edited since no longer fits the stored places, so it goes first.
  const fits = length === text.length;
  if (!fits) pushTexts(texts);
  let at = 0;
  for (const place of places) {
    if ('item' in place) items.push(place.item);
    else if ('call' in place) pushCall(place.call);
    else if (fits) {
      pushTexts([text.slice(at, at + place.text)], place.phase);
      at += place.text;
    }
  }
  for (const callId of [...calls.keys()]) pushCall(callId);
  return items;
}

function placesOf(message: Message): readonly Place[] {
  const result = continuationSchema.safeParse(message.continuation);
  return result.success ? result.data.output : [];
}

function textItem(texts: readonly string[], phase: string | undefined): InputItem {
  return {
    type: 'message',
    role: 'assistant',
    content: texts.map((text) => ({ type: 'output_text', text })),
    ...(phase === undefined ? {} : { phase }),
  };
}
