// Owns the mapping of completion runs: every column is named here, in the groups in which they are written past the ORM (`run-columns.ts`).
import { defineEntity, p } from '@mikro-orm/core';
import type { JsonObject } from '../../kernel/json.ts';

export type RunStatus = 'RUNNING' | 'FINISHED' | 'FAILED' | 'CANCELLED' | 'INTERRUPTED';

/** Each token is counted in one column only. */
export const TOKENS = {
  inputTokens: p.integer(),
  cacheReadTokens: p.integer(),
  cacheWriteTokens: p.integer(),
  outputTokens: p.integer(),
  reasoningTokens: p.integer(),
};

/** The instance and the model that serve a run: the first candidate at its beginning, the last one at its end. */
export const SERVED_BY = {
  instanceId: p.uuid().nullable(),
  canonicalId: p.text().nullable(),
};

/** Written when a run begins, and never changed. */
export const BEGUN = {
  id: p.uuid().primary(),
  /** Name of the kind of call. */
  kind: p.text(),
  workspaceId: p.uuid(),
  /** `key:<id>` or `sub:<subject>`. */
  caller: p.text(),
  requestId: p.text().nullable(),
  model: p.text(),
  /** May hold many megabytes, and the gateway itself never reads it: it is kept for people who query the database. */
  input: p.json().$type<JsonObject>().lazy(),
  plan: p.json().$type<JsonObject>(),
  metadata: p.json().$type<JsonObject>(),
  onDetach: p.text(),
  createdAt: p.datetime(),
};

/** The owner of the run. A writer names the epoch in which it owned the run; the node that takes the run raises it. */
export const OWNED_BY = { nodeId: p.uuid(), epoch: p.integer() };

export const TEXTS = { text: p.text(), reasoning: p.text() };

export const CHARGED = { costNano: p.bigint('bigint').nullable(), priceVersionId: p.uuid().nullable() };

/** Written at the end, once. */
export const ENDED = {
  status: p.text().$type<RunStatus>(),
  toolCalls: p.json().$type<readonly JsonObject[]>(),
  finishReason: p.text().nullable(),
  providerFinishReason: p.text().nullable(),
  costLines: p.json().$type<readonly JsonObject[]>().nullable(),
  warnings: p.json().$type<readonly JsonObject[]>(),
  error: p.json().$type<JsonObject>().nullable(),
  continuation: p.text().nullable(),
  lastSeq: p.integer().nullable(),
  endedAt: p.datetime().nullable(),
};

const CompletionRunSchema = defineEntity({
  name: 'CompletionRun',
  tableName: 'completion_run',
  properties: {
    ...BEGUN,
    ...OWNED_BY,
    ...SERVED_BY,
    ...TEXTS,
    ...TOKENS,
    usageEstimated: p.boolean(),
    ...CHARGED,
    ...ENDED,
    /** The last seq that a progress record covers. */
    progressSeq: p.integer(),
    updatedAt: p.datetime(),
    contentRemovedAt: p.datetime().nullable(),
  },
});

export class CompletionRunEntity extends CompletionRunSchema.class {}
CompletionRunSchema.setClass(CompletionRunEntity);

export const ATTEMPT = {
  number: p.integer().primary(),
  instanceId: p.uuid().nullable(),
  configId: p.uuid(),
  canonicalId: p.text(),
  outcome: p.text(),
  error: p.json().$type<JsonObject>().nullable(),
  servedModel: p.text().nullable(),
  providerRequestId: p.text().nullable(),
  startedAt: p.datetime(),
  firstTokenMs: p.integer().nullable(),
  durationMs: p.integer(),
  costNano: p.bigint('bigint').nullable(),
  absorbed: p.boolean(),
};

const RunAttemptSchema = defineEntity({
  name: 'RunAttempt',
  tableName: 'run_attempt',
  properties: { runId: p.uuid().primary(), ...ATTEMPT, ...TOKENS, usageEstimated: p.boolean() },
});

export class RunAttemptEntity extends RunAttemptSchema.class {}
RunAttemptSchema.setClass(RunAttemptEntity);
