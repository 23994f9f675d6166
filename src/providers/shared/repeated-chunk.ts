// Owns a shortcut that avoids parsing the JSON of a stream's chunks: most of them differ from each other in one text only.
import { type JsonValue, parseJson } from '../../kernel/json.ts';

const PROBE = 'another text';
/** How many chunks of a stream are tried as the pattern for those that follow. */
const MAX_TRIES = 16;

export class RepeatedChunk {
  readonly #textIn: (chunk: JsonValue | undefined) => unknown;
  #head = '';
  #tail = '';
  #tries = 0;

  /** `textIn` gives the text of a chunk that holds nothing else, and `undefined` for any other chunk. */
  constructor(textIn: (chunk: JsonValue | undefined) => unknown) {
    this.#textIn = textIn;
  }

  /** Takes a chunk as the pattern for those that follow; false if its text cannot be replaced in it. */
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

  /** The text of a chunk that has the same JSON around it. In that place only a string can stand, so nothing else can differ. */
  textOf(data: string): string | undefined {
    const start = this.#head.length;
    const end = data.length - this.#tail.length;
    // Slices are views without a copy, which makes this the fastest way to compare at a position.
    if (start === 0 || end <= start || data.slice(end) !== this.#tail || data.slice(0, start) !== this.#head)
      return undefined;
    // If more than the text differs, this is not JSON. Parsing also copies the text: a slice would keep the whole read in memory.
    const text = parseJson(data.slice(start, end));
    return typeof text === 'string' ? text : undefined;
  }
}
