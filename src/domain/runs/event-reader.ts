// Owns following a run: exactly the events beyond a place, then the live ones, up to and with the one that ends it.
import type { EventLog } from '../../coordination/contract.ts';
import { deferred } from '../../kernel/async.ts';
import { GatewayError } from '../../kernel/errors.ts';
import { type CompletionEvent, isEnd, mergeDeltas } from './completion-event.ts';

/** How many events are taken from the log at once; neighbours among them are merged, so a slow reader catches up in few steps. */
const READ_AT_ONCE = 256;
/** A merged delta grows no longer than this, so that no single message is huge. */
const MAX_MERGED_LENGTH = 64_000;

export interface ReadOptions {
  readonly log: EventLog<CompletionEvent>;
  readonly runId: string;
  readonly after: number;
  /** Called once, when the reader leaves by whichever way. */
  readonly onLeave?: () => void;
}

export function readEvents(options: ReadOptions): AsyncIterableIterator<CompletionEvent> {
  return new EventReader(options);
}

class EventReader implements AsyncIterableIterator<CompletionEvent> {
  readonly #options: ReadOptions;
  readonly #unfollow: () => void;
  #after: number;
  #ready: CompletionEvent[] = [];
  #awake = deferred();
  #left = false;

  constructor(options: ReadOptions) {
    this.#options = options;
    this.#after = options.after;
    this.#unfollow = options.log.follow(options.runId, () => this.#awake.resolve());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<CompletionEvent>> {
    for (;;) {
      const event = this.#ready.shift();
      if (event) {
        if (isEnd(event)) this.#leave();
        return { value: event, done: false };
      }
      if (this.#left) return { value: undefined, done: true };
      await this.#fill();
    }
  }

  async return(): Promise<IteratorResult<CompletionEvent>> {
    this.#ready = [];
    this.#leave();
    return { value: undefined, done: true };
  }

  async #fill(): Promise<void> {
    const { log, runId } = this.#options;
    this.#awake = deferred();
    const reading = log.read(runId, this.#after, READ_AT_ONCE);
    const slice = reading instanceof Promise ? await reading : reading;
    if (slice.state === 'unknown') {
      this.#leave();
      throw new GatewayError(
        'EVENTS_EXPIRED',
        'The events of this completion are no longer kept; completion(id) has its result',
      );
    }
    const last = slice.events.at(-1);
    if (last) {
      this.#after = last.seq;
      this.#ready = mergeNeighbours(slice.events);
    } else if (slice.state === 'closed') {
      this.#leave();
    } else {
      await this.#awake.promise;
    }
  }

  #leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#unfollow();
    this.#options.onLeave?.();
    this.#awake.resolve();
  }
}

function mergeNeighbours(events: readonly CompletionEvent[]): CompletionEvent[] {
  const merged: CompletionEvent[] = [];
  for (const event of events) {
    const last = merged.at(-1);
    const both = last && lengthOf(last) < MAX_MERGED_LENGTH ? mergeDeltas(last, event) : undefined;
    if (both) merged[merged.length - 1] = both;
    else merged.push(event);
  }
  return merged;
}

function lengthOf(event: CompletionEvent): number {
  if ('text' in event) return event.text.length;
  return event.type === 'tool-call-delta' ? event.argumentsText.length : 0;
}
