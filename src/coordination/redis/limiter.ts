// Owns limits that all nodes count together in Redis: one script, in one round trip and by Redis' own clock, decides for all runs that have gathered.

import { Batcher } from '../../kernel/batcher.ts';
import { SharedStateUnavailable } from '../../kernel/errors.ts';
import type { CountingLimiter, LimitAnswer, Limiter, LimitWant } from '../contract.ts';
import { SLOTS } from '../limit-window.ts';
import type { RedisLink } from './link.ts';

export interface RedisLimiterOptions {
  readonly link: RedisLink;
  /**
   * Decides while Redis is away. It also counts everything that this node is granted by Redis, so that limits do not start from zero when Redis is left
   * out.
   */
  readonly alone: CountingLimiter;
  readonly prefix?: string;
}

interface Taken {
  readonly places: readonly string[];
  /** The moment of taking, by Redis' clock, in milliseconds. */
  readonly atMs: number;
  /** True if only this node has counted it, because Redis was away. */
  readonly alone: boolean;
}

interface Asking {
  readonly runId: string;
  readonly wants: readonly LimitWant[];
}

const PREFIX = 'mg:limit';
/** Slots of concurrency of a node that died come free after this time. */
const PLACE_MS = 30_000;
const RENEW_EVERY_MS = 10_000;

/** The most runs that one script decides on, because Redis does no other work while a script runs. */
const MAX_BATCH = 200;

/**
 * Decides on runs in order of their arrival; a key that several of them use is read and written once. Each counter is a hash of amounts by slot of time;
 * runs under way are a sorted set by the time at which they expire.
 */
const TAKE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local slots = tonumber(ARGV[1])
local counters = {}
local function counter_of(key, window)
  local counter = counters[key]
  if counter then return counter end
  counter = { used = 0, fields = {}, window = window, taken = 0 }
  if window == 0 then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    counter.used = redis.call('ZCARD', key)
  else
    counter.slot = math.floor(now / (window / slots))
    local all = redis.call('HGETALL', key)
    for j = 1, #all, 2 do
      local slot, amount = tonumber(all[j]), tonumber(all[j + 1])
      if slot < counter.slot - slots then redis.call('HDEL', key, all[j])
      else counter.used = counter.used + amount; counter.fields[#counter.fields + 1] = { slot, amount } end
    end
  end
  counters[key] = counter
  return counter
end
local function retry_after(counter, limit, amount)
  local fields, used = { { counter.slot, counter.taken } }, counter.used
  for _, field in ipairs(counter.fields) do fields[#fields + 1] = field end
  table.sort(fields, function(a, b) return a[1] < b[1] end)
  for _, field in ipairs(fields) do
    used = used - field[2]
    if used + amount <= limit then
      return math.max(1, math.ceil((field[1] + slots + 1) * (counter.window / slots) - now))
    end
  end
  return 0
end
local answers = { now }
local at, place = 2, 1
while at < #ARGV do
  local run, wants, refused, retry = ARGV[at], tonumber(ARGV[at + 1]), 0, 0
  at = at + 2
  local head = #answers
  answers[head + 1], answers[head + 2] = 0, 0
  for i = 1, wants do
    local window, limit, amount = tonumber(ARGV[at + i * 3 - 3]), tonumber(ARGV[at + i * 3 - 2]), tonumber(ARGV[at + i * 3 - 1])
    local counter = counter_of(KEYS[place + i - 1], window)
    answers[head + 2 + i] = math.max(0, limit - counter.used)
    if refused == 0 and counter.used + amount > limit then
      refused = i
      if window > 0 and amount <= limit then retry = retry_after(counter, limit, amount) end
    end
  end
  if refused == 0 then
    for i = 1, wants do
      local key, amount = KEYS[place + i - 1], tonumber(ARGV[at + i * 3 - 1])
      local counter = counters[key]
      if counter.window == 0 then redis.call('ZADD', key, now + ${PLACE_MS}, run); amount = 1 end
      counter.used = counter.used + amount
      counter.taken = counter.taken + amount
      answers[head + 2 + i] = answers[head + 2 + i] - amount
    end
  end
  answers[head + 1], answers[head + 2] = refused, retry
  at, place = at + wants * 3, place + wants
end
for key, counter in pairs(counters) do
  if counter.taken > 0 then
    if counter.window > 0 then redis.call('HINCRBY', key, counter.slot, counter.taken) end
    redis.call('PEXPIRE', key, counter.window > 0 and counter.window * 2 or ${PLACE_MS * 2})
  end
end
return answers`;

/** Use beyond the amount taken is counted now; an amount that was not used is given back to the slot that it was taken in. */
const SETTLE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local run, slots, takenAt = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
for i, key in ipairs(KEYS) do
  local window, more = tonumber(ARGV[i * 2 + 2]), tonumber(ARGV[i * 2 + 3])
  if window == 0 then redis.call('ZREM', key, run)
  elseif more > 0 then
    redis.call('HINCRBY', key, math.floor(now / (window / slots)), more)
    redis.call('PEXPIRE', key, window * 2)
  elseif more < 0 then
    local slot = math.floor(takenAt / (window / slots))
    if redis.call('HEXISTS', key, slot) == 1 then redis.call('HINCRBY', key, slot, more) end
  end
end`;

const RENEW = `
local time = redis.call('TIME')
local until_ms = time[1] * 1000 + math.floor(time[2] / 1000) + ${PLACE_MS}
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, until_ms, ARGV[i])
  redis.call('PEXPIRE', key, ${PLACE_MS * 2})
end`;

interface Scripts {
  limitTake(keys: number, ...args: (string | number)[]): Promise<number[]>;
  limitSettle(keys: number, ...args: (string | number)[]): Promise<unknown>;
  limitRenew(keys: number, ...args: string[]): Promise<unknown>;
}

export class RedisLimiter implements Limiter {
  readonly #options: RedisLimiterOptions;
  readonly #prefix: string;
  readonly #taken = new Map<string, Taken>();
  readonly #asking: Batcher<Asking, LimitAnswer>;
  readonly #timer: NodeJS.Timeout;

  constructor(options: RedisLimiterOptions) {
    this.#options = options;
    this.#prefix = options.prefix ?? PREFIX;
    options.link.define({ limitTake: TAKE, limitSettle: SETTLE, limitRenew: RENEW });
    this.#asking = new Batcher({
      work: (batch) => this.#ask(batch),
      maxBatch: MAX_BATCH,
      failureOf: () => 'batch',
    });
    this.#timer = setInterval(() => this.#renew(), RENEW_EVERY_MS);
    this.#timer.unref();
  }

  take(runId: string, wants: readonly LimitWant[]): Promise<LimitAnswer> {
    return this.#asking.add({ runId, wants });
  }

  settle(runId: string, wants: readonly (LimitWant & { readonly used: number })[]): void {
    const taken = this.#taken.get(runId);
    if (!taken) return;
    this.#taken.delete(runId);
    this.#options.alone.settle(runId, wants);
    if (taken.alone) return;
    const changed = wants.filter(({ windowMs, amount, used }) => windowMs === null || used !== amount);
    if (changed.length === 0) return;
    const keys = changed.map(({ key }) => this.#keyOf(key));
    const numbers = changed.flatMap(({ windowMs, amount, used }) => [windowMs ?? 0, used - amount]);
    // If Redis is away this correction is lost: the amount counts as it was taken until its window has passed, and a slot of concurrency expires by itself.
    this.#options.link
      .behind((redis) =>
        (redis as unknown as Scripts).limitSettle(keys.length, ...keys, runId, SLOTS, taken.atMs, ...numbers),
      )
      .catch(() => {});
  }

  dispose(): void {
    clearInterval(this.#timer);
    this.#options.alone.dispose();
  }

  async #ask(batch: readonly Asking[]): Promise<LimitAnswer[]> {
    const keys: string[] = [];
    const told: (string | number)[] = [SLOTS];
    for (const { runId, wants } of batch) {
      told.push(runId, wants.length);
      for (const { key, windowMs, limit, amount } of wants) {
        keys.push(this.#keyOf(key));
        told.push(windowMs ?? 0, limit, amount);
      }
    }
    try {
      const [atMs = 0, ...answers] = await this.#options.link.decision((redis) =>
        (redis as unknown as Scripts).limitTake(keys.length, ...keys, ...told),
      );
      return this.#readAnswers(batch, atMs, answers);
    } catch (error) {
      if (!(error instanceof SharedStateUnavailable)) throw error;
      return Promise.all(batch.map((asking) => this.#takeAlone(asking)));
    }
  }

  #readAnswers(batch: readonly Asking[], atMs: number, answers: readonly number[]): LimitAnswer[] {
    let at = 0;
    return batch.map(({ runId, wants }) => {
      const [refused = 0, retryAfterMs = 0, ...remaining] = answers.slice(at, at + 2 + wants.length);
      at += 2 + wants.length;
      if (refused === 0) {
        this.#taken.set(runId, { places: this.#placesOf(wants), atMs, alone: false });
        this.#options.alone.count(runId, wants);
      }
      return { refused: refused === 0 ? null : refused - 1, retryAfterMs, remaining };
    });
  }

  async #takeAlone({ runId, wants }: Asking): Promise<LimitAnswer> {
    const answer = await this.#options.alone.take(runId, wants);
    if (answer.refused === null) this.#taken.set(runId, { places: [], atMs: 0, alone: true });
    return answer;
  }

  #renew(): void {
    const places = [...this.#taken].flatMap(([runId, taken]) => taken.places.map((key) => ({ key, runId })));
    if (places.length === 0) return;
    const keys = places.map(({ key }) => key);
    const runIds = places.map(({ runId }) => runId);
    this.#options.link
      .behind((redis) => (redis as unknown as Scripts).limitRenew(keys.length, ...keys, ...runIds))
      .catch(() => {});
  }

  #placesOf(wants: readonly LimitWant[]): string[] {
    return wants.filter(({ windowMs }) => windowMs === null).map(({ key }) => this.#keyOf(key));
  }

  #keyOf(key: string): string {
    return `${this.#prefix}:${key}`;
  }
}
