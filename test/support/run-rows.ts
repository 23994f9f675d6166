// Owns minimal rows of runs for the repository: one of a run that begins, and one of its end.
import { randomUUID } from 'node:crypto';
import type { RunBegin, RunEnd } from '../../src/storage/run-columns.ts';

/** A row of a run for which no provider was called. */
export const NO_USAGE = {
  inputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  estimated: false,
};

export function beginRow(workspaceId: string, nodeId: string, over: Partial<RunBegin> = {}): RunBegin {
  return {
    id: randomUUID(),
    kind: 'completion',
    workspaceId,
    caller: 'key:1',
    requestId: null,
    model: 'auto',
    input: {},
    plan: {},
    metadata: {},
    onDetach: 'CONTINUE',
    nodeId: nodeId,
    instanceId: null,
    canonicalId: null,
    idempotencyKey: null,
    inputHash: null,
    createdAt: new Date(),
    holdNano: 0n,
    onAccount: true,
    budgetIds: [],
    ...over,
  };
}

export function endRow(id: string, over: Partial<RunEnd> = {}): RunEnd {
  return {
    id,
    epoch: 1,
    status: 'FINISHED',
    instanceId: null,
    canonicalId: null,
    text: '',
    reasoning: '',
    toolCalls: [],
    finishReason: 'stop',
    providerFinishReason: null,
    usage: NO_USAGE,
    costNano: 0n,
    costLines: [],
    priceVersionId: null,
    warnings: [],
    error: null,
    continuation: null,
    lastSeq: 1,
    endedAt: new Date(),
    attempts: [],
    ...over,
  };
}
