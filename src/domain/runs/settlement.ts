// Owns what a run is booked with: the usage and cost of each attempt, and the record that ends the run.

import { storableText } from '../../kernel/text.ts';
import type { Message } from '../../providers/contract/adapter.ts';
import type { AttemptEnd, RunEnd } from '../../storage/repositories/run.rows.ts';
import { type Cost, costOf, FREE_OF_CHARGE } from '../billing/cost.ts';
import { type PriceVersions, priceInForce } from '../billing/model-price.ts';
import { countUsage } from '../billing/token-counter.ts';
import { NO_USAGE, type Usage } from '../billing/usage.ts';
import { type Candidate, isFree } from '../routing/candidates.ts';
import type { ActiveRun } from './active-run.ts';
import type { AttemptResult } from './attempt.ts';
import type { CompletionRequest } from './completion-request.ts';
import { encodeContinuation } from './continuation.ts';
import type {
  AttemptError,
  AttemptOutcome,
  RunAttempt,
  RunError,
  RunRecord,
  RunWarning,
} from './run-record.ts';

export interface PricedAttempt {
  readonly usage: Usage;
  /** `undefined` where the model has no price. */
  readonly cost: Cost | undefined;
}

export async function priceAttempt(
  request: CompletionRequest,
  candidate: Candidate,
  result: AttemptResult,
  prices: PriceVersions,
  at: Date,
): Promise<PricedAttempt> {
  const usage = await usageOf(request, result);
  if (isFree(candidate)) return { usage, cost: FREE_OF_CHARGE };
  const price = priceInForce(prices, candidate.canonicalId, at);
  return { usage, cost: price && costOf(usage, price) };
}

/** The provider's own count; ours stands in where there is none, and where an answer was broken off before its final count. */
async function usageOf(request: CompletionRequest, { answer, error }: AttemptResult): Promise<Usage> {
  if (!error && answer.usage) return { ...answer.usage, estimated: false };
  if (error && !answer.hasContent) return answer.usage ? { ...answer.usage, estimated: true } : NO_USAGE;
  const counted = await countUsage(
    { messages: request.messages as readonly Message[], tools: request.tools },
    { text: answer.text, reasoning: answer.reasoning, toolCalls: answer.toolCalls() },
  );
  const sent = answer.usage;
  if (!sent) return { ...counted, estimated: true };
  return {
    ...sent,
    outputTokens: Math.max(sent.outputTokens, counted.outputTokens),
    reasoningTokens: Math.max(sent.reasoningTokens, counted.reasoningTokens),
    estimated: true,
  };
}

export function attemptRecord(
  number: number,
  candidate: Candidate,
  result: AttemptResult,
  priced: PricedAttempt,
  absorbed: boolean,
): RunAttempt {
  return {
    number,
    instanceId: candidate.instance?.id ?? null,
    configId: candidate.config.id,
    canonicalId: candidate.canonicalId,
    outcome: outcomeOf(result),
    error: result.error && !result.stopped ? toAttemptError(result.error) : null,
    servedModel: result.answer.servedModel,
    providerRequestId: result.answer.providerRequestId ?? result.error?.providerRequestId ?? null,
    startedAt: result.startedAt,
    firstTokenMs: result.firstTokenMs,
    durationMs: result.durationMs,
    usage: priced.usage,
    costNano: priced.cost?.totalNano ?? null,
    costLines: priced.cost?.lines ?? [],
    priceVersionId: priced.cost?.priceVersionId ?? null,
    absorbed,
  };
}

function outcomeOf(result: AttemptResult): AttemptOutcome {
  if (!result.error) return 'SUCCEEDED';
  return result.stopped ? 'CANCELLED' : 'FAILED';
}

function toAttemptError(error: NonNullable<AttemptResult['error']>): AttemptError {
  return {
    code: error.code,
    message: storableText(error.message),
    status: error.status ?? null,
    providerCode: error.providerCode ?? null,
    retryAfterMs: error.retryAfterMs ?? null,
  };
}

/** The run as it ends; charged for the last attempt, if the client keeps its output. What was held back is not shown now. */
export function settledRecord(
  run: ActiveRun,
  status: Exclude<RunRecord['status'], 'RUNNING'>,
  decisive: AttemptResult | undefined,
  endedAt: Date,
): RunRecord {
  const last = run.attempts.at(-1);
  const kept = last?.absorbed ? undefined : last;
  const { answer, candidate } = run;
  const visible = status === 'FINISHED' || run.shown;
  return {
    ...run.record(),
    status,
    text: visible ? storableText(answer.text) : '',
    reasoning: visible ? storableText(answer.reasoning) : '',
    toolCalls: visible ? answer.toolCalls() : [],
    finishReason: status !== 'FINISHED' ? null : run.stopKind === 'funds' ? 'funds' : answer.finishReason,
    providerFinishReason: status === 'FINISHED' ? answer.providerFinishReason : null,
    usage: kept?.usage ?? NO_USAGE,
    costNano: kept?.costNano ?? null,
    costLines: kept?.costLines ?? [],
    priceVersionId: kept?.priceVersionId ?? null,
    warnings: [...run.warnings, ...answer.warnings, ...priceWarnings(kept)],
    error: errorOf(status, decisive),
    continuation:
      status === 'FINISHED' && answer.continuation !== undefined && candidate?.protocol !== undefined
        ? encodeContinuation({
            instanceId: candidate.instance?.id ?? null,
            canonicalId: candidate.canonicalId,
            protocol: candidate.protocol,
            data: answer.continuation,
          })
        : null,
    lastSeq: run.seq + 1,
    endedAt,
  };
}

function priceWarnings(kept: RunAttempt | undefined): RunWarning[] {
  if (!kept || kept.costNano !== null) return [];
  return [
    { code: 'UNPRICED_MODEL', message: `No price is known for ${kept.canonicalId}, so no cost was recorded` },
  ];
}

function errorOf(status: RunRecord['status'], decisive: AttemptResult | undefined): RunError | null {
  if (status === 'CANCELLED')
    return { code: 'CANCELLED', message: 'The run was cancelled', retryAfterMs: null };
  if (status === 'INTERRUPTED') {
    return {
      code: 'NODE_DRAINING',
      message: 'The node that ran this completion was shut down',
      retryAfterMs: null,
    };
  }
  if (status === 'FINISHED') return null;
  const error = decisive?.error;
  if (!error)
    return { code: 'MODEL_UNAVAILABLE', message: 'No candidate was left to try', retryAfterMs: null };
  return { code: error.code, message: storableText(error.message), retryAfterMs: error.retryAfterMs ?? null };
}

export function toRunEnd(record: RunRecord, epoch: number): RunEnd {
  return {
    id: record.id,
    epoch,
    status: record.status as RunEnd['status'],
    instance_id: record.instanceId,
    canonical_id: record.canonicalId,
    text: record.text,
    reasoning: record.reasoning,
    tool_calls: record.toolCalls as unknown as RunEnd['tool_calls'],
    finish_reason: record.finishReason,
    provider_finish_reason: record.providerFinishReason,
    ...toUsageColumns(record.usage),
    cost_nano: record.costNano?.toString() ?? null,
    cost_lines: record.costLines as unknown as RunEnd['cost_lines'],
    price_version_id: record.priceVersionId,
    warnings: record.warnings as unknown as RunEnd['warnings'],
    error: record.error as unknown as RunEnd['error'],
    continuation: record.continuation,
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
