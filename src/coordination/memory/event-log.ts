// Owns the in-process event log: an array a run, kept for the retention after its end and within one bound of memory for all.
import type { Clock } from '../../kernel/clock.ts';
import type { EventLog, LogSlice, SequencedEvent } from '../contract.ts';

export interface MemoryEventLogOptions<Event> {
  readonly clock: Clock;
  /** How long the log of an ended run can be read. */
  readonly retentionMs: number;
  /** Bound on the logs of ended runs together; the oldest go first. Running ones are always kept. */
  readonly maxEndedBytes: number;
  /** Estimate of an event's size in memory. */
  readonly bytesOf: (event: Event) => number;
}

interface RunLog<Event> {
  readonly events: Event[];
  readonly readers: Set<() => void>;
  bytes: number;
  /** Set once closed. */
  expiresAtMs: number | undefined;
}

const SWEEP_EVERY_MS = 5_000;

export class MemoryEventLog<Event extends SequencedEvent> implements EventLog<Event> {
  readonly #options: MemoryEventLogOptions<Event>;
  readonly #running = new Map<string, RunLog<Event>>();
  /** In order of ending. */
  readonly #ended = new Map<string, RunLog<Event>>();
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
      log = { events: [], readers: new Set(), bytes: 0, expiresAtMs: undefined };
      this.#running.set(runId, log);
    }
    for (const event of events) {
      // What is there already is not taken twice.
      if (event.seq <= (log.events.at(-1)?.seq ?? 0)) continue;
      log.events.push(event);
      log.bytes += this.#options.bytesOf(event);
    }
    for (const wake of log.readers) wake();
  }

  close(runId: string): void {
    const log = this.#running.get(runId);
    if (!log) return;
    this.#running.delete(runId);
    log.expiresAtMs = this.#options.clock.monotonicMs() + this.#options.retentionMs;
    this.#ended.set(runId, log);
    this.#endedBytes += log.bytes;
    for (const wake of log.readers) wake();
    log.readers.clear();
    this.#evict((_log) => this.#endedBytes > this.#options.maxEndedBytes);
  }

  async conclude(runId: string, events: readonly Event[]): Promise<void> {
    if (this.#ended.has(runId)) return;
    this.append(runId, events);
    this.close(runId);
  }

  async lastSeq(runId: string): Promise<number> {
    const log = this.#running.get(runId) ?? this.#ended.get(runId);
    return log?.events.at(-1)?.seq ?? 0;
  }

  /** There is no other node. */
  async isFollowedElsewhere(): Promise<boolean> {
    return false;
  }

  read(runId: string, after: number, limit: number): LogSlice<Event> {
    const log = this.#running.get(runId) ?? this.#ended.get(runId);
    if (!log) return { events: [], state: 'unknown' };
    const from = firstIndexBeyond(log.events, after);
    const events = from >= log.events.length ? [] : log.events.slice(from, from + limit);
    const reachesEnd = from + events.length >= log.events.length;
    return { events, state: log.expiresAtMs !== undefined && reachesEnd ? 'closed' : 'open' };
  }

  follow(runId: string, wake: () => void): () => void {
    const log = this.#running.get(runId);
    log?.readers.add(wake);
    return () => log?.readers.delete(wake);
  }

  async dispose(): Promise<void> {
    clearInterval(this.#sweeper);
  }

  #sweep(): void {
    const now = this.#options.clock.monotonicMs();
    this.#evict((log) => (log.expiresAtMs ?? now) <= now);
  }

  /** Drops ended logs from the oldest on, as long as `isDue` says so. */
  #evict(isDue: (log: RunLog<Event>) => boolean): void {
    for (const [runId, log] of this.#ended) {
      if (!isDue(log)) return;
      this.#ended.delete(runId);
      this.#endedBytes -= log.bytes;
    }
  }
}

/** Events lie densely from seq 1 on, but for an end that may be far ahead. */
function firstIndexBeyond(events: readonly SequencedEvent[], after: number): number {
  if (after < events.length) return Math.max(0, after);
  const last = events.at(-1);
  return last && last.seq > after ? events.length - 1 : events.length;
}
