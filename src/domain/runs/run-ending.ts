// Owns how a run ends and what of it the client keeps. Pure; the table of it is in its tests.
import type { ErrorCode } from '../../kernel/errors.ts';
import type { FinishReason } from '../../providers/contract/completions.ts';
import type { RunError, RunRecord } from './run-record.ts';

/** Why a run was stopped before its end. */
export type StopKind = 'cancelled' | 'interrupted' | 'replaced' | 'funds';

/** What the attempt that decides over the run has come to. */
export interface DecisiveAttempt {
  /** `undefined`: its answer is whole. */
  readonly error:
    | { readonly code: ErrorCode; readonly message: string; readonly retryAfterMs: number | undefined }
    | undefined;
  readonly finishReason: FinishReason | null;
}

export interface RunEnding {
  readonly status: Exclude<RunRecord['status'], 'RUNNING'>;
  readonly error: RunError | null;
  readonly finishReason: RunRecord['finishReason'];
}

/**
 * A whole answer finishes the run, also where somebody wanted to stop it at the same moment. Otherwise the stop decides, and without one the error.
 * `decisive` is undefined where no attempt was made, or none that says anything.
 */
export function endingOf(
  stopKind: Exclude<StopKind, 'replaced'> | undefined,
  decisive: DecisiveAttempt | undefined,
): RunEnding {
  if (decisive && !decisive.error) {
    return { status: 'FINISHED', error: null, finishReason: decisive.finishReason };
  }
  switch (stopKind) {
    case 'funds':
      return { status: 'FINISHED', error: null, finishReason: 'funds' };
    case 'cancelled':
      return badly('CANCELLED', 'CANCELLED', 'The run was cancelled');
    case 'interrupted':
      return badly('INTERRUPTED', 'NODE_DRAINING', 'The node that ran this completion was shut down');
    case undefined: {
      if (!decisive?.error) return badly('FAILED', 'MODEL_UNAVAILABLE', 'No candidate was left to try');
      const { code, message, retryAfterMs } = decisive.error;
      return badly('FAILED', code, message, retryAfterMs);
    }
  }
}

function badly(
  status: RunEnding['status'],
  code: ErrorCode,
  message: string,
  retryAfterMs?: number,
): RunEnding {
  return { status, error: { code, message, retryAfterMs: retryAfterMs ?? null }, finishReason: null };
}

/** How far an attempt came. */
export interface AttemptReach {
  /** Its answer is whole. */
  readonly whole: boolean;
  /** Content of it stands in the run's log, where any reader gets it. */
  readonly shown: boolean;
  /** Another attempt takes its place: readers are told to discard what they have of it. */
  readonly replaced: boolean;
}

/**
 * Whether the client keeps what an attempt gave. What is kept is charged, stands in the run and can be read later by `completion(id)`, whether or
 * not anybody was there to receive it. What is not kept is absorbed: it is not charged and not stored with the run, so nobody can leave just
 * before the end and read it for free. It still counts in limits on tokens, since the provider made it on the caller's behalf.
 */
export function isKept({ whole, shown, replaced }: AttemptReach): boolean {
  return whole || (shown && !replaced);
}
