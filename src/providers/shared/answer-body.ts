// Owns the body of a streamed answer between HTTP and decoder: a look at its first byte, and a kind end that keeps the connection.

import type { UpstreamResponse } from '../contract/adapter.ts';
import { readText } from '../http/body-text.ts';

type Chunk = IteratorResult<Uint8Array, undefined>;

const WHITESPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);
const END: Chunk = { done: true, value: undefined };
/** What a server may still send after its last event before the connection is given up. */
const DRAIN_MS = 1000;
const DRAIN_BYTES = 64 * 1024;

export class AnswerBody implements AsyncIterable<Uint8Array> {
  /** Set when the protocol's own end was read: leaving the loop then reads on to the end of the HTTP body, so that the connection can be used again. */
  complete = false;
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #peeked: Uint8Array[] = [];

  constructor(response: Pick<UpstreamResponse, 'body'>) {
    this.#source = response.body[Symbol.asyncIterator]();
  }

  /** The first byte that is not white space; `undefined` if there is none. It tells JSON and HTML from events, whatever the content type says. */
  async firstByte(): Promise<number | undefined> {
    for (;;) {
      const { done, value } = await this.#source.next();
      if (done) return undefined;
      this.#peeked.push(value);
      const byte = value.find((candidate) => !WHITESPACE.has(candidate));
      if (byte !== undefined) return byte;
    }
  }

  /** The whole body as text, cut at `limitBytes`. */
  text(limitBytes: number): Promise<string> {
    return readText(this, limitBytes);
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: async () => {
        const value = this.#peeked.shift();
        if (value) return { done: false, value };
        const chunk = await this.#source.next();
        return chunk.done ? END : chunk;
      },
      return: async () => {
        if (this.complete) void this.#drain();
        else await this.#source.return?.();
        return END;
      },
    };
  }

  /** Beside the caller, who is not kept waiting; an abort ends it too. */
  async #drain(): Promise<void> {
    const timer = setTimeout(() => void this.#source.return?.(), DRAIN_MS).unref();
    try {
      for (let bytes = 0; bytes < DRAIN_BYTES; ) {
        const { done, value } = await this.#source.next();
        if (done) return;
        bytes += value.byteLength;
      }
      await this.#source.return?.();
    } catch {
      // The answer is complete already; what breaks behind it concerns nobody.
    } finally {
      clearTimeout(timer);
    }
  }
}
