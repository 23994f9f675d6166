// Owns the list of opened parts: each part is closed in its phase, and within a phase the part that was opened last is closed first.
import type { Logger } from '../kernel/logger.ts';

/** In the order in which they close. */
const PHASES = [
  /** Clients of open streams are told to reconnect, so that they reach another node; this phase waits for none of them. */
  'readers',
  /** No new run begins, and running ones get the grace period. The doors stay open, so that callers who wait for these runs get their answers. */
  'runs',
  /** The server finishes the requests that are under way, then stops. */
  'doors',
  /** The node's periodic work: keeping runs, and keeping the catalogue up to date. */
  'keeping',
  /** The state of runs, shared with other nodes or kept by this one alone. */
  'run state',
  /** Sign-in, and the snapshots that calls are served from. */
  'identity',
  /** The connections to providers, Redis and the database. */
  'connections',
] as const;

type Phase = (typeof PHASES)[number];
type Close = () => Promise<void> | void;

export class OpenedParts {
  readonly #logger: Logger;
  readonly #parts = new Map<Phase, Close[]>();
  #closing: Promise<void> | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(phase: Phase, close: Close): void {
    const parts = this.#parts.get(phase) ?? [];
    this.#parts.set(phase, parts);
    parts.push(close);
  }

  /** Closes all parts, even if one of them fails, and raises the first fault at the end. A second call waits for the first and shares its result. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll().finally(() => {
      this.#closing = undefined;
    });
    return this.#closing;
  }

  /** Runs `open`; if it fails, the parts that were opened before are closed, and the fault is raised. */
  async opening<Result>(open: () => Promise<Result>): Promise<Result> {
    try {
      return await open();
    } catch (error) {
      // A fault of closing has been logged. The operator must read the other fault: the one that keeps the gateway from starting.
      await this.close().catch(() => {});
      throw error;
    }
  }

  async #closeAll(): Promise<void> {
    const faults: unknown[] = [];
    for (const phase of PHASES) {
      const parts = this.#parts.get(phase) ?? [];
      for (let close = parts.pop(); close; close = parts.pop()) {
        try {
          await close();
        } catch (error) {
          this.#logger.error({ err: error, phase }, 'A part of the gateway could not be closed');
          faults.push(error);
        }
      }
    }
    if (faults.length > 0) throw faults[0];
  }
}
