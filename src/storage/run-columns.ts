// Owns which columns of runs are written together, and the values that the domain gives for them: when a run begins, while it runs, and when it ends.
import { type Column, columnsOf, type Written, within } from './columns.ts';
import {
  ATTEMPT,
  BEGUN,
  CHARGED,
  type CompletionRunEntity,
  ENDED,
  OWNED_BY,
  type RunAttemptEntity,
  type RunStatus,
  SERVED_BY,
  TEXTS,
  TOKENS,
} from './entities/completion-run.entity.ts';

const { id, workspaceId, caller } = BEGUN;
const { nodeId, epoch } = OWNED_BY;
const TOKEN_COLUMNS = within('usage', columnsOf(TOKENS));
const USAGE_COLUMNS: readonly Column[] = [
  ...TOKEN_COLUMNS,
  { name: 'usage_estimated', type: 'boolean', path: 'usage.estimated' },
];

/** Columns of a run that begins. */
export const BEGIN_COLUMNS = columnsOf({ ...BEGUN, ...SERVED_BY, nodeId });
const KEY_COLUMNS = columnsOf({ idempotencyKey: 'text', inputHash: 'text' });
/** The same columns, and those of its idempotency key. */
export const KEYED_BEGIN_COLUMNS = [...BEGIN_COLUMNS, ...KEY_COLUMNS];
/** Columns that are decided on before a run begins, without those that are only stored. */
export const DECISION_COLUMNS = [
  ...columnsOf({ id, workspaceId, caller }),
  ...KEY_COLUMNS,
  ...columnsOf({ holdNano: 'bigint', onAccount: 'boolean', budgetIds: 'uuid[]' }),
];

/** Columns that a progress record replaces. Its texts are added to the stored ones; `restarted` says that they replace these. */
export const PROGRESS_COLUMNS = [
  ...columnsOf({ ...SERVED_BY, ...CHARGED, progressSeq: 'int' }),
  ...TOKEN_COLUMNS,
];
export const PROGRESS_ITEM_COLUMNS = [
  ...columnsOf({ id, epoch, ...TEXTS, restarted: 'boolean' }),
  ...PROGRESS_COLUMNS,
];

/** Columns that the end of a run replaces. */
export const END_COLUMNS = [...columnsOf({ ...SERVED_BY, ...TEXTS, ...CHARGED, ...ENDED }), ...USAGE_COLUMNS];
export const END_ITEM_COLUMNS = [...columnsOf({ id, epoch }), ...END_COLUMNS];
export const ATTEMPT_COLUMNS = [...columnsOf(ATTEMPT), ...USAGE_COLUMNS];

type RunFields<Fields extends keyof CompletionRunEntity> = Written<CompletionRunEntity, Fields>;

export interface RunUsage extends RunFields<keyof typeof TOKENS> {
  readonly estimated: boolean;
}

/** The result of a run in the columns that all kinds share. */
export type StoredResult = RunFields<keyof typeof TEXTS | 'toolCalls' | 'continuation'>;

/** The columns of the result to which progress records add while the run goes on. */
export type StoredGrowth = RunFields<keyof typeof TEXTS>;
export const NO_GROWTH: StoredGrowth = { text: '', reasoning: '' };

/** The fields within which an idempotency key is unique. */
export interface RunKey {
  readonly workspaceId: string;
  readonly caller: string;
  readonly idempotencyKey: string | null;
}

export interface RunBegin
  extends RunKey,
    RunFields<Exclude<keyof typeof BEGUN, 'input'> | keyof typeof SERVED_BY | 'nodeId'> {
  readonly input: object;
  readonly inputHash: string | null;
  /** Absent if nothing is to be held. */
  readonly holdNano?: bigint;
  readonly onAccount?: boolean;
  readonly budgetIds?: readonly string[];
}

export interface RunProgress
  extends RunFields<
    'id' | 'epoch' | 'progressSeq' | keyof typeof SERVED_BY | keyof typeof TEXTS | keyof typeof CHARGED
  > {
  /** True if another attempt has begun since the last record: its texts replace the stored ones. Otherwise they are added to these. */
  readonly restarted: boolean;
  readonly usage: Omit<RunUsage, 'estimated'>;
}

type EndFields =
  | 'id'
  | 'epoch'
  | keyof typeof SERVED_BY
  | keyof typeof TEXTS
  | keyof typeof CHARGED
  | Exclude<keyof typeof ENDED, 'status'>;

export interface RunEnd extends RunFields<EndFields> {
  readonly status: Exclude<RunStatus, 'RUNNING'>;
  readonly usage: RunUsage;
  readonly attempts: readonly AttemptEnd[];
}

export interface AttemptEnd extends Written<RunAttemptEntity, keyof typeof ATTEMPT> {
  readonly usage: RunUsage;
}
