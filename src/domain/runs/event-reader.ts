// Owns reading the events of a run: exactly those after a given place, then new ones, up to the terminal event.
import type { EventLog } from '../../coordination/contract.ts';
import { deferred } from '../../kernel/async.ts';
import type { Clock } from '../../kernel/clock.ts';
import { GatewayError, SharedStateUnavailable } from '../../kernel/errors.ts';
import type { Kinds } from './kinds.ts';
import { isContent, isEnd, type RunEvent } from './run-event.ts';

/** How many events are taken from the log at once; neighbours among them are merged, so a slow reader catches up in few steps. */
const READ_AT_ONCE = 256;
/** How often the state of a run on another node is checked while no news comes, and for how long it may give none. */
const LOOK_AGAIN_MS = 1_000;
const SILENT_MS = 3_000;
/** A merged delta grows no longer than this many characters, so that no single message is huge. */
const MAX_MERGED_LENGTH = 64_000;

/** `ending`: the run has just ended, and its last events may not be in the log yet. `ended`: no more events will be added to its log. */
export type RunPhase = 'running' | 'ending' | 'ended';

export interface ReadOptions {
  readonly log: EventLog<RunEvent>;
  readonly kinds: Kinds;
  readonly clock: Clock;
  readonly runId: string;
  readonly after: number;
  /** The state of the run, asked if its log does not show it. */
  readonly phase: () => RunPhase | Promise<RunPhase>;
  /** Given for a run of another node: adds the end that the log lacks, if the run has ended. */
  readonly mendEnd?: () => Promise<void>;
  /** Called once, when the reader leaves for any reason. */
  readonly onLeave?: () => void;
}

export function readEvents(options: ReadOptions): AsyncIterableIterator<RunEvent> {
  return new EventReader(options);
}

class EventReader implements AsyncIterableIterator<RunEvent> {
  readonly #options: ReadOptions;
  readonly #unfollow: () => void;
  #after: number;
  #ready: RunEvent[] = [];
  #awake = deferred();
  #left = false;
  /** When the last event came, or the log was last mended, by the monotonic clock. */
  #lastNewsMs: number;

  constructor(options: ReadOptions) {
    this.#options = options;
    this.#lastNewsMs = options.clock.monotonicMs();
    this.#after = options.after;
    this.#unfollow = options.log.follow(options.runId, () => this.#awake.resolve());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<RunEvent>> {
    for (;;) {
      const event = this.#ready.shift();
      if (event) {
        if (isEnd(event)) this.#leave();
        return { value: event, done: false };
      }
      if (this.#left) return { value: undefined, done: true };
      try {
        await this.#fill();
      } catch (error) {
        this.#leave();
        throw unreadable(error);
      }
    }
  }

  async return(): Promise<IteratorResult<RunEvent>> {
    this.#ready = [];
    this.#leave();
    return { value: undefined, done: true };
  }

  async #fill(): Promise<void> {
    this.#awake = deferred();
    const { log, runId } = this.#options;
    const reading = log.read(runId, this.#after, READ_AT_ONCE);
    const slice = reading instanceof Promise ? await reading : reading;
    if (this.#left) return;
    const last = slice.events.at(-1);
    if (last) {
      // In a mended log one event may cover places of which the reader has seen a part. It cannot be shown the other part alone; the terminal event has
      // the whole text.
      const unseen = slice.events.filter((event) => isEnd(event) || event.fromSeq > this.#after);
      this.#after = last.seq;
      this.#ready = mergeNeighbours(unseen, this.#options.kinds);
      this.#lastNewsMs = this.#options.clock.monotonicMs();
    } else if (slice.state === 'closed') {
      this.#leave();
    } else {
      await this.#waitFor(slice.state === 'unknown');
    }
  }

  /** Waits until there is more. The state of a run on another node is checked at intervals. */
  async #waitFor(unknown: boolean): Promise<void> {
    const { phase, mendEnd, clock } = this.#options;
    if (unknown && (await phase()) === 'ended') {
      throw new GatewayError(
        'EVENTS_EXPIRED',
        'The events of this completion are no longer kept; completion(id) has its result',
      );
    }
    if (!mendEnd) {
      await this.#awake.promise;
      return;
    }
    const timer = setTimeout(this.#awake.resolve, LOOK_AGAIN_MS);
    await this.#awake.promise;
    clearTimeout(timer);
    if (this.#left || clock.monotonicMs() - this.#lastNewsMs < SILENT_MS) return;
    this.#lastNewsMs = clock.monotonicMs();
    await mendEnd();
  }

  #leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#unfollow();
    this.#options.onLeave?.();
    this.#awake.resolve();
  }
}

/** The same fault in words for a reader, which tells it to come back for the remaining events. */
export function unreadable(error: unknown): unknown {
  if (!(error instanceof SharedStateUnavailable)) return error;
  return new GatewayError(
    'STORAGE_UNAVAILABLE',
    'The events of this completion cannot be read on this node now; connect again and go on behind the last one',
    { cause: error, retryAfterMs: 1_000 },
  );
}

function mergeNeighbours(events: readonly RunEvent[], kinds: Kinds): RunEvent[] {
  const merged: RunEvent[] = [];
  for (const event of events) {
    const last = merged.at(-1);
    const both = last && mergedOf(last, event, kinds);
    if (both) merged[merged.length - 1] = both;
    else merged.push(event);
  }
  return merged;
}

/** `undefined` if one of the two is not content, or the merged event would be too large. */
function mergedOf(first: RunEvent, second: RunEvent, kinds: Kinds): RunEvent | undefined {
  if (!isContent(first) || !isContent(second)) return undefined;
  const kind = kinds.ofEvent(first);
  return kind && kind.sizeOfEvent(first) < MAX_MERGED_LENGTH ? kind.merge(first, second) : undefined;
}
