// Owns the types of what the repository of runs answers and is asked.
import type { RunStatus } from '../entities/completion-run.entity.ts';

export interface RunBegun {
  readonly outcome: 'begun' | 'joined' | 'conflict' | 'refused';
  /** The run that the key names; the new one if it was begun. */
  readonly runId: string;
  /** Set if the run was refused. */
  readonly refusal: HoldRefusal | null;
}

/** Amounts in nano-dollars as decimal text. */
export interface HoldRefusal {
  readonly scope: 'ACCOUNT' | 'BUDGET';
  readonly budgetId?: string;
  readonly required: string;
  readonly available: string;
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
  /** Id of the row after which the page begins; ids sort by time. */
  readonly beyondId?: string;
  /** True: text, reasoning, tool calls and continuations are read; otherwise they are empty. */
  readonly withContent: boolean;
}
