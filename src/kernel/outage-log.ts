// Owns the log of an outage: the first failure is one line, and failures that follow soon are only counted; the next line tells their number.
import type { GatewayError } from './errors.ts';
import type { Logger } from './logger.ts';

const QUIET_MS = 10_000;

interface Line {
  readonly atMs: number;
  more: number;
}

export class OutageLog {
  readonly #logger: Logger;
  readonly #nowMs: () => number;
  /** One entry for each part that can be away. */
  readonly #lines = new Map<string, Line>();

  constructor(logger: Logger, nowMs: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#nowMs = nowMs;
  }

  tell(error: GatewayError, requestId: string): void {
    const cause = error.cause instanceof Error ? error.cause : error;
    const line = this.#lines.get(cause.name);
    const now = this.#nowMs();
    if (line && now - line.atMs < QUIET_MS) {
      line.more += 1;
      return;
    }
    this.#lines.set(cause.name, { atMs: now, more: 0 });
    const { code, message } = error;
    this.#logger.error(
      { code, reason: message, cause: cause.message, requestId, unlogged: line?.more ?? 0 },
      'Requests fail by an outage',
    );
  }
}
