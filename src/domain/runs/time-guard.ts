// Owns the limits on time of one attempt: one timer that looks at the next deadline, so that a token costs no timer.
import type { Clock } from '../../kernel/clock.ts';
import { ProviderError } from '../../kernel/errors.ts';

export interface AttemptLimits {
  readonly firstTokenMs: number;
  readonly betweenTokensMs: number;
  readonly totalMs: number;
}

export class TimeGuard {
  readonly #clock: Clock;
  readonly #limits: AttemptLimits;
  readonly #abort: (reason: ProviderError) => void;
  readonly #startedMs: number;
  #lastContentMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock, limits: AttemptLimits, abort: (reason: ProviderError) => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#abort = abort;
    this.#startedMs = clock.monotonicMs();
    this.#arm();
  }

  contentArrived(nowMs: number): void {
    const first = this.#lastContentMs === undefined;
    this.#lastContentMs = nowMs;
    // The first content may bring a nearer deadline than the timer waits for.
    if (first) this.#arm();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#look(),
      Math.max(1, this.#nextDeadline().atMs - this.#clock.monotonicMs()),
    );
  }

  #look(): void {
    const deadline = this.#nextDeadline();
    if (deadline.atMs > this.#clock.monotonicMs()) {
      this.#arm();
      return;
    }
    this.#abort(new ProviderError('PROVIDER_TIMEOUT', deadline.message, { phase: deadline.phase }));
  }

  #nextDeadline(): { atMs: number; message: string; phase: 'headers' | 'stream' } {
    const { firstTokenMs, betweenTokensMs, totalMs } = this.#limits;
    const total = {
      atMs: this.#startedMs + totalMs,
      message: `The answer was not complete within ${totalMs} ms`,
      phase: 'stream' as const,
    };
    const silence =
      this.#lastContentMs === undefined
        ? {
            atMs: this.#startedMs + firstTokenMs,
            message: `No first token within ${firstTokenMs} ms`,
            phase: 'headers' as const,
          }
        : {
            atMs: this.#lastContentMs + betweenTokensMs,
            message: `No further token within ${betweenTokensMs} ms`,
            phase: 'stream' as const,
          };
    return silence.atMs < total.atMs ? silence : total;
  }
}
