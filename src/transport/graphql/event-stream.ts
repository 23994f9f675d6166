// Owns one answer in the form of server-sent events: pings, patience with slow readers, and the end by whichever side.
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import type { ExecuteEvent } from './event-execution.ts';

export interface EventStreamOptions {
  readonly headers: OutgoingHttpHeaders;
  /** Aborted when the client has gone. */
  readonly gone: AbortSignal;
  /** Aborted when the node goes away: the client comes back elsewhere. */
  readonly closing: AbortSignal;
  /** How long the client may leave unread what it was sent. */
  readonly slowReaderMs: number;
}

export interface EventStreamAnswers {
  readonly answerTo: ExecuteEvent;
  /** Errors as the client is told them. */
  readonly format: (errors: readonly unknown[]) => readonly object[];
  /** Whether a client that comes back may fare better. */
  readonly isPassing: (error: unknown) => boolean;
}

export const EVENT_STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};
export const COMPLETE = 'event: complete\ndata:\n\n';
const PING_EVERY_MS = 12_000;

/** `data` is JSON, which has no line breaks. */
export function nextEvent(data: string): string {
  return `event: next\ndata: ${data}\n\n`;
}

/** It ends with `complete`, or without it where the client should come back. */
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

  /** Ends without `complete`: a client that comes back is asked for its credential again. */
  leave(): void {
    this.#left.abort();
  }

  async send(source: AsyncIterable<object>, answers: EventStreamAnswers): Promise<void> {
    this.#response.writeHead(200, {
      ...this.#options.headers,
      ...EVENT_STREAM_HEADERS,
      connection: 'keep-alive',
    });
    // Headers go out before the first event, so that a client knows that it is connected.
    this.#response.write(':\n\n');
    const pings = setInterval(() => this.#response.write(': ping\n\n'), PING_EVERY_MS);
    try {
      await this.#sendAll(source, answers);
    } finally {
      clearInterval(pings);
      this.leave();
      this.#end();
    }
  }

  async #sendAll(source: AsyncIterable<object>, answers: EventStreamAnswers): Promise<void> {
    const { signal } = this.#left;
    const events = source[Symbol.asyncIterator]();
    const onLeft = () => void events.return?.();
    if (signal.aborted) onLeft();
    else signal.addEventListener('abort', onLeft, { once: true });
    try {
      for (let next = await events.next(); !next.done; next = await events.next()) {
        const result = await answers.answerTo(next.value);
        await this.#write(`${idLine(next.value)}${nextEvent(JSON.stringify(formatted(result, answers)))}`);
      }
    } catch (error) {
      // It ends without `complete`: the client comes back, and goes on behind the last event.
      if (answers.isPassing(error)) return;
      await this.#write(nextEvent(JSON.stringify({ errors: answers.format([error]) })));
    }
    await this.#write(COMPLETE);
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

  /** What a client does not take in time is dropped with its connection. */
  #end(): void {
    this.#response.end();
    if (this.#response.writableFinished || this.#response.destroyed) return;
    const timer = setTimeout(() => this.#response.destroy(), this.#options.slowReaderMs).unref();
    this.#response.once('close', () => clearTimeout(timer));
  }
}

function formatted(result: ExecutionResult, { format }: EventStreamAnswers): object {
  return result.errors ? { ...result, errors: format(result.errors) } : result;
}

function idLine(event: object): string {
  const { completionId, seq } = event as { completionId?: string; seq?: number };
  return completionId === undefined || seq === undefined ? '' : `id: ${completionId}:${seq}\n`;
}
