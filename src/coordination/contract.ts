// Owns the contracts of the state that nodes share while runs go on: the event log of a run, and the wake-ups of its readers.

/** An entry of a run's log; `seq` grows by one with each. */
export interface SequencedEvent {
  readonly seq: number;
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
  /** Up to `limit` events with `seq > after`, oldest first. */
  read(runId: string, after: number, limit: number): Promise<LogSlice<Event>> | LogSlice<Event>;
  /** Calls `wake` whenever there is something new to read, or the log has closed, until the returned function is called. */
  follow(runId: string, wake: () => void): () => void;
  dispose(): Promise<void>;
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
