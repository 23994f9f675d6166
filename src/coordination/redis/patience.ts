// Owns time limits on answers, counted in ticks with a look at the sockets in each, so that a pause of this node's own process never counts as a late answer.

/** No answer came in time; it may still come. */
export class NoAnswer extends Error {
  constructor(ms: number) {
    super(`No answer within ${ms} ms`);
    this.name = 'NoAnswer';
  }
}

interface Waiting {
  ticksLeft: number;
  readonly giveUp: () => void;
}

const TICK_MS = 10;

/** One timer for all waits; it does not run while nothing waits. */
export class Patience {
  readonly #waiting = new Set<Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;

  /** Settles as `promise` does, or rejects with `NoAnswer` when about `ms` have passed. */
  within<Result>(promise: Promise<Result>, ms: number): Promise<Result> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        // The tick that is under way began earlier, so it is shorter than a whole one and is not counted.
        ticksLeft: Math.ceil(ms / TICK_MS) + 1,
        giveUp: () => reject(new NoAnswer(ms)),
      };
      this.#waiting.add(waiting);
      this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
      promise.then(
        (result) => {
          this.#waiting.delete(waiting);
          resolve(result);
        },
        (error) => {
          this.#waiting.delete(waiting);
          reject(error);
        },
      );
    });
  }

  #tick(): void {
    // The timer runs one tick longer than the last wait needs it, so that under load it is not started anew for each command.
    if (this.#waiting.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else if (!this.#looking) {
      this.#looking = true;
      // Node runs all due timers before it reads sockets. The decision is put behind that read, so that an answer that has arrived counts.
      setImmediate(() => this.#count());
    }
  }

  #count(): void {
    this.#looking = false;
    for (const waiting of this.#waiting) {
      waiting.ticksLeft -= 1;
      if (waiting.ticksLeft > 0) continue;
      this.#waiting.delete(waiting);
      waiting.giveUp();
    }
  }
}
