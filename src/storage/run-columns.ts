// Owns which columns of runs are written together, and what the domain hands over for them: when a run begins, while it runs, and when it ends.
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

/** A run that begins, as its row has it. */
export const BEGIN_COLUMNS = columnsOf({ ...BEGUN, ...SERVED_BY, nodeId });
const KEY_COLUMNS = columnsOf({ idempotencyKey: 'text', inputHash: 'text' });
/** The same with its idempotency key. */
export const KEYED_BEGIN_COLUMNS = [...BEGIN_COLUMNS, ...KEY_COLUMNS];
/** What is decided on before a run begins, without what is only stored. */
export const DECISION_COLUMNS = [
  ...columnsOf({ id, workspaceId, caller }),
  ...KEY_COLUMNS,
  ...columnsOf({ holdNano: 'bigint', onAccount: 'boolean', budgetIds: 'uuid[]' }),
];

/** What a progress record replaces; the texts are added to, and `restarted` says that they begin anew. */
export const PROGRESS_COLUMNS = [
  ...columnsOf({ ...SERVED_BY, ...CHARGED, progressSeq: 'int' }),
  ...TOKEN_COLUMNS,
];
export const PROGRESS_ITEM_COLUMNS = [
  ...columnsOf({ id, epoch, ...TEXTS, restarted: 'boolean' }),
  ...PROGRESS_COLUMNS,
];

/** What the end of a run replaces. */
export const END_COLUMNS = [...columnsOf({ ...SERVED_BY, ...TEXTS, ...CHARGED, ...ENDED }), ...USAGE_COLUMNS];
export const END_ITEM_COLUMNS = [...columnsOf({ id, epoch }), ...END_COLUMNS];
export const ATTEMPT_COLUMNS = [...columnsOf(ATTEMPT), ...USAGE_COLUMNS];

type RunFields<Fields extends keyof CompletionRunEntity> = Written<CompletionRunEntity, Fields>;

export interface RunUsage extends RunFields<keyof typeof TOKENS> {
  readonly estimated: boolean;
}

/** What a run's answer comes to, in the columns that all kinds share. */
export type StoredResult = RunFields<keyof typeof TEXTS | 'toolCalls' | 'continuation'>;

/** The columns of it that a progress record adds to while the run goes on. */
export type StoredGrowth = RunFields<keyof typeof TEXTS>;
export const NO_GROWTH: StoredGrowth = { text: '', reasoning: '' };

/** What an idempotency key is unique in. */
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
  /** Absent where nothing is to be held. */
  readonly holdNano?: bigint;
  readonly onAccount?: boolean;
  readonly budgetIds?: readonly string[];
}

export interface RunProgress
  extends RunFields<
    'id' | 'epoch' | 'progressSeq' | keyof typeof SERVED_BY | keyof typeof TEXTS | keyof typeof CHARGED
  > {
  /** Another attempt has begun since the last record: its texts replace what was stored, otherwise they are what came since. */
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
