// Owns how a run ends and which of its output the client keeps. Pure; its tests hold the table of cases.
import type { ErrorCode } from '../../kernel/errors.ts';
import type { FinishReason } from '../../providers/contract/completions.ts';
import type { RunError, RunRecord } from './run-record.ts';

/** Why a run was stopped before its end. */
export type StopKind = 'cancelled' | 'interrupted' | 'replaced' | 'funds';

/** The outcome of the attempt that decides how the run ends. */
export interface DecisiveAttempt {
  /** `undefined` if the answer is whole. */
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
 * A whole answer finishes the run, even if it was to be stopped at the same moment. Otherwise the reason of the stop decides, and without one the error.
 * `decisive` is undefined if no attempt was made, or none whose outcome counts.
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
  /** True if the answer is whole. */
  readonly whole: boolean;
  /** True if content of it stands in the run's log, which any reader can read. */
  readonly shown: boolean;
  /** True if another attempt takes its place: readers are then told to discard its content. */
  readonly replaced: boolean;
}

/**
 * Whether the client keeps the output of an attempt. Kept output is charged, stands in the run and can be read later by `completion(id)`, even if no
 * reader was connected to receive it. Other output is absorbed: it is neither charged nor stored with the run, so that a caller cannot leave just before
 * the end and then read it without paying. It still counts in limits on tokens, since the provider produced it for the caller.
 */
export function isKept({ whole, shown, replaced }: AttemptReach): boolean {
  return whole || (shown && !replaced);
}
