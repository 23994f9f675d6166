// Owns the contracts of the state that nodes share while runs go on: the event log of a run, messages between nodes, circuits, and limits.

/** An entry of a run's log; `seq` grows by one with each. */
export interface SequencedEvent {
  readonly seq: number;
  /** The first place that it covers; absent: it covers only its own. */
  readonly fromSeq?: number;
}

/**
 * The log of each run's events. Only the owner of the run appends, in order of `seq`; any node may read, from any place, any number of times. `Event` is
 * plain data.
 */
export interface EventLog<Event extends SequencedEvent> {
  /** Takes the events at once, and wakes the readers; never waits. */
  append(runId: string, events: readonly Event[]): void;
  /** Declares the log complete. Its events stay readable for the retention time, unless memory runs short. */
  close(runId: string): void;
  /**
   * Ends a log that its owner will not continue. Takes the events at once; while the log cannot be reached they are kept and written later. The last
   * event is the end. Events before it are taken only if they follow the last one in the log. A log that has its end stays as it is.
   */
  conclude(runId: string, events: readonly Event[]): void;
  /** `seq` of the last known event of the run, on any node; 0 if there is none. Raises `SharedStateUnavailable`. */
  lastSeq(runId: string): Promise<number>;
  /** Up to `limit` events with `seq > after`, oldest first. Raises `SharedStateUnavailable`. */
  read(runId: string, after: number, limit: number): Promise<LogSlice<Event>> | LogSlice<Event>;
  /** Calls `wake` whenever there is something new to read, or the log has closed, until the returned function is called. */
  follow(runId: string, wake: () => void): () => void;
  /** For how long, in milliseconds, the log remembers that a reader on another node followed a run. */
  readonly followerKnownMs: number;
  /**
   * How many milliseconds ago a reader on another node may last have followed the run; `undefined` if none did within `followerKnownMs`. 0 while the
   * shared state cannot be asked.
   */
  lastFollowedElsewhere(runId: string): Promise<number | undefined>;
  dispose(): Promise<void>;
}

/** Messages between nodes about runs. A message may be lost, so the sender must have a second way to reach its aim. */
export interface RunBus {
  /** Asks the node that runs the run to stop it. */
  cancel(runId: string): void;
  /** Calls `hear` for each request of another node, until the returned function is called. */
  onCancel(hear: (runId: string) => void): () => void;
}

export interface LogSlice<Event> {
  readonly events: readonly Event[];
  /** `unknown`: this store has no such log, or no longer has it. `closed`: these events reach up to the end. */
  readonly state: 'open' | 'closed' | 'unknown';
}

/** What a node tells the others of a circuit; there is one for each config and model. Moments are wall time in milliseconds. */
export interface CircuitNews {
  readonly key: string;
  /** Until then no calls are made; `null`: the circuit is closed. */
  readonly openUntilMs: number | null;
  /** Why it opened, for people. */
  readonly reason: string | null;
  /** Until then the provider has asked to receive no calls. */
  readonly quietUntilMs: number | null;
}

/** Circuits as all nodes see them. News may be lost in an outage: each node still has what its own calls have shown. */
export interface CircuitStore {
  publish(news: CircuitNews): void;
  /** Calls `hear` for each change that another node tells, first for all that is known already, until the returned function is called. */
  follow(hear: (news: CircuitNews) => void): () => void;
  /** True for one caller among all nodes, until it releases the probe or the time is over. */
  acquireProbe(key: string, forMs: number): Promise<boolean> | boolean;
  releaseProbe(key: string): void;
}

/** What one run asks of one limit. */
export interface LimitWant {
  /** Names the limit and the caller or workspace that it holds for; the same on every node. */
  readonly key: string;
  /** Length of the window in milliseconds; `null`: the amount is held until the run is settled (a bound on concurrency). */
  readonly windowMs: number | null;
  readonly limit: number;
  readonly amount: number;
}

export interface LimitAnswer {
  /** Index of the first limit without enough room, in which case nothing was taken; `null`: all was taken. */
  readonly refused: number | null;
  /** How long, in milliseconds, until the refused want may fit; 0 if that is not known, or nothing was refused. */
  readonly retryAfterMs: number;
  /** What is left of each limit now, in the order of `wants`. */
  readonly remaining: readonly number[];
}

/** Counts what runs take of limits: a run gets all that it asks for, or nothing. */
export interface Limiter {
  take(runId: string, wants: readonly LimitWant[]): Promise<LimitAnswer> | LimitAnswer;
  /** The run is over (or was never begun): its slots of concurrency come free, and each amount is corrected to what was used. */
  settle(runId: string, wants: readonly (LimitWant & { readonly used: number })[]): void;
  dispose(): void;
}

/** A limiter that can also count what another limiter has granted. */
export interface CountingLimiter extends Limiter {
  /** Counts what the run was granted elsewhere, even beyond the limit; it is settled as if it had been taken here. */
  count(runId: string, wants: readonly LimitWant[]): void;
}
