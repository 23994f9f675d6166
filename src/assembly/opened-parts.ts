// Owns what has been opened: each part is closed in its phase, and within a phase the part that was opened last is closed first.
import type { Logger } from '../kernel/logger.ts';

/** In the order in which they close. */
const PHASES = [
  /** Clients of open streams are sent elsewhere; waits for nobody. */
  'readers',
  /** No run is begun, and running ones get their grace. The doors stay open for those who wait for them. */
  'runs',
  /** The server answers what is under way, and ends. */
  'doors',
  /** What the node does unasked: keeping runs and the catalogue. */
  'keeping',
  /** The state of runs that nodes share, or that this one has alone. */
  'run state',
  /** Who may call, and the snapshots that calls are served from. */
  'identity',
  /** The ways to providers, Redis and the database. */
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

  /** Closes all of it, whichever part fails meanwhile, and raises the first fault at the end. Whoever asks again meanwhile waits for the same. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll().finally(() => {
      this.#closing = undefined;
    });
    return this.#closing;
  }

  /** Opens what `open` opens; if that fails, what had been opened before is closed, and the fault is raised. */
  async opening<Result>(open: () => Promise<Result>): Promise<Result> {
    try {
      return await open();
    } catch (error) {
      // A fault of closing has been logged: why the gateway does not start is what its operator must read.
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
