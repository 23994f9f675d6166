// Owns the reading of server-sent events: one array for each read that completed at least one event.
import { TextLines, tooLong } from './text-lines.ts';

export interface ServerSentEvent {
  readonly event?: string;
  readonly data: string;
  /** Text of the non-standard field `error`, in which llama.cpp servers report a fault within a stream. */
  readonly errorField?: string;
}

const DEFAULT_MAX_CHARS = 16 * 1024 * 1024;
const COLON = 58;
const SPACE = 32;

export async function* readServerSentEvents(
  body: AsyncIterable<Uint8Array>,
  maxChars = DEFAULT_MAX_CHARS,
): AsyncIterable<ServerSentEvent[]> {
  const lines = new TextLines(maxChars);
  const assembly = new EventAssembly(maxChars);
  for await (const bytes of body) {
    const events = assembly.push(lines.push(bytes));
    if (events.length > 0) yield events;
  }
  // Several servers leave out the blank line after their last event.
  const last = assembly.push([...lines.end(), '']);
  if (last.length > 0) yield last;
}

/** Gathers lines into events, as https://html.spec.whatwg.org/multipage/server-sent-events.html has it. */
class EventAssembly {
  readonly #maxChars: number;
  #event: string | undefined;
  #data: string | undefined;
  #error: string | undefined;

  constructor(maxChars: number) {
    this.#maxChars = maxChars;
  }

  push(lines: readonly string[]): ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    for (const line of lines) {
      if (line === '') this.#complete(events);
      else this.#field(line);
    }
    return events;
  }

  #complete(events: ServerSentEvent[]): void {
    if (this.#data !== undefined || this.#error !== undefined) {
      events.push({
        data: this.#data ?? '',
        ...(this.#event === undefined ? {} : { event: this.#event }),
        ...(this.#error === undefined ? {} : { errorField: this.#error }),
      });
    }
    this.#event = this.#data = this.#error = undefined;
  }

  #field(line: string): void {
    if (line.startsWith('data:')) {
      const value = valueAfter(line, 4);
      this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
      if (this.#data.length > this.#maxChars) throw tooLong(this.#maxChars);
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : valueAfter(line, colon);
    if (name === 'event') this.#event = value;
    else if (name === 'error') this.#error = value;
    else if (name === 'data') this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
  }
}

function valueAfter(line: string, colon: number): string {
  const start =
    line.charCodeAt(colon) === COLON && line.charCodeAt(colon + 1) === SPACE ? colon + 2 : colon + 1;
  return line.slice(start);
}
