// Owns the contracts of the state that nodes share while runs go on: the event log of a run, word between nodes, circuits, and limits.

/** An entry of a run's log; `seq` grows by one with each. */
export interface SequencedEvent {
  readonly seq: number;
  /** The first place that it covers; absent: its own alone. */
  readonly fromSeq?: number;
}

/**
 * The log of each run's events. Only the run's owner appends, in order of `seq`; anybody reads, from any place, as often as it likes.
 * `Event` is plain data.
 */
export interface EventLog<Event extends SequencedEvent> {
  /** Takes the events at once, and wakes the readers; never waits. */
  append(runId: string, events: readonly Event[]): void;
  /** No more events will come. They stay readable for the retention, memory permitting. */
  close(runId: string): void;
  /**
   * Ends a log that its owner will not go on with. Takes the events at once; where the log cannot be reached they are kept and written later.
   * The last event is the end. Events before it are only taken if they follow the last one that the log has. A log that has its end stays as it is.
   */
  conclude(runId: string, events: readonly Event[]): void;
  /** `seq` of the last event that is known of the run, on whatever node; 0 if there is none. Raises `SharedStateUnavailable`. */
  lastSeq(runId: string): Promise<number>;
  /** Up to `limit` events with `seq > after`, oldest first. Raises `SharedStateUnavailable`. */
  read(runId: string, after: number, limit: number): Promise<LogSlice<Event>> | LogSlice<Event>;
  /** Calls `wake` whenever there is something new to read, or the log has closed, until the returned function is called. */
  follow(runId: string, wake: () => void): () => void;
  /** For how long it is known that a reader on another node followed a run. */
  readonly followerKnownMs: number;
  /**
   * How many milliseconds ago a reader on another node may last have followed the run; `undefined` if none did within `followerKnownMs`.
   * 0 where nobody can tell.
   */
  lastFollowedElsewhere(runId: string): Promise<number | undefined>;
  dispose(): Promise<void>;
}

/** Word between nodes about runs; what cannot be told is lost, and whoever tells has another way. */
export interface RunBus {
  /** Asks the node that has the run to stop it. */
  cancel(runId: string): void;
  /** Hears what other nodes ask, until the returned function is called. */
  onCancel(hear: (runId: string) => void): () => void;
}

export interface LogSlice<Event> {
  readonly events: readonly Event[];
  /** `unknown`: no such log is (or is still) kept here. `closed`: these events reach up to the end. */
  readonly state: 'open' | 'closed' | 'unknown';
}

/** What a node tells the others of a circuit: one for each config and model. Moments are wall time in milliseconds. */
export interface CircuitNews {
  readonly key: string;
  /** Calls are held back until then; `null`: closed. */
  readonly openUntilMs: number | null;
  /** Why it opened, for people. */
  readonly reason: string | null;
  /** The provider asked for quiet until then. */
  readonly quietUntilMs: number | null;
}

/** Circuits as all nodes see them. What cannot be told is lost: each node still has what it has seen itself. */
export interface CircuitStore {
  publish(news: CircuitNews): void;
  /** Hears what other nodes tell, what is known already included, until the returned function is called. */
  follow(hear: (news: CircuitNews) => void): () => void;
  /** True for one asker of all nodes, until it is released or the time is over. */
  acquireProbe(key: string, forMs: number): Promise<boolean> | boolean;
  releaseProbe(key: string): void;
}

/** What one run asks of one limit. */
export interface LimitWant {
  /** Names who is limited and in what; the same on every node. */
  readonly key: string;
  /** In any span of this length; `null`: at once, until the run is released. */
  readonly windowMs: number | null;
  readonly limit: number;
  readonly amount: number;
}

export interface LimitAnswer {
  /** Index of the first want that does not fit, in which case nothing was taken; `null`: all was. */
  readonly refused: number | null;
  /** When what was refused may fit; 0 where that cannot be told, or nothing was refused. */
  readonly retryAfterMs: number;
  /** What is left of each limit now, in the order of the wants. */
  readonly remaining: readonly number[];
}

/** Counts what runs take of limits: all that one run asks for, or nothing. */
export interface Limiter {
  take(runId: string, wants: readonly LimitWant[]): Promise<LimitAnswer> | LimitAnswer;
  /** The run is over (or was in vain): its places are free, and each want's amount is corrected to what was used. */
  settle(runId: string, wants: readonly (LimitWant & { readonly used: number })[]): void;
  dispose(): void;
}

/** A limiter that can take in what was granted elsewhere. */
export interface CountingLimiter extends Limiter {
  /** Counts what the run has been granted, whether or not there is room for it; it is settled as if it had been taken here. */
  count(runId: string, wants: readonly LimitWant[]): void;
}
