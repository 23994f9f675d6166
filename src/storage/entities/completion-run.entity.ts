// Owns the mapping of completion runs for reading; they are written in groups, past the ORM (`run.repository.ts`).
import { defineEntity, p } from '@mikro-orm/core';
import type { JsonObject, JsonValue } from '../../kernel/json.ts';

export type RunStatus = 'RUNNING' | 'FINISHED' | 'FAILED' | 'CANCELLED' | 'INTERRUPTED';

const CompletionRunSchema = defineEntity({
  name: 'CompletionRun',
  tableName: 'completion_run',
  properties: {
    id: p.uuid().primary(),
    /** Name of the kind of call. */
    kind: p.text(),
    workspaceId: p.uuid(),
    /** `key:<id>` or `sub:<subject>`. */
    caller: p.text(),
    requestId: p.text().nullable(),
    status: p.text().$type<RunStatus>(),
    model: p.text(),
    /** May hold many megabytes, and is read by nobody: what was asked is kept for the database's own users. */
    input: p.json().$type<JsonObject>().lazy(),
    plan: p.json().$type<JsonObject>(),
    metadata: p.json().$type<JsonObject>(),
    onDetach: p.text(),
    nodeId: p.uuid(),
    epoch: p.integer(),
    instanceId: p.uuid().nullable(),
    canonicalId: p.text().nullable(),
    text: p.text(),
    reasoning: p.text(),
    toolCalls: p.json().$type<readonly JsonObject[]>(),
    finishReason: p.text().nullable(),
    providerFinishReason: p.text().nullable(),
    inputTokens: p.integer(),
    cacheReadTokens: p.integer(),
    cacheWriteTokens: p.integer(),
    outputTokens: p.integer(),
    reasoningTokens: p.integer(),
    usageEstimated: p.boolean(),
    costNano: p.bigint('bigint').nullable(),
    costLines: p.json().$type<readonly JsonObject[]>().nullable(),
    priceVersionId: p.uuid().nullable(),
    warnings: p.json().$type<readonly JsonObject[]>(),
    error: p.json().$type<JsonObject>().nullable(),
    continuation: p.text().nullable(),
    /** The last seq that a progress record covers. */
    progressSeq: p.integer(),
    lastSeq: p.integer().nullable(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
    endedAt: p.datetime().nullable(),
    contentRemovedAt: p.datetime().nullable(),
  },
});

export class CompletionRunEntity extends CompletionRunSchema.class {}
CompletionRunSchema.setClass(CompletionRunEntity);

const RunAttemptSchema = defineEntity({
  name: 'RunAttempt',
  tableName: 'run_attempt',
  properties: {
    runId: p.uuid().primary(),
    number: p.integer().primary(),
    instanceId: p.uuid().nullable(),
    configId: p.uuid(),
    canonicalId: p.text(),
    outcome: p.text(),
    error: p.json().$type<JsonValue>().nullable(),
    servedModel: p.text().nullable(),
    providerRequestId: p.text().nullable(),
    startedAt: p.datetime(),
    firstTokenMs: p.integer().nullable(),
    durationMs: p.integer(),
    inputTokens: p.integer(),
    cacheReadTokens: p.integer(),
    cacheWriteTokens: p.integer(),
    outputTokens: p.integer(),
    reasoningTokens: p.integer(),
    usageEstimated: p.boolean(),
    costNano: p.bigint('bigint').nullable(),
    absorbed: p.boolean(),
  },
});

export class RunAttemptEntity extends RunAttemptSchema.class {}
RunAttemptSchema.setClass(RunAttemptEntity);
