// Owns the rows of runs as they are written: the column names that the functions of the database take.
import type { JsonObject, JsonValue } from '../../kernel/json.ts';
import type { RunStatus } from '../entities/completion-run.entity.ts';

/** Column names of `begin_runs`. */
export interface RunBegin {
  readonly id: string;
  /** Name of the kind of call. */
  readonly kind: string;
  readonly workspace_id: string;
  readonly caller: string;
  readonly request_id: string | null;
  readonly model: string;
  readonly input: unknown;
  readonly plan: unknown;
  readonly metadata: JsonObject;
  readonly on_detach: string;
  readonly node_id: string;
  readonly instance_id: string | null;
  readonly canonical_id: string | null;
  readonly idempotency_key: string | null;
  readonly input_hash: string | null;
  /** Decimal text; absent where nothing is to be held. */
  readonly hold_nano?: string;
  readonly on_account?: boolean;
  readonly budget_ids?: readonly string[];
  /** ISO time. */
  readonly created_at: string;
}

export interface RunBegun {
  readonly outcome: 'begun' | 'joined' | 'conflict' | 'refused';
  /** The run that the key names; the new one if it was begun. */
  readonly runId: string;
  /** Set where it was refused. */
  readonly refusal: HoldRefusal | null;
}

/** Amounts in nano-dollars as decimal text. */
export interface HoldRefusal {
  readonly scope: 'ACCOUNT' | 'BUDGET';
  readonly budgetId?: string;
  readonly required: string;
  readonly available: string;
}

export interface HoldRaise {
  readonly run_id: string;
  readonly amount_nano: string;
}

interface UsageColumns {
  readonly input_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_tokens: number;
  readonly output_tokens: number;
  readonly reasoning_tokens: number;
}

/** Column names of `save_progress`; the texts are what came since the last record. */
export interface RunProgress extends UsageColumns {
  readonly id: string;
  readonly epoch: number;
  readonly instance_id: string | null;
  readonly canonical_id: string | null;
  /** Another attempt has begun since the last record: its texts replace what was stored. */
  readonly restarted: boolean;
  readonly text: string;
  readonly reasoning: string;
  readonly cost_nano: string | null;
  readonly price_version_id: string | null;
  readonly progress_seq: number;
}

/** What a run's answer comes to, in the columns that all kinds share. */
export interface StoredResult {
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly JsonObject[];
  readonly continuation: string | null;
}

/** Column names of `end_runs`. */
export interface RunEnd extends UsageColumns {
  readonly id: string;
  readonly epoch: number;
  readonly status: Exclude<RunStatus, 'RUNNING'>;
  readonly instance_id: string | null;
  readonly canonical_id: string | null;
  readonly text: string;
  readonly reasoning: string;
  readonly tool_calls: JsonValue;
  readonly finish_reason: string | null;
  readonly provider_finish_reason: string | null;
  readonly usage_estimated: boolean;
  readonly cost_nano: string | null;
  readonly cost_lines: JsonValue;
  readonly price_version_id: string | null;
  readonly warnings: JsonValue;
  readonly error: JsonValue;
  readonly continuation: string | null;
  readonly last_seq: number;
  readonly ended_at: string;
  readonly attempts: readonly AttemptEnd[];
}

export interface AttemptEnd extends UsageColumns {
  readonly number: number;
  readonly instance_id: string | null;
  readonly config_id: string;
  readonly canonical_id: string;
  readonly outcome: string;
  readonly error: JsonValue;
  readonly served_model: string | null;
  readonly provider_request_id: string | null;
  readonly started_at: string;
  readonly first_token_ms: number | null;
  readonly duration_ms: number;
  readonly usage_estimated: boolean;
  readonly cost_nano: string | null;
  readonly absorbed: boolean;
}

export interface RunListFilter {
  readonly workspaceId: string;
  /** Name of the kind of call. */
  readonly kind: string;
  readonly caller?: string;
  readonly status?: RunStatus;
  readonly canonicalId?: string;
  readonly instanceId?: string;
}

export interface RunListPage {
  readonly limit: number;
  readonly backward: boolean;
  /** Id of the row that the page begins behind; ids sort by time. */
  readonly beyondId?: string;
  /** Whether text, reasoning, tool calls and continuations are read; they are empty otherwise. */
  readonly withContent: boolean;
}
