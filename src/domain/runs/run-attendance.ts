// Owns which readers follow a run, on this node and on others, and how long a run with `onDetach: CANCEL` goes on without any.
import type { EventLog } from '../../coordination/contract.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { RunEvent } from './run-event.ts';
import type { RunRequest } from './run-request.ts';

/** How often to look for readers on other nodes, as a share of the time for which such a reader is remembered: often enough to miss none. */
const LOOK_ELSEWHERE_SHARE = 0.75;
/** The shortest time between two looks, in milliseconds. */
const LOOK_AGAIN_MS = 100;

export interface AttendanceOptions {
  readonly runId: string;
  readonly request: Pick<RunRequest, 'onDetach' | 'detachGraceMs'>;
  readonly log: Pick<EventLog<RunEvent>, 'followerKnownMs' | 'lastFollowedElsewhere'>;
  readonly clock: Clock;
  /** Called when the run has had no reader for its whole grace period. */
  readonly onDesert: () => void;
}

export class RunAttendance {
  readonly #options: AttendanceOptions;
  #attendants = 0;
  /** When a reader on any node last followed the run, by the monotonic clock. */
  #lastAttendedMs: number;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: AttendanceOptions) {
    this.#options = options;
    this.#lastAttendedMs = options.clock.monotonicMs();
    this.#arm();
  }

  /** Counts one more reader, until the returned function is called. */
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

  /** Looks for readers on other nodes, which count as well; the looks are frequent enough to miss none. */
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
