// Owns the connection to Redis. Commands that requests wait for have a short time limit: after three misses, or when Redis says that it takes no writes,
// the node goes on without Redis until a probe succeeds.
import { Redis } from 'ioredis';
import { SharedStateUnavailable } from '../../kernel/errors.ts';
import type { Telemetry } from '../../kernel/telemetry.ts';
import { NoAnswer, Patience } from './patience.ts';

export interface RedisLinkOptions {
  readonly url: string;
  readonly telemetry: Telemetry;
  /** How long, in milliseconds, a request waits for a command. */
  readonly commandMs?: number;
  readonly probeEveryMs?: number;
}

const COMMAND_MS = 50;
/** The time limit of a command that no request waits for, in milliseconds. */
const BEHIND_MS = 10_000;
const PROBE_EVERY_MS = 250;
const MISSES_UNTIL_OFF = 3;
const CONNECT_TIMEOUT_MS = 2_000;
/** The key has no meaning; that it can be written shows that Redis takes writes. */
const PROBE_KEY = 'mg:probe';
const PROBE_KEPT_MS = 1_000;
/**
 * The words by which Redis says that it cannot work now: full, read-only, unable to save, starting, busy, split, or moved. In answers to scripts the
 * word stands within the text.
 */
const OUT_OF_ORDER =
  /\b(OOM|READONLY|MISCONF|NOREPLICAS|MASTERDOWN|LOADING|BUSY|CLUSTERDOWN|TRYAGAIN|EXECABORT|NOAUTH|WRONGPASS|NOPERM)\b/;
const MAX_RECONNECT_MS = 1_000;

export class RedisLink {
  readonly #redis: Redis;
  readonly #options: RedisLinkOptions;
  readonly #commandMs: number;
  readonly #onBack = new Set<() => void>();
  readonly #patience = new Patience();
  #misses = 0;
  #onPath = true;
  #probe: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.#commandMs = options.commandMs ?? COMMAND_MS;
    this.#redis = connect(options.url);
    this.#redis.on('error', () => {});
    // Commands that were under way when the connection broke may be lost, so everything that keeps state in Redis writes it again.
    this.#redis.on('ready', () => this.#tellBack());
  }

  /** True if a connection was made in time; if not, the node starts without Redis until a probe succeeds. */
  async ready(withinMs = CONNECT_TIMEOUT_MS): Promise<boolean> {
    if (this.#redis.status === 'ready') return true;
    const connected = new Promise<void>((resolve) => this.#redis.once('ready', () => resolve()));
    try {
      await this.#patience.within(connected, withinMs);
      return true;
    } catch (error) {
      this.#misses = MISSES_UNTIL_OFF;
      this.#miss(error);
      return false;
    }
  }

  /** False while Redis is left out: nothing that a request waits for is then sent to it. */
  get onPath(): boolean {
    return this.#onPath && !this.#closed;
  }

  /** Raises `SharedStateUnavailable` if Redis is left out, takes no writes or does not answer in time; Redis may still carry the command out. */
  async command<Result>(work: (redis: Redis) => Promise<Result>): Promise<Result> {
    const answer = this.#send(work);
    try {
      return await this.#answered(answer);
    } catch (error) {
      throw unavailable(error);
    }
  }

  /**
   * Like `command`, but for an answer that has no substitute: it is awaited until Redis is left out. A late answer is used, and counts as the misses
   * that it took.
   */
  async decision<Result>(work: (redis: Redis) => Promise<Result>): Promise<Result> {
    const answer = this.#send(work);
    let misses = 0;
    for (;;) {
      try {
        return await this.#answered(answer, misses);
      } catch (error) {
        if (!(error instanceof NoAnswer && this.onPath)) throw unavailable(error);
        misses += 1;
      }
    }
  }

  /** For commands that no request waits for: they may take long, and their failure does not count as a miss. Raises `SharedStateUnavailable`. */
  async behind<Result>(work: (redis: Redis) => Promise<Result>): Promise<Result> {
    if (this.#closed) throw new SharedStateUnavailable('Redis is no longer used by this node');
    try {
      return await this.#patience.within(work(this.#redis), BEHIND_MS);
    } catch (error) {
      if (isRefusal(error)) throw error;
      throw new SharedStateUnavailable('Redis did not take what was written behind', { cause: error });
    }
  }

  /** Defines scripts by name, so that `command` can call them by their digest. */
  define(scripts: Readonly<Record<string, string>>): void {
    for (const [name, lua] of Object.entries(scripts)) this.#redis.defineCommand(name, { lua });
  }

  /** Calls `tell` after each new connection, and when Redis is used again after it was left out. */
  onBack(tell: () => void): () => void {
    this.#onBack.add(tell);
    return () => this.#onBack.delete(tell);
  }

  /** Opens a further connection, for commands that block or subscribe. The caller closes it. */
  duplicate(): Redis {
    const redis = connect(this.#options.url);
    redis.on('error', () => {});
    return redis;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#probe);
    this.#redis.disconnect();
  }

  #send<Result>(work: (redis: Redis) => Promise<Result>): Promise<Result> {
    if (!this.onPath) throw new SharedStateUnavailable('Redis is off the path until it answers again');
    return work(this.#redis);
  }

  async #answered<Result>(answer: Promise<Result>, missed = 0): Promise<Result> {
    try {
      const result = await this.#patience.within(answer, this.#commandMs);
      if (missed === 0) this.#misses = 0;
      return result;
    } catch (error) {
      if (isOutOfOrder(error)) this.#misses = MISSES_UNTIL_OFF;
      if (!isRefusal(error)) this.#miss(error);
      throw error;
    }
  }

  #miss(error: unknown): void {
    this.#misses += 1;
    const isLeftOut = this.#misses >= MISSES_UNTIL_OFF && this.#onPath;
    const fault = isOutOfOrder(error) ? 'takes no writes' : 'does not answer';
    if (isLeftOut) this.#onPath = false;
    this.#options.telemetry.emit({ type: 'redis-missed', error, leftOut: isLeftOut ? fault : undefined });
    if (!isLeftOut) return;
    this.#probeLater();
  }

  #probeLater(): void {
    if (this.#closed) return;
    this.#probe = setTimeout(() => void this.#probeOnce(), this.#options.probeEveryMs ?? PROBE_EVERY_MS);
  }

  async #probeOnce(): Promise<void> {
    try {
      // A Redis that is full or read-only answers a ping.
      await this.#patience.within(this.#redis.set(PROBE_KEY, '', 'PX', PROBE_KEPT_MS), this.#commandMs);
    } catch {
      this.#probeLater();
      return;
    }
    this.#misses = 0;
    this.#onPath = true;
    this.#options.telemetry.emit({ type: 'redis-returned' });
    this.#tellBack();
  }

  #tellBack(): void {
    for (const tell of this.#onBack) tell();
  }
}

/** True if Redis has answered and refused this command only: another command may well succeed. */
function isRefusal(error: unknown): boolean {
  return isErrorReply(error) && !OUT_OF_ORDER.test(error.message);
}

function isOutOfOrder(error: unknown): boolean {
  return isErrorReply(error) && OUT_OF_ORDER.test(error.message);
}

function isErrorReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

function unavailable(error: unknown): unknown {
  return isRefusal(error)
    ? error
    : new SharedStateUnavailable('Redis did not do it in time', { cause: error });
}

function connect(url: string): Redis {
  return new Redis(url, {
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Commands of one turn of the event loop travel together.
    enableAutoPipelining: true,
    // A command fails at once while there is no connection, and is never sent twice.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (times) => Math.min(times * 50, MAX_RECONNECT_MS),
  });
}
