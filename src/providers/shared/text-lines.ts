// Owns the cutting of a byte stream into lines: incremental UTF-8, with ends `\n`, `\r\n` and `\r`, wherever the reads were cut.
import { isAscii } from 'node:buffer';
import { ProviderError } from '../../kernel/errors.ts';

const LINE_FEED = 10;
const LAST_ASCII = 127;
const BYTE_ORDER_MARK = '\uFEFF';
const DEFAULT_MAX_CHARS = 16 * 1024 * 1024;

export class TextLines {
  readonly #maxChars: number;
  /** Keeps the first bytes of a character that a read has cut. */
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #isCut = false;
  #begun = false;
  /** The beginning of a line whose end has not arrived. Only new text is searched for an end, so a long line is not searched again and again. */
  #rest = '';
  #afterCarriageReturn = false;

  constructor(maxChars = DEFAULT_MAX_CHARS) {
    this.#maxChars = maxChars;
  }

  /** The lines that these bytes complete, without their ends. */
  push(bytes: Uint8Array): string[] {
    const text = this.#textOf(bytes);
    if (this.#begun || text === '') return this.#cut(text);
    this.#begun = true;
    return this.#cut(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
  }

  /** The lines that are left at the end of the stream. */
  end(): string[] {
    const lines = this.#cut(this.#decoder.decode());
    if (this.#rest !== '') lines.push(this.#rest);
    this.#rest = '';
    return lines;
  }

  /** Most of what providers send is ASCII, which needs no decoder. */
  #textOf(bytes: Uint8Array): string {
    if (!this.#isCut && isAscii(bytes)) {
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    }
    const last = bytes.at(-1);
    if (last !== undefined) this.#isCut = last > LAST_ASCII;
    return this.#decoder.decode(bytes, { stream: true });
  }

  #cut(text: string): string[] {
    const lines: string[] = [];
    if (text === '') return lines;
    let start = this.#afterCarriageReturn && text.charCodeAt(0) === LINE_FEED ? 1 : 0;
    this.#afterCarriageReturn = false;
    let feed = text.indexOf('\n', start);
    let carriage = text.indexOf('\r', start);
    while (feed >= 0 || carriage >= 0) {
      const byCarriage = carriage >= 0 && (feed < 0 || carriage < feed);
      const end = byCarriage ? carriage : feed;
      lines.push(this.#rest === '' ? text.slice(start, end) : this.#rest + text.slice(start, end));
      this.#rest = '';
      start = byCarriage && feed === end + 1 ? end + 2 : end + 1;
      this.#afterCarriageReturn = byCarriage && start === text.length && feed !== end + 1;
      if (feed >= 0 && feed < start) feed = text.indexOf('\n', start);
      if (carriage >= 0 && carriage < start) carriage = text.indexOf('\r', start);
    }
    if (start < text.length) this.#rest += text.slice(start);
    if (this.#rest.length > this.#maxChars) throw tooLong(this.#maxChars);
    return lines;
  }
}

export function tooLong(maxChars: number): ProviderError {
  return new ProviderError(
    'PROVIDER_PROTOCOL',
    `The provider sent an event of more than ${maxChars} characters.`,
    {
      phase: 'stream',
    },
  );
}
