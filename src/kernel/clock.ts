// Owns the clock that is passed in wherever time matters.

export interface Clock {
  /** Wall time, for what is stored and shown. */
  now(): Date;
  /** Milliseconds that never go backwards, for durations. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
};
