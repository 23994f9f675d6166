// Owns the body of an answer between HTTP and decoder: it finds the body's form by its first byte, bounds its size, and ends it so that the connection
// can be used again.

import { ProviderError } from '../../kernel/errors.ts';
import { parseJson } from '../../kernel/json.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import type { CallOptions } from '../contract/target.ts';
import { WholeAnswerGrace } from './whole-answer-grace.ts';

type Chunk = IteratorResult<Uint8Array, undefined>;
/** Events, frames or lines; JSON in one piece; a page of HTML or XML; nothing at all. */
export type BodyForm = 'stream' | 'json' | 'page' | 'empty';

const SPACES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);
const FORMS: ReadonlyMap<number, BodyForm> = new Map([
  [0x7b, 'json'],
  [0x5b, 'json'],
  [0x3c, 'page'],
]);
const CLOSING: ReadonlySet<number> = new Set([0x7d, 0x5d]);
const END: Chunk = { done: true, value: undefined };
/** How long a server may go on sending after its last event before the connection is closed. */
const DRAIN_MS = 1000;
const DRAIN_BYTES = 64 * 1024;
/** The longest answers take about a kilobyte of body for each of their 128,000 tokens. */
const MAX_STREAM_BYTES = 128 * 1024 * 1024;
const MAX_TEXT_BYTES = 64 * 1024 * 1024;

export class AnswerBody implements AsyncIterable<Uint8Array> {
  /** Set when the end of the protocol was read: leaving the loop then reads on to the end of the HTTP body, so that the connection can be used again. */
  complete = false;
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #onSign: CallOptions['onSign'];
  #peeked: Uint8Array | undefined;
  #bytes = 0;

  /** `onSign` is called for every read. */
  constructor(response: Pick<UpstreamResponse, 'body'>, { onSign }: Pick<CallOptions, 'onSign'> = {}) {
    this.#source = response.body[Symbol.asyncIterator]();
    this.#onSign = onSign;
  }

  /** The form, found by the first byte that is not white space, whatever the content type says. White space before it is dropped. */
  async form(): Promise<BodyForm> {
    for (;;) {
      const { done, value } = await this.#read();
      if (done) return 'empty';
      const start = value.findIndex((byte) => !SPACES.has(byte));
      if (start < 0) continue;
      this.#peeked = value.subarray(start);
      return FORMS.get(value[start] ?? 0) ?? 'stream';
    }
  }

  /** The whole body as text, cut at `limitBytes`. If the server breaks off after whole JSON, or never ends its answer, the JSON is used nevertheless. */
  async text(limitBytes = MAX_TEXT_BYTES): Promise<string> {
    const reads = this[Symbol.asyncIterator]();
    const chunks: Uint8Array[] = [];
    const gathered = () => Buffer.concat(chunks, Math.min(bytes, limitBytes)).toString('utf8');
    const grace = new WholeAnswerGrace();
    let bytes = 0;
    let closed = false;
    while (bytes < limitBytes) {
      const read = reads.next();
      const chunk = closed ? await grace.within(read) : await read;
      if (typeof chunk === 'string') {
        const text = gathered();
        if (parseJson(text) !== undefined) {
          this.stop();
          return text;
        }
        closed = false;
      }
      const { done, value } = typeof chunk === 'string' ? await read : chunk;
      if (done) return gathered();
      chunks.push(value);
      bytes += value.byteLength;
      const last = value.findLast((byte) => !SPACES.has(byte));
      if (last === undefined) continue;
      closed = CLOSING.has(last);
      grace.restart();
    }
    await reads.return?.();
    return gathered();
  }

  /** Closes the connection, even during a read. */
  stop(): void {
    this.#source.return?.()?.catch(() => {});
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: async () => {
        const value = this.#peeked;
        this.#peeked = undefined;
        return value ? { done: false, value } : this.#read();
      },
      return: async () => {
        if (this.complete) void this.#drain();
        else await this.#source.return?.();
        return END;
      },
    };
  }

  async #read(): Promise<Chunk> {
    const chunk = await this.#source.next();
    if (chunk.done) return END;
    this.#bytes += chunk.value.byteLength;
    if (this.#bytes > MAX_STREAM_BYTES) {
      this.stop();
      throw new ProviderError(
        'PROVIDER_PROTOCOL',
        `The provider sent an answer of more than ${MAX_STREAM_BYTES / 1024 / 1024} MiB.`,
        { phase: 'stream' },
      );
    }
    this.#onSign?.('alive');
    return chunk;
  }

  /** Runs in the background, so that the caller does not wait for it; an abort ends it too. */
  async #drain(): Promise<void> {
    const timer = setTimeout(() => this.stop(), DRAIN_MS).unref();
    try {
      for (let bytes = 0; bytes < DRAIN_BYTES; ) {
        const { done, value } = await this.#source.next();
        if (done) return;
        bytes += value.byteLength;
      }
      await this.#source.return?.();
    } catch {
      // The answer is complete already, so a fault after it changes nothing.
    } finally {
      clearTimeout(timer);
    }
  }
}
