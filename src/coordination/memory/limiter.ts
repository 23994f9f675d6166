// Owns limits counted in the process: exact for one node.
import type { Clock } from '../../kernel/clock.ts';
import type { CountingLimiter, LimitAnswer, LimitWant } from '../contract.ts';
import { msUntilGone, SLOTS, slotAt } from '../limit-window.ts';

interface Counter {
  readonly windowMs: number;
  /** Amounts by slot, oldest first. */
  readonly slots: Map<number, number>;
  total: number;
}

export interface MemoryLimiterOptions {
  readonly clock: Clock;
  /** How often, in milliseconds, empty counters are dropped. */
  readonly sweepEveryMs?: number;
}

const SWEEP_EVERY_MS = 60_000;

export class MemoryLimiter implements CountingLimiter {
  readonly #clock: Clock;
  readonly #counters = new Map<string, Counter>();
  /** Runs under way, by key. */
  readonly #places = new Map<string, Set<string>>();
  /** When each run took its amounts, by run id. */
  readonly #takenAt = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor({ clock, sweepEveryMs = SWEEP_EVERY_MS }: MemoryLimiterOptions) {
    this.#clock = clock;
    this.#timer = setInterval(() => this.#sweep(), sweepEveryMs);
    this.#timer.unref();
  }

  take(runId: string, wants: readonly LimitWant[]): LimitAnswer {
    const now = this.#clock.now().getTime();
    const free = wants.map((want) => want.limit - this.#used(want, now));
    const refused = wants.findIndex((want, index) => want.amount > (free[index] ?? 0));
    if (refused >= 0) {
      const remaining = free.map((left) => Math.max(0, left));
      const retryAfterMs = this.#retryAfter(wants[refused] as LimitWant, now);
      return { refused, retryAfterMs, remaining };
    }
    this.#take(runId, wants, now);
    const remaining = wants.map(({ amount }, index) => (free[index] ?? 0) - amount);
    return { refused: null, retryAfterMs: 0, remaining };
  }

  count(runId: string, wants: readonly LimitWant[]): void {
    this.#take(runId, wants, this.#clock.now().getTime());
  }

  settle(runId: string, wants: readonly (LimitWant & { readonly used: number })[]): void {
    const now = this.#clock.now().getTime();
    const takenAt = this.#takenAt.get(runId);
    if (takenAt === undefined) return;
    this.#takenAt.delete(runId);
    for (const want of wants) {
      if (want.windowMs === null) this.#leave(want.key, runId);
      else if (want.used > want.amount) this.#add(runId, want, now, want.used - want.amount);
      else if (want.used < want.amount) this.#giveBack(want, takenAt, want.amount - want.used);
    }
  }

  dispose(): void {
    clearInterval(this.#timer);
  }

  #take(runId: string, wants: readonly LimitWant[], now: number): void {
    for (const want of wants) this.#add(runId, want, now, want.amount);
    this.#takenAt.set(runId, now);
  }

  #used(want: LimitWant, now: number): number {
    if (want.windowMs === null) return this.#places.get(want.key)?.size ?? 0;
    const counter = this.#counters.get(want.key);
    if (!counter) return 0;
    forgetPast(counter, now);
    return counter.total;
  }

  #add(runId: string, { key, windowMs }: LimitWant, now: number, amount: number): void {
    if (windowMs === null) {
      const places = this.#places.get(key) ?? new Set();
      this.#places.set(key, places.add(runId));
      return;
    }
    let counter = this.#counters.get(key);
    if (!counter) {
      counter = { windowMs, slots: new Map(), total: 0 };
      this.#counters.set(key, counter);
    }
    forgetPast(counter, now);
    const slot = slotAt(now, windowMs);
    counter.slots.set(slot, (counter.slots.get(slot) ?? 0) + amount);
    counter.total += amount;
  }

  #giveBack({ key, windowMs }: LimitWant, takenAt: number, amount: number): void {
    const counter = this.#counters.get(key);
    const slot = slotAt(takenAt, windowMs ?? 1);
    const there = counter?.slots.get(slot);
    if (!counter || there === undefined) return;
    counter.slots.set(slot, there - amount);
    counter.total -= amount;
  }

  #leave(key: string, runId: string): void {
    const places = this.#places.get(key);
    places?.delete(runId);
    if (places?.size === 0) this.#places.delete(key);
  }

  #retryAfter({ key, windowMs, limit, amount }: LimitWant, now: number): number {
    const counter = this.#counters.get(key);
    if (windowMs === null || !counter || amount > limit) return 0;
    let used = counter.total;
    for (const [slot, taken] of counter.slots) {
      used -= taken;
      if (used + amount <= limit) return msUntilGone(slot, now, windowMs);
    }
    return 0;
  }

  #sweep(): void {
    const now = this.#clock.now().getTime();
    for (const [key, counter] of this.#counters) {
      forgetPast(counter, now);
      if (counter.slots.size === 0) this.#counters.delete(key);
    }
  }
}

function forgetPast(counter: Counter, now: number): void {
  const oldest = slotAt(now, counter.windowMs) - SLOTS;
  for (const [slot, amount] of counter.slots) {
    if (slot >= oldest) return;
    counter.slots.delete(slot);
    counter.total -= amount;
  }
}
