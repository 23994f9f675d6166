// Owns what is booked for a run: the usage and cost of each attempt, and the record that ends the run.

import { type Cost, costOf, FREE_OF_CHARGE } from '../billing/cost.ts';
import { priceInForce } from '../billing/model-price.ts';
import { NO_USAGE, type Usage } from '../billing/usage.ts';
import { type Candidate, isFree } from '../routing/candidates.ts';
import type { ActiveRun, CurrentAttempt } from './active-run.ts';
import type { AttemptResult } from './attempt.ts';
import type { Answer, Kind } from './kind.ts';
import type { RunEnding } from './run-ending.ts';
import type { AttemptError, AttemptOutcome, RunAttempt, RunRecord, RunWarning } from './run-record.ts';
import type { RunTerms } from './run-terms.ts';

export interface PricedAttempt {
  readonly usage: Usage;
  /** `undefined` if the model has no price. */
  readonly cost: Cost | undefined;
}

export async function priceAttempt(
  terms: RunTerms,
  candidate: Candidate,
  result: AttemptResult,
  at: Date,
): Promise<PricedAttempt> {
  return priceUsage(await usageOf(terms, result), candidate, terms, at);
}

/** Usage and cost by the gateway's own count of tokens, even if the provider has sent one. */
export async function priceByOwnCount(
  terms: RunTerms,
  { candidate, answer }: CurrentAttempt,
  at: Date,
): Promise<PricedAttempt> {
  return priceUsage(await countAnswer(terms, answer), candidate, terms, at);
}

function priceUsage(usage: Usage, candidate: Candidate, { prices }: RunTerms, at: Date): PricedAttempt {
  if (isFree(candidate)) return { usage, cost: FREE_OF_CHARGE };
  const price = priceInForce(prices, candidate.canonicalId, at);
  return { usage, cost: price && costOf(usage, price) };
}

/** The provider's count; the gateway's own if there is none, or if the answer broke off before its final count. */
async function usageOf(terms: RunTerms, { answer, error }: AttemptResult): Promise<Usage> {
  if (!error && answer.usage) return { ...answer.usage, estimated: false };
  if (error && !answer.hasContent) return answer.usage ? { ...answer.usage, estimated: true } : NO_USAGE;
  const counted = await countAnswer(terms, answer);
  const sent = answer.usage;
  if (!sent) return counted;
  return {
    ...sent,
    outputTokens: Math.max(sent.outputTokens, counted.outputTokens),
    reasoningTokens: Math.max(sent.reasoningTokens, counted.reasoningTokens),
    estimated: true,
  };
}

async function countAnswer({ kind, request }: RunTerms, answer: Answer): Promise<Usage> {
  return { ...(await kind.countUsage(request, answer)), estimated: true };
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
    message: error.message,
    status: error.status ?? null,
    providerCode: error.providerCode ?? null,
    retryAfterMs: error.retryAfterMs ?? null,
  };
}

/** The record of the ended run. It has the result of the last attempt, and its charge, if that attempt is kept (`isKept`). */
export function settledRecord(run: ActiveRun, ending: RunEnding, endedAt: Date): RunRecord {
  const last = run.attempts.at(-1);
  const kept = last?.absorbed ? undefined : last;
  const { current, terms } = run;
  const finished = ending.status === 'FINISHED';
  return {
    ...run.record(),
    ...ending,
    result:
      kept && current ? current.answer.result(finished ? current.candidate : undefined) : terms.kind.noResult,
    providerFinishReason: finished ? (current?.answer.providerFinishReason ?? null) : null,
    usage: kept?.usage ?? NO_USAGE,
    costNano: kept?.costNano ?? null,
    costLines: kept?.costLines ?? [],
    priceVersionId: kept?.priceVersionId ?? null,
    warnings: [...run.warnings, ...(current?.answer.warnings ?? []), ...priceWarnings(kept)],
    lastSeq: run.seq + 1,
    endedAt,
  };
}

/**
 * The same end for a database that refuses to store it: without any text that a provider wrote, and charged by the gateway's own count; without a charge
 * if there is no such count.
 */
export function endWithoutContent(
  record: RunRecord,
  kind: Kind,
  charge: PricedAttempt | undefined,
): RunRecord {
  const charged = {
    usage: charge?.usage ?? NO_USAGE,
    costNano: charge?.cost?.totalNano ?? null,
    costLines: charge?.cost?.lines ?? [],
    priceVersionId: charge?.cost?.priceVersionId ?? null,
  };
  const nothing = { usage: NO_USAGE, costNano: null, costLines: [], priceVersionId: null };
  return {
    ...record,
    ...charged,
    status: 'FAILED',
    result: kind.noResult,
    finishReason: null,
    providerFinishReason: null,
    warnings: [],
    error: {
      code: 'INTERNAL',
      message: 'The answer could not be stored, so it is not kept',
      retryAfterMs: null,
    },
    attempts: (record.attempts ?? []).map((attempt) => ({
      ...attempt,
      ...(attempt.absorbed ? nothing : charged),
      error: attempt.error && { ...attempt.error, message: 'Not stored', providerCode: null },
      servedModel: null,
      providerRequestId: null,
    })),
  };
}

function priceWarnings(kept: RunAttempt | undefined): RunWarning[] {
  if (!kept || kept.costNano !== null) return [];
  return [
    { code: 'UNPRICED_MODEL', message: `No price is known for ${kept.canonicalId}, so no cost was recorded` },
  ];
}
