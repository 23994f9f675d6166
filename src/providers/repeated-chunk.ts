// Owns the shortcut past the JSON of a stream's chunks: most equal one another in everything but one text.
import { type JsonValue, parseJson } from '../kernel/json.ts';

/** What ends or escapes a string in JSON, or may not be in one. */
const NOT_PLAIN = /["\\\p{Cc}]/u;
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
    if (text === '' || NOT_PLAIN.test(text)) return undefined;
    const at = data.lastIndexOf(`"${text}"`);
    if (at < 0) return undefined;
    const head = data.slice(0, at + 1);
    const tail = data.slice(at + 1 + text.length);
    return textIn(parseJson(head + PROBE + tail)) === PROBE ? new RepeatedChunk(head, tail) : undefined;
  }

  /** The text of a chunk that has the same JSON around it. A string's place in JSON can be taken by any other: nothing else can differ. */
  textOf(data: string): string | undefined {
    const end = data.length - this.#tail.length;
    if (end <= this.#head.length || !data.startsWith(this.#head) || !data.endsWith(this.#tail))
      return undefined;
    const text = data.slice(this.#head.length, end);
    return NOT_PLAIN.test(text) ? undefined : text;
  }
}
