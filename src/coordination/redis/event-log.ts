// Owns the event log that nodes share: a Redis stream a run, written behind the owner's memory, read by every other node.
//
// 1. The owner's events go to its own memory at once, and its own readers see them there: the log adds nothing to the first token.
// 2. They are gathered for Redis: one batch is under way, the next gathers meanwhile. Entry ids are `<seq>-0`, so Redis refuses repeats.
// 3. Each batch ends with one word to all nodes: which runs have grown. A node looks at every run that it follows once a second as well.
// 4. What Redis has not confirmed is kept, and sent again when it is back; a run that goes on is compared with what Redis still has.
// 5. An end by another hand goes in by one script, which leaves a log alone that has its end; where Redis is away it is kept and sent later.
// 6. With `strict` events are shown only once Redis has them.
import type { Logger } from '../../kernel/logger.ts';
import type { EventLog, LogSlice, SequencedEvent } from '../contract.ts';
import { MemoryEventLog, type MemoryEventLogOptions } from '../memory/event-log.ts';
import type { RedisBus } from './bus.ts';
import type { RedisLink } from './link.ts';
import { isEndEntry, type LogEntryReply, lastEntry, seqOf, textOf } from './log-entry.ts';
import { LogWriter } from './log-writer.ts';

export interface RedisEventLogOptions<Event> extends MemoryEventLogOptions<Event> {
  readonly link: RedisLink;
  readonly bus: RedisBus;
  readonly logger: Logger;
  readonly encode: (event: Event) => string;
  readonly decode: (text: string) => Event;
  /** True if the event ends its run. */
  readonly isEnd: (event: Event) => boolean;
  /** True: events are shown only after Redis has stored them. */
  readonly strict: boolean;
  readonly prefix?: string;
}

const PREFIX = 'mg:run:';
const WAKE = 'wake';
/** How often a node looks at the runs of other nodes that its readers follow, and reports to Redis that they are followed. */
const LOOK_EVERY_MS = 1_000;
/** If no report of a reader on another node has come for this long, the run counts as unread there. */
const READER_MS = 4_000;
const CLOSE_WITHIN_MS = 3_000;

export class RedisEventLog<Event extends SequencedEvent> implements EventLog<Event> {
  readonly followerKnownMs = READER_MS;
  readonly #options: RedisEventLogOptions<Event>;
  readonly #own: MemoryEventLog<Event>;
  readonly #prefix: string;
  readonly #writer: LogWriter<Event>;
  readonly #followed = new Map<string, Set<() => void>>();
  readonly #stopListening: (() => void)[];
  readonly #timer: NodeJS.Timeout;

  constructor(options: RedisEventLogOptions<Event>) {
    this.#options = options;
    this.#own = new MemoryEventLog(options);
    this.#prefix = options.prefix ?? PREFIX;
    this.#writer = new LogWriter({
      ...options,
      channel: WAKE,
      keyOf: (runId) => this.#keyOf(runId),
      shownBeyond: (runId, seq) => this.#own.read(runId, seq, Number.POSITIVE_INFINITY).events,
      onConfirmed: (runId, events, ends) => {
        if (!options.strict) return;
        if (events.length > 0) this.#own.append(runId, events);
        if (ends) this.#own.close(runId);
      },
    });
    this.#stopListening = [
      options.bus.listen(WAKE, (text) => this.#wake(text.split(' '))),
      options.bus.onReady(() => this.#wake([...this.#followed.keys()])),
      options.link.onBack(() => this.#writer.compareAll()),
    ];
    this.#timer = setInterval(() => this.#lookAround(), LOOK_EVERY_MS).unref();
  }

  append(runId: string, events: readonly Event[]): void {
    if (!this.#options.strict) this.#own.append(runId, events);
    this.#writer.append(runId, events);
  }

  close(runId: string): void {
    const isWritten = this.#writer.close(runId);
    if (!this.#options.strict || isWritten) this.#own.close(runId);
  }

  conclude(runId: string, events: readonly Event[]): void {
    if (this.#writer.conclude(runId, events)) this.#own.conclude(runId, events);
  }

  async lastSeq(runId: string): Promise<number> {
    const own = await this.#own.lastSeq(runId);
    if (own > 0) return own;
    const last = await this.#options.link.behind((redis) => lastEntry(redis, this.#keyOf(runId)));
    return last ? seqOf(last) : 0;
  }

  async lastFollowedElsewhere(runId: string): Promise<number | undefined> {
    try {
      const leftMs = await this.#options.link.command((redis) => redis.pttl(this.#readersKey(runId)));
      // A reader reports itself from time to time: it may have stayed until just before its next report.
      return leftMs < 0 ? undefined : Math.max(0, READER_MS - leftMs - LOOK_EVERY_MS);
    } catch {
      // Redis is away, so a reader on another node cannot be ruled out.
      return 0;
    }
  }

  read(runId: string, after: number, limit: number): LogSlice<Event> | Promise<LogSlice<Event>> {
    const own = this.#own.read(runId, after, limit);
    if (own.state !== 'unknown') return own;
    // Redis has confirmed nothing of this run yet, so this node's memory has all there is.
    if (this.#options.strict && this.#writer.has(runId)) return { events: [], state: 'open' };
    return this.#readShared(runId, after, limit);
  }

  follow(runId: string, wake: () => void): () => void {
    const unfollowOwn = this.#own.follow(runId, wake);
    const wakes = this.#followed.get(runId) ?? new Set();
    wakes.add(wake);
    this.#followed.set(runId, wakes);
    if (!this.#writer.has(runId)) this.#sayFollowing([runId]);
    return () => {
      unfollowOwn();
      wakes.delete(wake);
      if (wakes.size === 0 && this.#followed.get(runId) === wakes) this.#followed.delete(runId);
    };
  }

  async dispose(): Promise<void> {
    clearInterval(this.#timer);
    for (const stop of this.#stopListening) stop();
    await this.#writer.dispose(CLOSE_WITHIN_MS);
    await this.#own.dispose();
  }

  async #readShared(runId: string, after: number, limit: number): Promise<LogSlice<Event>> {
    const key = this.#keyOf(runId);
    const [entries, last] = await this.#options.link.command((redis) =>
      Promise.all([
        redis.xrange(key, `${after + 1}-0`, '+', 'COUNT', limit) as Promise<LogEntryReply[]>,
        lastEntry(redis, key),
      ]),
    );
    if (!last) return { events: [], state: 'unknown' };
    const events = entries.map((entry) => this.#options.decode(textOf(entry)));
    const [first] = events;
    // The events between were trimmed from the log and cannot be had. An end that another node wrote has a seq far ahead on purpose, which is no gap.
    if (first && (first.fromSeq ?? first.seq) > after + 1 && !this.#options.isEnd(first)) {
      return { events: [], state: 'unknown' };
    }
    const reached = entries.length > 0 ? seqOf(entries.at(-1) as LogEntryReply) : after;
    return { events, state: isEndEntry(last) && reached >= seqOf(last) ? 'closed' : 'open' };
  }

  #wake(runIds: readonly string[]): void {
    for (const runId of runIds) for (const wake of this.#followed.get(runId) ?? []) wake();
  }

  /** Wakes the readers in case a notification was lost, and reports the runs that they follow, which the owners of those runs ask for. */
  #lookAround(): void {
    const elsewhere = [...this.#followed.keys()].filter((runId) => !this.#writer.has(runId));
    if (elsewhere.length === 0) return;
    this.#wake(elsewhere);
    this.#sayFollowing(elsewhere);
  }

  #sayFollowing(runIds: readonly string[]): void {
    this.#options.link
      .behind(async (redis) => {
        const pipeline = redis.pipeline();
        for (const runId of runIds) pipeline.set(this.#readersKey(runId), '1', 'PX', READER_MS);
        await pipeline.exec();
      })
      .catch(() => {});
  }

  #keyOf(runId: string): string {
    return this.#prefix + runId;
  }

  #readersKey(runId: string): string {
    return `${this.#prefix}readers:${runId}`;
  }
}
