// Owns an answer in server-sent events: pings, the time limit for slow readers, and its end by the client or by the gateway.
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

interface EventStreamOptions {
  readonly headers: OutgoingHttpHeaders;
  /** Aborted when the client has disconnected. */
  readonly gone: AbortSignal;
  /** Aborted when the node shuts down: the client reconnects to another node. */
  readonly closing: AbortSignal;
  /** How long, in milliseconds, the client may leave sent data unread. */
  readonly slowReaderMs: number;
}

/** How a door writes its events; each piece has the blank line that ends it. */
export interface EventForm<Event> {
  textOf(event: Event): string | Promise<string>;
  /** The text that tells the client of a fault before the end; `undefined`: the stream breaks off, so that the client reconnects. */
  textOfFault(error: unknown): string | undefined;
  /** The text which says that nothing follows. */
  readonly end: string;
}

export const EVENT_STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};
const PING_EVERY_MS = 12_000;

/** The stream ends with the form's `end`, or without it if the client should reconnect. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #options: EventStreamOptions;
  readonly #left = new AbortController();

  constructor(response: ServerResponse, options: EventStreamOptions) {
    this.#response = response;
    this.#options = options;
    const leave = () => this.leave();
    for (const signal of [options.gone, options.closing]) {
      if (signal.aborted) leave();
      else signal.addEventListener('abort', leave, { once: true, signal: this.#left.signal });
    }
    response.on('error', leave);
  }

  /** Ends without the form's `end`: a client that reconnects must show its credential again. */
  leave(): void {
    this.#left.abort();
  }

  async send<Event>(source: AsyncIterable<Event>, form: EventForm<Event>): Promise<void> {
    this.#response.writeHead(200, {
      ...this.#options.headers,
      ...EVENT_STREAM_HEADERS,
      connection: 'keep-alive',
    });
    // Headers go out before the first event, so that a client knows that it is connected.
    this.#response.write(':\n\n');
    const pings = setInterval(() => this.#response.write(': ping\n\n'), PING_EVERY_MS);
    try {
      await this.#sendAll(source, form);
    } finally {
      clearInterval(pings);
      this.leave();
      this.#end();
    }
  }

  async #sendAll<Event>(source: AsyncIterable<Event>, form: EventForm<Event>): Promise<void> {
    const { signal } = this.#left;
    const events = source[Symbol.asyncIterator]();
    const onLeft = () => void events.return?.();
    if (signal.aborted) onLeft();
    else signal.addEventListener('abort', onLeft, { once: true });
    try {
      for (let next = await events.next(); !next.done; next = await events.next()) {
        await this.#write(await form.textOf(next.value));
      }
    } catch (error) {
      const text = form.textOfFault(error);
      if (text === undefined) return;
      await this.#write(text);
    }
    await this.#write(form.end);
  }

  /** Waits until a slow client has taken what was written, so that the events meanwhile can be merged. */
  async #write(text: string): Promise<void> {
    const { signal } = this.#left;
    if (signal.aborted || this.#response.write(text)) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#response.destroy(), this.#options.slowReaderMs);
      const done = () => {
        clearTimeout(timer);
        this.#response.off('drain', done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#response.on('drain', done);
      signal.addEventListener('abort', done);
    });
  }

  /** Ends the answer. Data that the client does not read in time is dropped with the connection. */
  #end(): void {
    this.#response.end();
    if (this.#response.writableFinished || this.#response.destroyed) return;
    const timer = setTimeout(() => this.#response.destroy(), this.#options.slowReaderMs).unref();
    this.#response.once('close', () => clearTimeout(timer));
  }
}
