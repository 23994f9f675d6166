// Owns how long the gateway waits for the end of an answer that is already whole, since some servers never close the connection or send heartbeats for ever.

const GRACE_MS = 5_000;

export class WholeAnswerGrace {
  readonly #graceMs: number;
  #endsMs: number | undefined;

  constructor(graceMs = GRACE_MS) {
    this.#graceMs = graceMs;
  }

  /** Called when further content has come: the time starts again. */
  restart(): void {
    this.#endsMs = undefined;
  }

  /** The next read, if it comes in time and without a fault. All reads after the last content share one time limit. */
  async within<Read extends object>(read: Promise<Read>): Promise<Read | 'late' | 'broken'> {
    this.#endsMs ??= performance.now() + this.#graceMs;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, Math.max(0, (this.#endsMs ?? 0) - performance.now()), 'late');
    });
    try {
      return await Promise.race([read, late]);
    } catch {
      return 'broken';
    } finally {
      clearTimeout(timer);
    }
  }
}
