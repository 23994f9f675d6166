// Owns the conversion between the record of a run in the domain and the rows in storage.
import type { RunAttemptEntity } from '../../storage/entities/completion-run.entity.ts';
import type { CompletionRunRow } from '../../storage/repositories/run.repository.ts';
import type { RunEnd } from '../../storage/run-columns.ts';
import type { CostLine } from '../billing/cost.ts';
import type { Usage } from '../billing/usage.ts';
import type { RoutePlan } from '../routing/route-plan.ts';
import type { Kind } from './kind.ts';
import type { Kinds } from './kinds.ts';
import type {
  AttemptError,
  AttemptOutcome,
  RunAttempt,
  RunError,
  RunRecord,
  RunWarning,
} from './run-record.ts';

/** The content is empty if it was not read from the database. */
export function toRunRecord(row: Readonly<CompletionRunRow>, kinds: Kinds): RunRecord {
  return {
    id: row.id,
    kind: row.kind,
    workspaceId: row.workspaceId,
    caller: row.caller,
    requestId: row.requestId ?? null,
    status: row.status,
    model: row.model,
    plan: row.plan as unknown as RoutePlan,
    metadata: row.metadata,
    instanceId: row.instanceId ?? null,
    canonicalId: row.canonicalId ?? null,
    result: kinds.get(row.kind).fromStored(row),
    finishReason: (row.finishReason ?? null) as RunRecord['finishReason'],
    providerFinishReason: row.providerFinishReason ?? null,
    usage: toUsage(row),
    costNano: row.costNano ?? null,
    costLines: (row.costLines ?? []) as unknown as readonly CostLine[],
    priceVersionId: row.priceVersionId ?? null,
    warnings: row.warnings as unknown as readonly RunWarning[],
    error: (row.error ?? null) as unknown as RunError | null,
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

/** The row that is written when a run ends. */
export function toRunEnd(record: RunRecord, kind: Kind, epoch: number): RunEnd {
  return {
    ...record,
    epoch,
    status: record.status as RunEnd['status'],
    ...kind.toStored(record.result),
    lastSeq: record.lastSeq ?? 0,
    endedAt: record.endedAt ?? record.createdAt,
    attempts: record.attempts ?? [],
  };
}
