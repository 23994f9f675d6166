// Owns the shortcut past the JSON of a stream's chunks: most equal one another in everything but one text.
import { type JsonValue, parseJson } from '../../kernel/json.ts';

const PROBE = 'another text';
/** How many chunks of a stream are tried as the model of those that follow. */
const MAX_TRIES = 16;

export class RepeatedChunk {
  readonly #textIn: (chunk: JsonValue | undefined) => unknown;
  #head = '';
  #tail = '';
  #tries = 0;

  /** `textIn` gives the text of a chunk that says nothing else, and `undefined` for any other. */
  constructor(textIn: (chunk: JsonValue | undefined) => unknown) {
    this.#textIn = textIn;
  }

  /** Takes a chunk as the model of those that follow; false where another text cannot be put in the place of its own. */
  learn(data: string, chunk: JsonValue): boolean {
    if (this.#tries === MAX_TRIES) return false;
    const text = this.#textIn(chunk);
    if (typeof text !== 'string') return false;
    this.#tries += 1;
    const literal = JSON.stringify(text);
    const at = data.lastIndexOf(literal);
    const head = data.slice(0, Math.max(at, 0));
    const tail = data.slice(at + literal.length);
    if (at < 0 || this.#textIn(parseJson(head + JSON.stringify(PROBE) + tail)) !== PROBE) return false;
    this.#head = head;
    this.#tail = tail;
    return true;
  }

  /** The text of a chunk that has the same JSON around it. A string's place in JSON can be taken by any other: nothing else can differ. */
  textOf(data: string): string | undefined {
    const start = this.#head.length;
    const end = data.length - this.#tail.length;
    // Slices are views, and comparing them is the fastest way to compare at a place.
    if (start === 0 || end <= start || data.slice(end) !== this.#tail || data.slice(0, start) !== this.#head)
      return undefined;
    // Not JSON, if it is more than one text. And a text of its own: a slice would keep the whole read in memory.
    const text = parseJson(data.slice(start, end));
    return typeof text === 'string' ? text : undefined;
  }
}
