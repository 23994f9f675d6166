// Owns the plain splitting of a whole recorded body into its JSON values: one document, server-sent events, or lines.
import { parsed } from '../walk.ts';

export interface PlainEvent {
  readonly event: string;
  readonly data: string;
  /** `data` as JSON; `undefined` if it is none. */
  readonly value: unknown;
}

export function wholeText(body: Buffer): string {
  return body.toString('utf8').replace(/^\uFEFF/, '');
}

/** The body as one JSON document, if it is one. */
export function asDocument(body: Buffer): unknown {
  return parsed(wholeText(body));
}

/**
 * Server-sent events of a whole body. A field named `error` counts as an event of that name, as llama.cpp writes it; text that is
 * no field at all is kept as an event named `raw`, since some servers break off with bare JSON.
 */
export function serverSentEvents(body: Buffer): PlainEvent[] {
  const blocks = wholeText(body).replace(/\r\n?/g, '\n').split(/\n\n+/);
  const events: PlainEvent[] = [];
  for (const block of blocks) {
    if (/^\s*[[{]/.test(block)) {
      events.push({ event: 'raw', data: block, value: parsed(block) });
      continue;
    }
    let event = '';
    const data: string[] = [];
    for (const line of block.split('\n')) {
      const field = /^(event|data|error): ?(.*)$/.exec(line);
      if (field?.[1] === 'event') event = field[2]!;
      if (field?.[1] === 'data') data.push(field[2]!);
      if (field?.[1] === 'error') {
        event = 'error';
        data.push(field[2]!);
      }
    }
    const text = data.join('\n');
    if (data.length > 0 || event) events.push({ event, data: text, value: parsed(text) });
  }
  return events;
}

export function jsonLines(body: Buffer): unknown[] {
  return wholeText(body)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parsed);
}
