// Owns rows of runs as the repository takes them: the least of a run that begins, and of its end.
import { randomUUID } from 'node:crypto';
import type { RunBegin, RunEnd } from '../../src/storage/repositories/run.rows.ts';

export function beginRow(workspaceId: string, nodeId: string, over: Partial<RunBegin> = {}): RunBegin {
  return {
    id: randomUUID(),
    kind: 'completion',
    workspace_id: workspaceId,
    caller: 'key:1',
    request_id: null,
    model: 'auto',
    input: {},
    plan: {},
    metadata: {},
    on_detach: 'CONTINUE',
    node_id: nodeId,
    instance_id: null,
    canonical_id: null,
    idempotency_key: null,
    input_hash: null,
    created_at: new Date().toISOString(),
    hold_nano: '0',
    on_account: true,
    budget_ids: [],
    ...over,
  };
}

export function endRow(id: string, over: Partial<RunEnd> = {}): RunEnd {
  return {
    id,
    epoch: 1,
    status: 'FINISHED',
    instance_id: null,
    canonical_id: null,
    text: '',
    reasoning: '',
    tool_calls: [],
    finish_reason: 'stop',
    provider_finish_reason: null,
    input_tokens: 0,
    cache_read_tokens: 0,
    cache_write_tokens: 0,
    output_tokens: 0,
    reasoning_tokens: 0,
    usage_estimated: false,
    cost_nano: '0',
    cost_lines: [],
    price_version_id: null,
    warnings: [],
    error: null,
    continuation: null,
    last_seq: 1,
    ended_at: new Date().toISOString(),
    attempts: [],
    ...over,
  };
}
