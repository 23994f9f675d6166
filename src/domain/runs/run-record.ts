// Owns a run as it is known outside its executor: the same whether it comes from memory or from the database.
import type { ErrorCode } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json.ts';
import type { Nano } from '../../kernel/money.ts';
import type { FinishReason, ToolCall } from '../../providers/contract/completions.ts';
import type { RunAttemptEntity, RunStatus } from '../../storage/entities/completion-run.entity.ts';
import type { CompletionRunRow } from '../../storage/repositories/run.repository.ts';
import type { CostLine } from '../billing/cost.ts';
import type { Usage } from '../billing/usage.ts';
import type { RoutePlan } from '../routing/route-plan.ts';

export type { RunStatus };

export interface RunRecord {
  readonly id: string;
  readonly workspaceId: string;
  readonly caller: string;
  readonly requestId: string | null;
  readonly status: RunStatus;
  readonly model: string;
  readonly plan: RoutePlan;
  readonly metadata: JsonObject;
  readonly instanceId: string | null;
  readonly canonicalId: string | null;
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly ToolCall[];
  /** `funds`: stopped since the funds did not cover more. */
  readonly finishReason: FinishReason | 'funds' | null;
  readonly providerFinishReason: string | null;
  readonly usage: Usage;
  readonly costNano: Nano | null;
  readonly costLines: readonly CostLine[];
  readonly priceVersionId: string | null;
  readonly warnings: readonly RunWarning[];
  readonly error: RunError | null;
  readonly continuation: string | null;
  /** `undefined` = not loaded; read them by id. */
  readonly attempts: readonly RunAttempt[] | undefined;
  /** `null` while it runs. */
  readonly lastSeq: number | null;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
  /** When what was asked and answered was removed, by its workspace's wish. */
  readonly contentRemovedAt: Date | null;
}

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
  /** True if the client does not keep its output, so that it is not charged for. */
  readonly absorbed: boolean;
}

export interface AttemptError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly status: number | null;
  readonly providerCode: string | null;
  readonly retryAfterMs: number | null;
}

/** The content is empty where it was not read. */
export function toRunRecord(row: Readonly<CompletionRunRow>): RunRecord {
  return {
    id: row.id,
    workspaceId: row.workspaceId,
    caller: row.caller,
    requestId: row.requestId ?? null,
    status: row.status,
    model: row.model,
    plan: row.plan as unknown as RoutePlan,
    metadata: row.metadata,
    instanceId: row.instanceId ?? null,
    canonicalId: row.canonicalId ?? null,
    text: row.text ?? '',
    reasoning: row.reasoning ?? '',
    toolCalls: (row.toolCalls ?? []) as unknown as readonly ToolCall[],
    finishReason: (row.finishReason ?? null) as RunRecord['finishReason'],
    providerFinishReason: row.providerFinishReason ?? null,
    usage: toUsage(row),
    costNano: row.costNano ?? null,
    costLines: (row.costLines ?? []) as unknown as readonly CostLine[],
    priceVersionId: row.priceVersionId ?? null,
    warnings: row.warnings as unknown as readonly RunWarning[],
    error: (row.error ?? null) as unknown as RunError | null,
    continuation: row.continuation ?? null,
    attempts: undefined,
    lastSeq: row.lastSeq ?? null,
    createdAt: row.createdAt,
    endedAt: row.endedAt ?? null,
    contentRemovedAt: row.contentRemovedAt ?? null,
  };
}

export function toRunAttempt(row: Readonly<RunAttemptEntity>): RunAttempt {
  return {
    number: row.number,
    instanceId: row.instanceId ?? null,
    configId: row.configId,
    canonicalId: row.canonicalId,
    outcome: row.outcome as AttemptOutcome,
    error: (row.error ?? null) as unknown as AttemptError | null,
    servedModel: row.servedModel ?? null,
    providerRequestId: row.providerRequestId ?? null,
    startedAt: row.startedAt,
    firstTokenMs: row.firstTokenMs ?? null,
    durationMs: row.durationMs,
    usage: toUsage(row),
    costNano: row.costNano ?? null,
    costLines: [],
    priceVersionId: null,
    absorbed: row.absorbed,
  };
}

interface UsageColumns extends Omit<Usage, 'estimated'> {
  readonly usageEstimated: boolean;
}

function toUsage(row: UsageColumns): Usage {
  return {
    inputTokens: row.inputTokens,
    cacheReadTokens: row.cacheReadTokens,
    cacheWriteTokens: row.cacheWriteTokens,
    outputTokens: row.outputTokens,
    reasoningTokens: row.reasoningTokens,
    estimated: row.usageEstimated,
  };
}
