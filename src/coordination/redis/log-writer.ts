// Owns the events that this node still has to write to logs in Redis: they are gathered, sent in batches, and kept until Redis has confirmed them.
import type { Redis } from 'ioredis';
import { SharedStateUnavailable } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { SequencedEvent } from '../contract.ts';
import type { RedisBus } from './bus.ts';
import type { RedisLink } from './link.ts';
import { appendToLogs, concludeLog, LOG_SCRIPTS } from './log-append.ts';
import { isEndEntry, lastEntry, seqOf } from './log-entry.ts';

export interface LogWriterOptions<Event> {
  readonly link: RedisLink;
  readonly bus: RedisBus;
  readonly logger: Logger;
  readonly encode: (event: Event) => string;
  readonly isEnd: (event: Event) => boolean;
  readonly bytesOf: (event: Event) => number;
  readonly retentionMs: number;
  /** Bound on the ends of other nodes' runs that wait for Redis. The oldest are dropped; a node that reads such a run writes its end again. */
  readonly maxEndedBytes: number;
  /** The channel on which all nodes are told which runs have grown. */
  readonly channel: string;
  readonly keyOf: (runId: string) => string;
  /** Events of the run beyond `seq` that this node has shown to readers. */
  readonly shownBeyond: (runId: string, seq: number) => readonly Event[];
  /** Called when Redis has stored the events; `ends`: the log is complete with them. */
  readonly onConfirmed: (runId: string, events: readonly Event[], ends: boolean) => void;
}

/** A run of this node that goes on, or of which Redis has not confirmed all events. */
interface Outgoing<Event> {
  /** Events in order; those that Redis has confirmed are removed. */
  readonly unsent: Event[];
  closed: boolean;
  /** True: Redis must be asked for its last entry of the run before more is sent. */
  unsure: boolean;
}

/** The first `count` events that wait; `ends`: the log is complete with them. */
interface Sending<Event> {
  readonly runId: string;
  readonly outgoing: Outgoing<Event>;
  readonly count: number;
  readonly ends: boolean;
}

const RETRY_MS = 250;
/** How long Redis keeps the log of a run that goes on: as long as a run may last. */
const RUNNING_MS = 86_400_000;
/** The most events of one script, because Redis does no other work while a script runs. */
const MAX_BATCH = 500;
const ENDINGS_AT_ONCE = 100;

export class LogWriter<Event extends SequencedEvent> {
  readonly #options: LogWriterOptions<Event>;
  readonly #outgoing = new Map<string, Outgoing<Event>>();
  /** Final events of runs that other nodes began, by run id. */
  readonly #endings = new Map<string, readonly Event[]>();
  #endingBytes = 0;
  #sending: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: LogWriterOptions<Event>) {
    this.#options = options;
    options.link.define(LOG_SCRIPTS);
  }

  /** True if this node runs the run, or if Redis has not confirmed all of its events. */
  has(runId: string): boolean {
    return this.#outgoing.has(runId);
  }

  append(runId: string, events: readonly Event[]): void {
    const outgoing = this.#outgoing.get(runId) ?? { unsent: [], closed: false, unsure: false };
    this.#outgoing.set(runId, outgoing);
    // Pushed one by one: there may be more events than JavaScript allows arguments in one call.
    for (const event of events) outgoing.unsent.push(event);
    this.#sendSoon();
  }

  /** Marks the log as complete. True if Redis has all of it already. */
  close(runId: string): boolean {
    const outgoing = this.#outgoing.get(runId);
    if (outgoing) outgoing.closed = true;
    this.#sendSoon();
    return !outgoing || outgoing.unsent.length === 0;
  }

  /** Takes the end of a run whose owner will not write it. True if this node was the owner: its own unsent events of the run are dropped. */
  conclude(runId: string, events: readonly Event[]): boolean {
    const isOwn = this.#outgoing.delete(runId);
    if (!this.#endings.has(runId)) {
      this.#endings.set(runId, events);
      this.#endingBytes += this.#bytesOf(events);
      for (const [oldest] of this.#endings) {
        if (this.#endingBytes <= this.#options.maxEndedBytes) break;
        this.#dropEnding(oldest);
      }
      this.#sendSoon();
    }
    return isOwn;
  }

  /** Called after a new connection: commands under way may be lost, and Redis may have lost data, so each run is compared with Redis before more is sent. */
  compareAll(): void {
    for (const outgoing of this.#outgoing.values()) outgoing.unsure = true;
    this.#sendSoon();
  }

  /** Writes the remaining events while Redis takes them, for at most `withinMs`, then stops. */
  async dispose(withinMs: number): Promise<void> {
    const overdue = AbortSignal.timeout(withinMs);
    while (this.#hasUnsent() && !overdue.aborted && this.#options.link.onPath) {
      this.#sendSoon();
      await Promise.race([this.#sending, new Promise((resolve) => setTimeout(resolve, RETRY_MS))]);
    }
    this.#closed = true;
    clearTimeout(this.#retry);
  }

  #hasUnsent(): boolean {
    if (this.#endings.size > 0) return true;
    return [...this.#outgoing.values()].some(({ unsent, closed }) => unsent.length > 0 || closed);
  }

  #sendSoon(): void {
    if (this.#sending || this.#closed) return;
    this.#sending = Promise.resolve()
      .then(() => this.#sendAll())
      .finally(() => {
        this.#sending = undefined;
        // Events that arrived after the last look start the next batch.
        if (!this.#retry && this.#hasUnsent()) this.#sendSoon();
      });
  }

  async #sendAll(): Promise<void> {
    try {
      for (;;) {
        await this.#compareUnsure();
        if (!this.#hasUnsent() || this.#closed) return;
        await this.#sendBatch();
        await this.#sendEndings();
      }
    } catch (error) {
      if (!(error instanceof SharedStateUnavailable)) {
        this.#options.logger.warn({ err: error }, 'Events of runs could not be written to Redis');
      }
      // The batch that was under way may or may not have arrived in Redis.
      for (const outgoing of this.#outgoing.values()) outgoing.unsure = true;
      this.#retryLater();
    }
  }

  #retryLater(): void {
    if (this.#retry || this.#closed) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#sendSoon();
    }, RETRY_MS).unref();
  }

  async #sendBatch(): Promise<void> {
    const batch: Sending<Event>[] = [];
    let room = MAX_BATCH;
    for (const [runId, outgoing] of this.#outgoing) {
      if (outgoing.unsure) continue;
      const count = Math.min(outgoing.unsent.length, room);
      room -= count;
      const ends = outgoing.closed && count === outgoing.unsent.length;
      if (count > 0 || ends) batch.push({ runId, outgoing, count, ends });
      if (room === 0) break;
    }
    if (batch.length === 0) return;
    const refusing = await this.#options.link.behind((redis) => this.#append(redis, batch));
    for (const [place, { runId, outgoing, count, ends }] of batch.entries()) {
      if (refusing.has(place)) outgoing.unsure = true;
      else this.#confirm(runId, outgoing, count, ends);
    }
  }

  #append(redis: Redis, batch: readonly Sending<Event>[]): Promise<ReadonlySet<number>> {
    const grown = batch.filter(({ count }) => count > 0).map(({ runId }) => runId);
    const logs = batch.map(({ runId, outgoing, count, ends }) => ({
      key: this.#options.keyOf(runId),
      keepMs: ends ? this.#options.retentionMs : outgoing.unsent[0]?.seq === 1 ? RUNNING_MS : 0,
      entries: outgoing.unsent.slice(0, count).map((event) => this.#toEntry(event)),
    }));
    return appendToLogs(redis, logs, this.#word(grown));
  }

  async #sendEndings(): Promise<void> {
    const some = [...this.#endings].slice(0, ENDINGS_AT_ONCE);
    if (some.length === 0) return;
    await this.#options.link.behind((redis) =>
      Promise.all(some.map(([runId, events]) => this.#conclude(redis, runId, events))),
    );
    for (const [runId] of some) this.#dropEnding(runId);
  }

  #conclude(redis: Redis, runId: string, events: readonly Event[]): Promise<void> {
    const [first] = events;
    const ending = {
      key: this.#options.keyOf(runId),
      keepMs: this.#options.retentionMs,
      fromSeq: events.length === 1 ? 0 : (first?.fromSeq ?? first?.seq ?? 0),
      entries: events.map((event) => this.#toEntry(event)),
    };
    return concludeLog(redis, ending, this.#word([runId]));
  }

  #dropEnding(runId: string): void {
    this.#endingBytes -= this.#bytesOf(this.#endings.get(runId) ?? []);
    this.#endings.delete(runId);
  }

  #bytesOf(events: readonly Event[]): number {
    return events.reduce((sum, event) => sum + this.#options.bytesOf(event), 0);
  }

  #confirm(runId: string, outgoing: Outgoing<Event>, count: number, ends: boolean): void {
    // Another node has taken the run since, and writes its end.
    if (this.#outgoing.get(runId) !== outgoing) return;
    const sent = outgoing.unsent.splice(0, count);
    if (ends) this.#outgoing.delete(runId);
    this.#options.onConfirmed(runId, sent, ends);
  }

  /** Asks Redis for its last entry of each run that is marked unsure: Redis may have lost data, or never got what was sent. */
  async #compareUnsure(): Promise<void> {
    const unsure = [...this.#outgoing].filter(([, outgoing]) => outgoing.unsure);
    if (unsure.length === 0) return;
    for (const [, outgoing] of unsure) outgoing.unsure = false;
    const lasts = await this.#options.link.behind((redis) =>
      Promise.all(unsure.map(([runId]) => lastEntry(redis, this.#options.keyOf(runId)))),
    );
    for (const [index, [runId, outgoing]] of unsure.entries()) {
      const last = lasts[index];
      const lastSeq = last ? seqOf(last) : 0;
      if (last && isEndEntry(last) && !this.#hasEndAt(outgoing, lastSeq)) {
        // Another node has ended the run: what this one still has of it is refused for ever, and counts as not written.
        outgoing.unsent.length = 0;
        if (outgoing.closed) this.#confirm(runId, outgoing, 0, true);
        continue;
      }
      // An event whose confirmation was lost is found in Redis, and so counts as confirmed.
      const arrived = outgoing.unsent.filter(({ seq }) => seq <= lastSeq).length;
      if (arrived > 0) this.#confirm(runId, outgoing, arrived, false);
      // This node keeps all events of a run that goes on, and of an ended run at least those that Redis has not confirmed.
      const lacking = [...this.#options.shownBeyond(runId, lastSeq), ...outgoing.unsent];
      const bySeq = new Map(lacking.map((event) => [event.seq, event]));
      const resent = [...bySeq.values()].sort((one, other) => one.seq - other.seq);
      outgoing.unsent.length = 0;
      for (const event of resent) outgoing.unsent.push(event);
    }
  }

  #hasEndAt(outgoing: Outgoing<Event>, seq: number): boolean {
    return outgoing.unsent.some((event) => event.seq === seq && this.#options.isEnd(event));
  }

  #toEntry(event: Event) {
    return { seq: event.seq, text: this.#options.encode(event), isEnd: this.#options.isEnd(event) };
  }

  #word(runIds: readonly string[]) {
    return { channel: this.#options.bus.nameOf(this.#options.channel), word: runIds.join(' ') };
  }
}
