// Owns the event log that nodes share: a Redis stream a run, written behind the owner's memory, read by every other node.
//
// 1. The owner's events go to its own memory at once, and its own readers see them there: the log adds nothing to the first token.
// 2. They are gathered for Redis: one batch is under way, the next gathers meanwhile. Entry ids are `<seq>-0`, so Redis refuses repeats.
// 3. Each batch ends with one word to all nodes: which runs have grown. A node looks at every run that it follows once a second as well.
// 4. What Redis has not confirmed is kept, and sent again when it is back; a run that goes on is compared with what Redis still has.
// 5. With `strict` events are shown only once Redis has them.
import type { ChainableCommander, Redis } from 'ioredis';
import { SharedStateUnavailable } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { EventLog, LogSlice, SequencedEvent } from '../contract.ts';
import { MemoryEventLog, type MemoryEventLogOptions } from '../memory/event-log.ts';
import type { RedisBus } from './bus.ts';
import type { RedisLink } from './link.ts';
import { appendToLogs, LOG_SCRIPTS, MAX_ENTRIES } from './log-append.ts';

export interface RedisEventLogOptions<Event> extends MemoryEventLogOptions<Event> {
  readonly link: RedisLink;
  readonly bus: RedisBus;
  readonly logger: Logger;
  readonly encode: (event: Event) => string;
  readonly decode: (text: string) => Event;
  /** Whether an event ends its run. */
  readonly isEnd: (event: Event) => boolean;
  /** Shows an event only when Redis has it. */
  readonly strict: boolean;
  readonly prefix?: string;
}

/** A run of this node whose events are not all in Redis yet, or that goes on. */
interface Outgoing<Event> {
  /** In order; what Redis has confirmed is taken out. */
  readonly unsent: Event[];
  closed: boolean;
  /** It must be compared with what Redis has before anything is sent. */
  unsure: boolean;
}

/** The first so many of what a run has to send; `ends`: with them its log is whole. */
interface Sending<Event> {
  readonly runId: string;
  readonly outgoing: Outgoing<Event>;
  readonly count: number;
  readonly ends: boolean;
}

type Entry = [id: string, fields: string[]];

const PREFIX = 'mg:run:';
const WAKE = 'wake';
const LOOK_EVERY_MS = 1_000;
const RETRY_MS = 250;
/** Readers on other nodes say so once a second; without word for this long there is none. */
const READER_MS = 4_000;
/** The log of a run that goes on is kept as long as a run may last. */
const RUNNING_MS = 86_400_000;
/** Events of one script: Redis does nothing else meanwhile. */
const MAX_BATCH = 500;
const CLOSE_WITHIN_MS = 3_000;

export class RedisEventLog<Event extends SequencedEvent> implements EventLog<Event> {
  readonly #options: RedisEventLogOptions<Event>;
  readonly #own: MemoryEventLog<Event>;
  readonly #prefix: string;
  readonly #outgoing = new Map<string, Outgoing<Event>>();
  readonly #followed = new Map<string, Set<() => void>>();
  readonly #stopListening: (() => void)[];
  readonly #timer: NodeJS.Timeout;
  #sending: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: RedisEventLogOptions<Event>) {
    this.#options = options;
    this.#own = new MemoryEventLog(options);
    this.#prefix = options.prefix ?? PREFIX;
    options.link.define(LOG_SCRIPTS);
    this.#stopListening = [
      options.bus.listen(WAKE, (text) => this.#wake(text.split(' '))),
      options.bus.onReady(() => this.#wake([...this.#followed.keys()])),
      options.link.onBack(() => this.#compareAll()),
    ];
    this.#timer = setInterval(() => this.#lookAround(), LOOK_EVERY_MS).unref();
  }

  append(runId: string, events: readonly Event[]): void {
    if (!this.#options.strict) this.#own.append(runId, events);
    const outgoing = this.#outgoing.get(runId) ?? { unsent: [], closed: false, unsure: false };
    this.#outgoing.set(runId, outgoing);
    // One by one: there may be more events than a call can take arguments.
    for (const event of events) outgoing.unsent.push(event);
    this.#sendSoon();
  }

  close(runId: string): void {
    const outgoing = this.#outgoing.get(runId);
    if (outgoing) outgoing.closed = true;
    if (!this.#options.strict || !outgoing || outgoing.unsent.length === 0) this.#own.close(runId);
    this.#sendSoon();
  }

  async conclude(runId: string, events: readonly Event[]): Promise<void> {
    // A run of this node that another has ended: what was still to be written is void.
    if (this.#outgoing.delete(runId)) await this.#own.conclude(runId, events);
    const { link, encode, isEnd, retentionMs, bus } = this.#options;
    const key = this.#prefix + runId;
    await link.behind(async (redis) => {
      const last = await this.#lastEntry(redis, key);
      if (last && isEndEntry(last)) return;
      const writing = redis.multi();
      for (const event of events) addEntry(writing, key, event.seq, encode(event), isEnd(event));
      await writing.pexpire(key, retentionMs).exec();
    });
    bus.publish(WAKE, runId);
    this.#wake([runId]);
  }

  async lastSeq(runId: string): Promise<number> {
    const own = await this.#own.lastSeq(runId);
    if (own > 0) return own;
    const last = await this.#options.link.behind((redis) => this.#lastEntry(redis, this.#prefix + runId));
    return last ? seqOf(last) : 0;
  }

  async isFollowedElsewhere(runId: string): Promise<boolean> {
    try {
      return (await this.#options.link.command((redis) => redis.exists(this.#readersKey(runId)))) > 0;
    } catch {
      // Nobody can tell: a reader there may be.
      return true;
    }
  }

  read(runId: string, after: number, limit: number): LogSlice<Event> | Promise<LogSlice<Event>> {
    const own = this.#own.read(runId, after, limit);
    return own.state === 'unknown' ? this.#readShared(runId, after, limit) : own;
  }

  follow(runId: string, wake: () => void): () => void {
    const unfollowOwn = this.#own.follow(runId, wake);
    const wakes = this.#followed.get(runId) ?? new Set();
    wakes.add(wake);
    this.#followed.set(runId, wakes);
    if (!this.#outgoing.has(runId)) this.#sayFollowing([runId]);
    return () => {
      unfollowOwn();
      wakes.delete(wake);
      if (wakes.size === 0 && this.#followed.get(runId) === wakes) this.#followed.delete(runId);
    };
  }

  async dispose(): Promise<void> {
    clearInterval(this.#timer);
    for (const stop of this.#stopListening) stop();
    const deadline = Date.now() + CLOSE_WITHIN_MS;
    while (this.#hasUnsent() && Date.now() < deadline && this.#options.link.onPath) {
      this.#sendSoon();
      await Promise.race([this.#sending, new Promise((resolve) => setTimeout(resolve, RETRY_MS))]);
    }
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#own.dispose();
  }

  #hasUnsent(): boolean {
    return [...this.#outgoing.values()].some(({ unsent, closed }) => unsent.length > 0 || closed);
  }

  #sendSoon(): void {
    if (this.#sending || this.#closed) return;
    this.#sending = Promise.resolve()
      .then(() => this.#sendAll())
      .finally(() => {
        this.#sending = undefined;
        // What came in after the last look begins a batch of its own.
        if (!this.#retry && this.#hasUnsent()) this.#sendSoon();
      });
  }

  async #sendAll(): Promise<void> {
    try {
      while (this.#hasUnsent() && !this.#closed) {
        await this.#compareUnsure();
        await this.#sendBatch();
      }
    } catch (error) {
      if (!(error instanceof SharedStateUnavailable)) {
        this.#options.logger.warn({ err: error }, 'Events of runs could not be written to Redis');
      }
      // What was under way may have arrived or not.
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
      const count = Math.min(outgoing.unsent.length, room);
      room -= count;
      const ends = outgoing.closed && count === outgoing.unsent.length;
      if (count > 0 || ends) batch.push({ runId, outgoing, count, ends });
      if (room === 0) break;
    }
    await this.#options.link.behind((redis) => this.#append(redis, batch));
    for (const { runId, outgoing, count, ends } of batch) this.#confirm(runId, outgoing, count, ends);
  }

  #append(redis: Redis, batch: readonly Sending<Event>[]): Promise<unknown> {
    const { encode, isEnd, retentionMs, bus } = this.#options;
    const grown = batch.filter(({ count }) => count > 0).map(({ runId }) => runId);
    const logs = batch.map(({ runId, outgoing, count, ends }) => ({
      key: this.#prefix + runId,
      keepMs: ends ? retentionMs : outgoing.unsent[0]?.seq === 1 ? RUNNING_MS : 0,
      entries: outgoing.unsent.slice(0, count).map((event) => {
        return { seq: event.seq, text: encode(event), isEnd: isEnd(event) };
      }),
    }));
    return appendToLogs(redis, logs, { channel: bus.nameOf(WAKE), word: grown.join(' ') });
  }

  #confirm(runId: string, outgoing: Outgoing<Event>, count: number, ends: boolean): void {
    const sent = outgoing.unsent.splice(0, count);
    if (this.#options.strict && sent.length > 0) this.#own.append(runId, sent);
    if (!ends) return;
    this.#outgoing.delete(runId);
    if (this.#options.strict) this.#own.close(runId);
  }

  /** Redis may have lost what it had, or never got what was sent: it is asked for its last entry of each run. */
  async #compareUnsure(): Promise<void> {
    const unsure = [...this.#outgoing].filter(([, outgoing]) => outgoing.unsure);
    if (unsure.length === 0) return;
    const lasts = await this.#options.link.behind((redis) =>
      Promise.all(unsure.map(([runId]) => this.#lastEntry(redis, this.#prefix + runId))),
    );
    for (const [index, [runId, outgoing]] of unsure.entries()) {
      const last = lasts[index];
      const lastSeq = last ? seqOf(last) : 0;
      // Memory has all of a run that goes on; of one that has ended, at least what was never confirmed is here.
      const known = this.#own.read(runId, lastSeq, Number.POSITIVE_INFINITY);
      const lacking = [...known.events, ...outgoing.unsent].filter(({ seq }) => seq > lastSeq);
      const bySeq = new Map(lacking.map((event) => [event.seq, event]));
      const resent = [...bySeq.values()].sort((one, other) => one.seq - other.seq);
      outgoing.unsent.length = 0;
      for (const event of resent) outgoing.unsent.push(event);
      outgoing.unsure = false;
    }
  }

  #compareAll(): void {
    for (const outgoing of this.#outgoing.values()) outgoing.unsure = true;
    if (this.#outgoing.size > 0) this.#sendSoon();
  }

  async #readShared(runId: string, after: number, limit: number): Promise<LogSlice<Event>> {
    const key = this.#prefix + runId;
    const [entries, last] = await this.#options.link.command((redis) =>
      Promise.all([
        redis.xrange(key, `${after + 1}-0`, '+', 'COUNT', limit) as Promise<Entry[]>,
        this.#lastEntry(redis, key),
      ]),
    );
    if (!last) return { events: [], state: 'unknown' };
    const events = entries.map((entry) => this.#options.decode(fieldOf(entry, 'e')));
    const [first] = events;
    // Trimmed away: what is lacking cannot be made up for. An end that another node wrote lies far ahead on purpose.
    if (first && (first.fromSeq ?? first.seq) > after + 1 && !this.#options.isEnd(first)) {
      return { events: [], state: 'unknown' };
    }
    const reached = entries.length > 0 ? seqOf(entries.at(-1) as Entry) : after;
    return { events, state: isEndEntry(last) && reached >= seqOf(last) ? 'closed' : 'open' };
  }

  async #lastEntry(redis: Redis, key: string): Promise<Entry | undefined> {
    const [last] = (await redis.xrevrange(key, '+', '-', 'COUNT', 1)) as Entry[];
    return last;
  }

  #wake(runIds: readonly string[]): void {
    for (const runId of runIds) for (const wake of this.#followed.get(runId) ?? []) wake();
  }

  /** In case a word was lost; and for owners elsewhere, who ask whether anybody follows their runs. */
  #lookAround(): void {
    const elsewhere = [...this.#followed.keys()].filter((runId) => !this.#outgoing.has(runId));
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

  #readersKey(runId: string): string {
    return `${this.#prefix}readers:${runId}`;
  }
}

function addEntry(
  pipeline: ChainableCommander,
  key: string,
  seq: number,
  text: string,
  isEnd: boolean,
): void {
  const fields = isEnd ? ['e', text, 'end', '1'] : ['e', text];
  pipeline.xadd(key, 'MAXLEN', '~', MAX_ENTRIES, `${seq}-0`, ...fields);
}

function seqOf([id]: Entry): number {
  return Number(id.split('-', 1)[0]);
}

function fieldOf([, fields]: Entry, name: string): string {
  return fields[fields.indexOf(name) + 1] ?? '';
}

function isEndEntry([, fields]: Entry): boolean {
  return fields.length > 2;
}
