// Owns one HTTP exchange: from dispatch to headers to the last byte, with one body chunk per socket read.
import type { Dispatcher } from 'undici';
import { deferred } from '../../kernel/async.ts';
import { ProviderError } from '../../kernel/errors.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import { textOfAnswer } from './body-text.ts';
import { faultOfTransport, type Phase } from './transport-faults.ts';

type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];
type Chunk = IteratorResult<Uint8Array, undefined>;

/** How many unread bytes may gather before the socket is paused. */
const HIGH_WATER_BYTES = 256 * 1024;

const END: Chunk = { done: true, value: undefined };

/** The handler that undici calls, and the response that the caller holds. */
export class HttpExchange implements Dispatcher.DispatchHandler, UpstreamResponse {
  readonly #host: string;
  readonly #signal: AbortSignal;
  readonly #started = deferred<UpstreamResponse>();
  #controller: Dispatcher.DispatchController | undefined;
  #phase: Phase = 'connect';
  #status = 0;
  #headers: Record<string, string> = {};

  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #ended = false;
  #failure: { readonly reason: unknown } | undefined;
  #waiting: { resolve(chunk: Chunk): void; reject(reason: unknown): void } | undefined;
  #wakeScheduled = false;

  constructor(host: string, signal: AbortSignal) {
    this.#host = host;
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
  }

  get status(): number {
    return this.#status;
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#headers;
  }

  get body(): AsyncIterable<Uint8Array> {
    return this.#iterable;
  }

  /** Resolves when the headers have arrived. */
  get started(): Promise<UpstreamResponse> {
    return this.#started.promise;
  }

  text(limitBytes?: number): Promise<string> {
    return textOfAnswer(this.#iterable, this.#status, limitBytes);
  }

  readonly #iterable: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: () => this.#next(),
      return: async () => {
        this.#stop(new ProviderError('CANCELLED', 'The reader of the answer has left.'));
        return END;
      },
    }),
  };

  // Methods that undici calls.

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#failure) this.#destroy();
    else this.#phase = 'headers';
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (status < 200 || this.#failure) return;
    this.#phase = 'stream';
    this.#status = status;
    this.#headers = joined(headers);
    this.#started.resolve(this);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#failure) return;
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.byteLength;
    if (this.#queuedBytes > HIGH_WATER_BYTES) controller.pause();
    this.#scheduleWake();
  }

  onResponseEnd(): void {
    this.#ended = true;
    this.#release();
    this.#scheduleWake();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(faultOfTransport(error, this.#host, this.#phase));
  }

  // Methods for the reader of the response.

  #next(): Promise<Chunk> {
    if (this.#queue.length > 0) return Promise.resolve(this.#take());
    if (this.#failure) return Promise.reject(this.#failure.reason);
    if (this.#ended) return Promise.resolve(END);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  #take(): Chunk {
    const [first] = this.#queue;
    const value = first && this.#queue.length === 1 ? first : Buffer.concat(this.#queue);
    this.#queue = [];
    if (this.#queuedBytes > HIGH_WATER_BYTES) this.#controller?.resume();
    this.#queuedBytes = 0;
    return { done: false, value };
  }

  /** undici parses everything that one read of the socket gave before it returns, so one microtask later all of its chunks are here. */
  #scheduleWake(): void {
    if (!this.#waiting || this.#wakeScheduled) return;
    this.#wakeScheduled = true;
    queueMicrotask(() => {
      this.#wakeScheduled = false;
      const waiting = this.#waiting;
      if (!waiting) return;
      this.#waiting = undefined;
      this.#next().then(waiting.resolve, waiting.reject);
    });
  }

  readonly #onAbort = (): void => {
    this.#queue = [];
    this.#stop(this.#signal.reason);
  };

  #stop(reason: unknown): void {
    if (this.#ended || this.#failure) return;
    this.#fail(reason);
    this.#destroy();
  }

  #fail(reason: unknown): void {
    if (this.#ended || this.#failure) return;
    this.#failure = { reason };
    this.#release();
    this.#started.reject(reason);
    this.#scheduleWake();
  }

  #destroy(): void {
    this.#controller?.abort(new Error('the gateway stopped this request'));
  }

  #release(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}

function joined(headers: Headers): Record<string, string> {
  const result: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) result[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return result;
}
