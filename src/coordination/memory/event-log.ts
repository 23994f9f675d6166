// Owns the in-process event log: an array for each run, kept for the retention time after its end, all of them within one bound on memory.
import type { Clock } from '../../kernel/clock.ts';
import type { EventLog, LogSlice, SequencedEvent } from '../contract.ts';

export interface MemoryEventLogOptions<Event> {
  readonly clock: Clock;
  /** How long, in milliseconds, the log of an ended run can be read. */
  readonly retentionMs: number;
  /** Bound on the memory of the logs of ended runs together; the oldest are dropped first. Logs of running runs are always kept. */
  readonly maxEndedBytes: number;
  /** Estimate of an event's size in memory. */
  readonly bytesOf: (event: Event) => number;
}

interface RunLog<Event> {
  readonly events: Event[];
  bytes: number;
  /** Set when the log is closed. */
  expiresAtMs: number | undefined;
}

const SWEEP_EVERY_MS = 5_000;

export class MemoryEventLog<Event extends SequencedEvent> implements EventLog<Event> {
  /** Infinite, since there is no other node that could have readers. */
  readonly followerKnownMs = Number.POSITIVE_INFINITY;
  readonly #options: MemoryEventLogOptions<Event>;
  readonly #running = new Map<string, RunLog<Event>>();
  /** Logs of ended runs, the earliest ended first. */
  readonly #ended = new Map<string, RunLog<Event>>();
  /** Readers of runs that go on, or that have no log yet. */
  readonly #readers = new Map<string, Set<() => void>>();
  readonly #sweeper: NodeJS.Timeout;
  #endedBytes = 0;

  constructor(options: MemoryEventLogOptions<Event>) {
    this.#options = options;
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_EVERY_MS).unref();
  }

  append(runId: string, events: readonly Event[]): void {
    let log = this.#running.get(runId);
    if (!log) {
      if (this.#ended.has(runId)) return;
      log = { events: [], bytes: 0, expiresAtMs: undefined };
      this.#running.set(runId, log);
    }
    for (const event of events) {
      // Events that the log has already are skipped.
      if (event.seq <= (log.events.at(-1)?.seq ?? 0)) continue;
      log.events.push(event);
      log.bytes += this.#options.bytesOf(event);
    }
    this.#wake(runId);
  }

  close(runId: string): void {
    const log = this.#running.get(runId);
    if (!log) return;
    this.#running.delete(runId);
    log.expiresAtMs = this.#options.clock.monotonicMs() + this.#options.retentionMs;
    this.#ended.set(runId, log);
    this.#endedBytes += log.bytes;
    this.#wake(runId);
    this.#evict((_log) => this.#endedBytes > this.#options.maxEndedBytes);
  }

  conclude(runId: string, events: readonly Event[]): void {
    if (this.#ended.has(runId)) return;
    const end = events.slice(-1);
    this.append(runId, follows(events, this.#lastSeqOf(runId)) ? events : end);
    this.close(runId);
  }

  async lastSeq(runId: string): Promise<number> {
    return this.#lastSeqOf(runId);
  }

  async lastFollowedElsewhere(): Promise<undefined> {}

  read(runId: string, after: number, limit: number): LogSlice<Event> {
    const log = this.#running.get(runId) ?? this.#ended.get(runId);
    if (!log) return { events: [], state: 'unknown' };
    const from = firstIndexBeyond(log.events, after);
    const events = from >= log.events.length ? [] : log.events.slice(from, from + limit);
    const reachesEnd = from + events.length >= log.events.length;
    return { events, state: log.expiresAtMs !== undefined && reachesEnd ? 'closed' : 'open' };
  }

  follow(runId: string, wake: () => void): () => void {
    const readers = this.#readers.get(runId) ?? new Set();
    readers.add(wake);
    this.#readers.set(runId, readers);
    return () => {
      readers.delete(wake);
      if (readers.size === 0 && this.#readers.get(runId) === readers) this.#readers.delete(runId);
    };
  }

  async dispose(): Promise<void> {
    clearInterval(this.#sweeper);
  }

  #lastSeqOf(runId: string): number {
    const log = this.#running.get(runId) ?? this.#ended.get(runId);
    return log?.events.at(-1)?.seq ?? 0;
  }

  #wake(runId: string): void {
    for (const wake of this.#readers.get(runId) ?? []) wake();
  }

  #sweep(): void {
    const now = this.#options.clock.monotonicMs();
    this.#evict((log) => (log.expiresAtMs ?? now) <= now);
  }

  /** Drops logs of ended runs, the oldest first, while `isDue` is true for the oldest. */
  #evict(isDue: (log: RunLog<Event>) => boolean): void {
    for (const [runId, log] of this.#ended) {
      if (!isDue(log)) return;
      this.#ended.delete(runId);
      this.#endedBytes -= log.bytes;
    }
  }
}

/** True if no event is missing between the last event of a log and the first of these. */
export function follows(events: readonly SequencedEvent[], lastSeq: number): boolean {
  const [first] = events;
  return first !== undefined && (first.fromSeq ?? first.seq) === lastSeq + 1;
}

/** The events of a log mostly have consecutive places from 1 on; an event that covers several places, or an end that lies far ahead, leaves places out. */
function firstIndexBeyond(events: readonly SequencedEvent[], after: number): number {
  if (after <= 0) return 0;
  if (events[after - 1]?.seq === after) return after;
  let [from, to] = [0, events.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((events[middle] as SequencedEvent).seq > after) to = middle;
    else from = middle + 1;
  }
  return from;
}
