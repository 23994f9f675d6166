// Owns hand-made bytes in the true format of Bedrock's event streams: framed, with both checksums.
import { crc32 } from 'node:zlib';
import type { Reply } from '../../support/fake-upstream.ts';

export type Event = readonly [type: string, body: object];

/** https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html */
export function frame(headers: Readonly<Record<string, string>>, payload: string): Buffer {
  const head = Buffer.concat(Object.entries(headers).map(([name, value]) => textHeader(name, value)));
  const body = Buffer.from(payload);
  const prelude = Buffer.alloc(8);
  prelude.writeUInt32BE(16 + head.length + body.length, 0);
  prelude.writeUInt32BE(head.length, 4);
  const message = Buffer.concat([prelude, checksum(prelude), head, body]);
  return Buffer.concat([message, checksum(message)]);
}

function textHeader(name: string, value: string): Buffer {
  const nameBytes = Buffer.from(name);
  const valueBytes = Buffer.from(value);
  const length = Buffer.from([valueBytes.length >> 8, valueBytes.length & 0xff]);
  return Buffer.concat([Buffer.from([nameBytes.length]), nameBytes, Buffer.from([7]), length, valueBytes]);
}

function checksum(bytes: Uint8Array): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return sum;
}

/** Bedrock pads each payload with a field of random length. */
export function eventFrame([type, body]: Event): Buffer {
  const payload = JSON.stringify({ ...body, p: 'abcdefghijklm'.slice(0, type.length % 13) });
  return frame(
    { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' },
    payload,
  );
}

export function exceptionFrame(type: string, body: object): Buffer {
  return frame(
    { ':exception-type': type, ':content-type': 'application/json', ':message-type': 'exception' },
    JSON.stringify(body),
  );
}

export function streamReply(events: readonly Event[], over: Partial<Reply> = {}): Reply {
  return bytesReply(Buffer.concat(events.map(eventFrame)), over);
}

export function bytesReply(body: Uint8Array, over: Partial<Reply> = {}): Reply {
  return {
    headers: { 'content-type': 'application/vnd.amazon.eventstream', 'x-amzn-requestid': 'req-own' },
    body,
    ...over,
  };
}

export function jsonReply(body: unknown, over: Partial<Reply> = {}): Reply {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), ...over };
}

export const START: Event = ['messageStart', { role: 'assistant' }];

export function metadata(usage: object = { inputTokens: 4, outputTokens: 6, totalTokens: 10 }): Event {
  return ['metadata', { usage, metrics: { latencyMs: 5 } }];
}

export function stop(stopReason: string | null): Event {
  return ['messageStop', { stopReason }];
}

export function blockEvents(contentBlockIndex: number, deltas: readonly object[], start?: object): Event[] {
  return [
    ...(start ? [['contentBlockStart', { contentBlockIndex, start }] as const] : []),
    ...deltas.map((delta) => ['contentBlockDelta', { contentBlockIndex, delta }] as const),
    ['contentBlockStop', { contentBlockIndex }],
  ];
}

export function textEvents(index: number, ...texts: string[]): Event[] {
  return blockEvents(
    index,
    texts.map((text) => ({ text })),
  );
}

export function reasoningEvents(index: number, text: string, signature: string): Event[] {
  return blockEvents(index, [{ reasoningContent: { text } }, { reasoningContent: { signature } }]);
}

export function toolEvents(index: number, toolUseId: string, name: string, ...pieces: string[]): Event[] {
  return blockEvents(
    index,
    pieces.map((input) => ({ toolUse: { input } })),
    { toolUse: { toolUseId, name } },
  );
}
