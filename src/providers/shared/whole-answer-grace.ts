// Owns how long the end of an answer is waited for that is whole already: servers there are that never close, or send heartbeats for ever.

const GRACE_MS = 5_000;

export class WholeAnswerGrace {
  readonly #graceMs: number;
  #endsMs: number | undefined;

  constructor(graceMs = GRACE_MS) {
    this.#graceMs = graceMs;
  }

  /** Content has come after all: the time begins anew. */
  restart(): void {
    this.#endsMs = undefined;
  }

  /** The next read, if it comes in time and without a fault; all reads since the last content share one span of time. */
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
