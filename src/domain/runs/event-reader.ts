// Owns following a run: exactly the events beyond a place, then the live ones, up to and with the one that ends it.
import type { EventLog, LogSlice } from '../../coordination/contract.ts';
import { deferred } from '../../kernel/async.ts';
import { GatewayError, SharedStateUnavailable } from '../../kernel/errors.ts';
import { type CompletionEvent, contentLength, isEnd, mergeDeltas } from './completion-event.ts';

/** How many events are taken from the log at once; neighbours among them are merged, so a slow reader catches up in few steps. */
const READ_AT_ONCE = 256;
/** How often a run on another node is looked at without a word from there, and how long it may say nothing. */
const LOOK_AGAIN_MS = 1_000;
const SILENT_MS = 3_000;
/** A merged delta grows no longer than this, so that no single message is huge. */
const MAX_MERGED_LENGTH = 64_000;

export interface ReadOptions {
  readonly log: EventLog<CompletionEvent>;
  readonly runId: string;
  readonly after: number;
  /** Set for a run that this node does not have. */
  readonly elsewhere?: RunElsewhere;
  /** Called once, when the reader leaves by whichever way. */
  readonly onLeave?: () => void;
}

export interface RunElsewhere {
  /** Whether it goes on: its events may be on their way. */
  readonly isRunning: () => Promise<boolean>;
  /** Gives its log the end that it lacks, if the run has ended. */
  readonly mendEnd: () => Promise<void>;
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
  #lastEventMs = Date.now();

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
    this.#awake = deferred();
    const reading = this.#read();
    const slice = reading instanceof Promise ? await reading : reading;
    if (this.#left) return;
    const last = slice.events.at(-1);
    if (last) {
      // Whoever has seen a part of what a mended log holds as one event cannot be told the rest of it: the end has all.
      const unseen = slice.events.filter((event) => isEnd(event) || event.fromSeq > this.#after);
      this.#after = last.seq;
      this.#ready = mergeNeighbours(unseen);
      this.#lastEventMs = Date.now();
    } else if (slice.state === 'closed') {
      this.#leave();
    } else {
      await this.#waitFor(slice.state === 'unknown');
    }
  }

  /** Until there is more. Of a run on another node, it is looked at from time to time whether it still goes on. */
  async #waitFor(unknown: boolean): Promise<void> {
    const { elsewhere } = this.#options;
    if (unknown && !(await elsewhere?.isRunning())) {
      this.#leave();
      throw new GatewayError(
        'EVENTS_EXPIRED',
        'The events of this completion are no longer kept; completion(id) has its result',
      );
    }
    if (!elsewhere) {
      await this.#awake.promise;
      return;
    }
    const timer = setTimeout(this.#awake.resolve, LOOK_AGAIN_MS);
    await this.#awake.promise;
    clearTimeout(timer);
    if (this.#left || Date.now() - this.#lastEventMs < SILENT_MS) return;
    this.#lastEventMs = Date.now();
    await elsewhere.mendEnd();
  }

  #read(): LogSlice<CompletionEvent> | Promise<LogSlice<CompletionEvent>> {
    const { log, runId } = this.#options;
    const reading = log.read(runId, this.#after, READ_AT_ONCE);
    if (!(reading instanceof Promise)) return reading;
    return reading.catch((error: unknown) => {
      this.#leave();
      throw unreadable(error);
    });
  }

  #leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#unfollow();
    this.#options.onLeave?.();
    this.#awake.resolve();
  }
}

/** The same fault in the words of a reader, who comes back for the rest. */
export function unreadable(error: unknown): unknown {
  if (!(error instanceof SharedStateUnavailable)) return error;
  return new GatewayError(
    'STORAGE_UNAVAILABLE',
    'The events of this completion cannot be read on this node now; connect again and go on behind the last one',
    { cause: error, retryAfterMs: 1_000 },
  );
}

function mergeNeighbours(events: readonly CompletionEvent[]): CompletionEvent[] {
  const merged: CompletionEvent[] = [];
  for (const event of events) {
    const last = merged.at(-1);
    const both = last && contentLength(last) < MAX_MERGED_LENGTH ? mergeDeltas(last, event) : undefined;
    if (both) merged[merged.length - 1] = both;
    else merged.push(event);
  }
  return merged;
}
