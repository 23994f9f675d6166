// Owns the record of a run, in one form whether it comes from memory or from the database.
import type { ErrorCode } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json.ts';
import type { Nano } from '../../kernel/money.ts';
import type { FinishReason } from '../../providers/contract/completions.ts';
import type { RunStatus } from '../../storage/entities/completion-run.entity.ts';
import type { CostLine } from '../billing/cost.ts';
import type { Usage } from '../billing/usage.ts';
import type { RoutePlan } from '../routing/route-plan.ts';

export type { RunStatus };

/** The facts of a run that are fixed when it begins. */
interface RunIdentity {
  readonly id: string;
  /** Name of its kind, e.g. `completion`. */
  readonly kind: string;
  readonly workspaceId: string;
  readonly caller: string;
  readonly requestId: string | null;
  readonly model: string;
  readonly plan: RoutePlan;
  readonly metadata: JsonObject;
  readonly createdAt: Date;
}

/** The outcome of a run. */
interface RunOutcome<Result> {
  readonly status: RunStatus;
  readonly instanceId: string | null;
  readonly canonicalId: string | null;
  /** The kept answer in the form of the run's kind; plain JSON. */
  readonly result: Result;
  /** `funds`: the answer was stopped because the funds did not cover more. */
  readonly finishReason: FinishReason | 'funds' | null;
  readonly providerFinishReason: string | null;
  readonly usage: Usage;
  readonly costNano: Nano | null;
  readonly costLines: readonly CostLine[];
  readonly priceVersionId: string | null;
  readonly warnings: readonly RunWarning[];
  readonly error: RunError | null;
  /** `undefined` if they were not loaded; they can be read by the run's id. */
  readonly attempts: readonly RunAttempt[] | undefined;
  /** `null` while it runs. */
  readonly lastSeq: number | null;
  readonly endedAt: Date | null;
  /** When the prompt and the output were removed, because the workspace's retention time had passed. */
  readonly contentRemovedAt: Date | null;
}

export interface RunRecord<Result = unknown> extends RunIdentity, RunOutcome<Result> {}

export interface RunWarning {
  readonly code: string;
  readonly message: string;
}

export interface RunError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfterMs: number | null;
}

export type AttemptOutcome = 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'INTERRUPTED';

export interface RunAttempt {
  readonly number: number;
  readonly instanceId: string | null;
  readonly configId: string;
  readonly canonicalId: string;
  readonly outcome: AttemptOutcome;
  readonly error: AttemptError | null;
  readonly servedModel: string | null;
  readonly providerRequestId: string | null;
  readonly startedAt: Date;
  readonly firstTokenMs: number | null;
  readonly durationMs: number;
  readonly usage: Usage;
  readonly costNano: Nano | null;
  readonly costLines: readonly CostLine[];
  readonly priceVersionId: string | null;
  /** True if the client does not keep the attempt's output, so that it is not charged. */
  readonly absorbed: boolean;
}

export interface AttemptError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly status: number | null;
  readonly providerCode: string | null;
  readonly retryAfterMs: number | null;
}
