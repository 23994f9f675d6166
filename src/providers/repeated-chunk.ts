// Owns the shortcut past the JSON of a stream's chunks: most equal one another in everything but one text.
import { type JsonValue, parseJson } from '../kernel/json.ts';

const QUOTE = 34;
const BACKSLASH = 92;
const SPACE = 32;
const PROBE = 'another text';

export class RepeatedChunk {
  readonly #head: string;
  readonly #tail: string;

  private constructor(head: string, tail: string) {
    this.#head = head;
    this.#tail = tail;
  }

  /** By a chunk as it came, the text in it, and how that text is found: `undefined` where another text cannot be put in its place. */
  static of(
    data: string,
    text: string,
    textIn: (chunk: JsonValue | undefined) => unknown,
  ): RepeatedChunk | undefined {
    if (text === '' || !isPlain(text, 0, text.length)) return undefined;
    const at = data.lastIndexOf(`"${text}"`);
    if (at < 0) return undefined;
    const head = data.slice(0, at + 1);
    const tail = data.slice(at + 1 + text.length);
    return textIn(parseJson(head + PROBE + tail)) === PROBE ? new RepeatedChunk(head, tail) : undefined;
  }

  /** The text of a chunk that has the same JSON around it. A string's place in JSON can be taken by any other: nothing else can differ. */
  textOf(data: string): string | undefined {
    const start = this.#head.length;
    const end = data.length - this.#tail.length;
    // Slices are views, and comparing them is the fastest way to compare at a place.
    if (end <= start || data.slice(end) !== this.#tail || data.slice(0, start) !== this.#head)
      return undefined;
    return isPlain(data, start, end) ? data.slice(start, end) : undefined;
  }
}

/** Whether nothing there ends or escapes a string in JSON, or may not be in one. */
function isPlain(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE || code === BACKSLASH || code < SPACE) return false;
  }
  return true;
}
