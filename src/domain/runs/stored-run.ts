// Owns a run between the record that the domain has of it and the rows that storage keeps.
import type { RunAttemptEntity } from '../../storage/entities/completion-run.entity.ts';
import type { CompletionRunRow } from '../../storage/repositories/run.repository.ts';
import type { AttemptEnd, RunEnd } from '../../storage/repositories/run.rows.ts';
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

/** The content is empty where it was not read. */
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

export function toRunEnd(record: RunRecord, kind: Kind, epoch: number): RunEnd {
  const { text, reasoning, toolCalls, continuation } = kind.toStored(record.result);
  return {
    id: record.id,
    epoch,
    status: record.status as RunEnd['status'],
    instance_id: record.instanceId,
    canonical_id: record.canonicalId,
    text,
    reasoning,
    tool_calls: toolCalls as unknown as RunEnd['tool_calls'],
    finish_reason: record.finishReason,
    provider_finish_reason: record.providerFinishReason,
    ...toUsageColumns(record.usage),
    cost_nano: record.costNano?.toString() ?? null,
    cost_lines: record.costLines as unknown as RunEnd['cost_lines'],
    price_version_id: record.priceVersionId,
    warnings: record.warnings as unknown as RunEnd['warnings'],
    error: record.error as unknown as RunEnd['error'],
    continuation,
    last_seq: record.lastSeq ?? 0,
    ended_at: (record.endedAt ?? record.createdAt).toISOString(),
    attempts: (record.attempts ?? []).map(toAttemptEnd),
  };
}

function toAttemptEnd(attempt: RunAttempt): AttemptEnd {
  return {
    number: attempt.number,
    instance_id: attempt.instanceId,
    config_id: attempt.configId,
    canonical_id: attempt.canonicalId,
    outcome: attempt.outcome,
    error: attempt.error as unknown as AttemptEnd['error'],
    served_model: attempt.servedModel,
    provider_request_id: attempt.providerRequestId,
    started_at: attempt.startedAt.toISOString(),
    first_token_ms: attempt.firstTokenMs,
    duration_ms: attempt.durationMs,
    ...toUsageColumns(attempt.usage),
    cost_nano: attempt.costNano?.toString() ?? null,
    absorbed: attempt.absorbed,
  };
}

function toUsageColumns(usage: Usage) {
  return {
    input_tokens: usage.inputTokens,
    cache_read_tokens: usage.cacheReadTokens,
    cache_write_tokens: usage.cacheWriteTokens,
    output_tokens: usage.outputTokens,
    reasoning_tokens: usage.reasoningTokens,
    usage_estimated: usage.estimated,
  };
}
