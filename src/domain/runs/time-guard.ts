// Owns the time limits of one attempt: a single timer checks the next deadline, so that a token costs no timer.
import type { Clock } from '../../kernel/clock.ts';
import { ProviderError } from '../../kernel/errors.ts';
import type { CallSign } from '../../providers/contract/target.ts';

export interface AttemptLimits {
  readonly firstTokenMs: number;
  /** Replaces `firstTokenMs` once the provider shows that it is working, as some do while a request waits in their queue. */
  readonly aliveFirstTokenMs: number;
  readonly betweenTokensMs: number;
  readonly totalMs: number;
}

export class TimeGuard {
  readonly #clock: Clock;
  readonly #limits: AttemptLimits;
  readonly #abort: (reason: ProviderError) => void;
  readonly #startedMs: number;
  #lastContentMs: number | undefined;
  #firstTokenMs: number;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(clock: Clock, limits: AttemptLimits, abort: (reason: ProviderError) => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#abort = abort;
    this.#firstTokenMs = limits.firstTokenMs;
    this.#startedMs = clock.monotonicMs();
    this.#arm();
  }

  contentArrived(nowMs: number): void {
    const first = this.#lastContentMs === undefined;
    this.#lastContentMs = nowMs;
    // The first content may bring a nearer deadline than the timer waits for.
    if (first) this.#arm();
  }

  /**
   * A sign of life without content came, or an answer whose content comes only at its end. Each only moves the first deadline, which the timer notices
   * when it checks.
   */
  signCame(sign: CallSign): void {
    if (sign === 'whole') this.#firstTokenMs = Number.POSITIVE_INFINITY;
    else this.#firstTokenMs = Math.max(this.#firstTokenMs, this.#limits.aliveFirstTokenMs);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#look(),
      Math.max(1, this.#nextDeadline().atMs - this.#clock.monotonicMs()),
    );
  }

  /** After a pause of this process the answer may lie unread in its socket, so sockets are read before the answer counts as late. */
  #look(): void {
    setImmediate(() => setImmediate(() => this.#decide()));
  }

  #decide(): void {
    if (this.#closed) return;
    const deadline = this.#nextDeadline();
    if (deadline.atMs > this.#clock.monotonicMs()) {
      this.#arm();
      return;
    }
    this.#abort(new ProviderError('PROVIDER_TIMEOUT', deadline.message, { phase: deadline.phase }));
  }

  #nextDeadline(): { atMs: number; message: string; phase: 'headers' | 'stream' } {
    const { betweenTokensMs, totalMs } = this.#limits;
    const firstTokenMs = this.#firstTokenMs;
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
