// Owns who follows a run, on this node and on others, and the time that it goes on alone where it is to stop then.
import type { EventLog } from '../../coordination/contract.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { RunEvent } from './run-event.ts';
import type { RunRequest } from './run-request.ts';

/** Often enough to notice every reader on another node: this share of the time for which one is known. */
const LOOK_ELSEWHERE_SHARE = 0.75;
/** The least between two looks. */
const LOOK_AGAIN_MS = 100;

export interface AttendanceOptions {
  readonly runId: string;
  readonly request: Pick<RunRequest, 'onDetach' | 'detachGraceMs'>;
  readonly log: Pick<EventLog<RunEvent>, 'followerKnownMs' | 'lastFollowedElsewhere'>;
  readonly clock: Clock;
  /** Called once the run has gone on alone for its whole grace. */
  readonly onDesert: () => void;
}

export class RunAttendance {
  readonly #options: AttendanceOptions;
  #attendants = 0;
  /** By the monotonic clock; of readers on all nodes. */
  #lastAttendedMs: number;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: AttendanceOptions) {
    this.#options = options;
    this.#lastAttendedMs = options.clock.monotonicMs();
    this.#arm();
  }

  /** Somebody follows the run until the returned function is called. */
  attend(): () => void {
    this.#attendants += 1;
    clearTimeout(this.#timer);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#attendants -= 1;
      this.#lastAttendedMs = this.#options.clock.monotonicMs();
      this.#arm();
    };
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** Readers on other nodes count as well: they are looked for often enough that none is missed. */
  async #look(): Promise<void> {
    const { clock, log, runId, onDesert } = this.#options;
    const askedMs = clock.monotonicMs();
    const followedMsAgo = await log.lastFollowedElsewhere(runId);
    if (this.#attendants > 0 || this.#closed) return;
    if (followedMsAgo !== undefined) {
      this.#lastAttendedMs = Math.max(this.#lastAttendedMs, askedMs - followedMsAgo);
    }
    if (followedMsAgo === 0 || this.#graceLeftMs() > 0) this.#arm(LOOK_AGAIN_MS);
    else onDesert();
  }

  #graceLeftMs(): number {
    const { request, clock } = this.#options;
    return this.#lastAttendedMs + request.detachGraceMs - clock.monotonicMs();
  }

  #arm(atLeastMs = 0): void {
    clearTimeout(this.#timer);
    const { request, log } = this.#options;
    if (request.onDetach !== 'CANCEL' || this.#attendants > 0 || this.#closed) return;
    const waitMs = Math.max(
      atLeastMs,
      Math.min(this.#graceLeftMs(), log.followerKnownMs * LOOK_ELSEWHERE_SHARE),
    );
    this.#timer = setTimeout(() => void this.#look(), Math.ceil(waitMs));
  }
}
