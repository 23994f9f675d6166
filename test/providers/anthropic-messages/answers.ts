// Owns hand-made bytes in the true format of Messages streams: an event name and padded data for each event.
import type { Reply } from '../../support/fake-upstream.ts';

type Event = { readonly type: string; readonly [name: string]: unknown };

/** Anthropic pads the data with spaces before the last brace. */
export function eventText(event: Event): string {
  const json = JSON.stringify(event);
  return `event: ${event.type}\ndata: ${json.slice(0, -1)}${' '.repeat(json.length % 7)}}\n\n`;
}

export function streamText(events: readonly Event[]): string {
  return events.map(eventText).join('');
}

export function streamReply(events: readonly Event[], over: Partial<Reply> = {}): Reply {
  return {
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'request-id': 'req_own' },
    body: streamText(events),
    ...over,
  };
}

export function jsonReply(body: unknown, over: Partial<Reply> = {}): Reply {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), ...over };
}

export const START: Event = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-test-1',
    content: [],
    stop_reason: null,
    usage: {
      input_tokens: 10,
      cache_creation_input_tokens: 5,
      cache_read_input_tokens: 7,
      cache_creation: { ephemeral_5m_input_tokens: 5 },
      output_tokens: 1,
    },
  },
};
export const STOP: Event = { type: 'message_stop' };
export const PING: Event = { type: 'ping' };

export function blockEvents(index: number, block: object, deltas: readonly object[]): Event[] {
  return [
    { type: 'content_block_start', index, content_block: block },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ];
}

export function textEvents(index: number, ...texts: string[]): Event[] {
  const deltas = texts.map((text) => ({ type: 'text_delta', text }));
  return blockEvents(index, { type: 'text', text: '' }, deltas);
}

export function thinkingEvents(index: number, thinking: string, signature: string): Event[] {
  return blockEvents(index, { type: 'thinking', thinking: '', signature: '' }, [
    { type: 'thinking_delta', thinking },
    { type: 'signature_delta', signature },
  ]);
}

export function toolEvents(index: number, id: string, name: string, ...pieces: string[]): Event[] {
  return blockEvents(
    index,
    { type: 'tool_use', id, name, input: {}, caller: { type: 'direct' } },
    ['', ...pieces].map((partial_json) => ({ type: 'input_json_delta', partial_json })),
  );
}

export function ending(
  stop_reason: string | null,
  usage: object = { output_tokens: 9 },
  more: object = {},
): Event {
  return { type: 'message_delta', delta: { stop_reason, stop_sequence: null, ...more }, usage };
}
