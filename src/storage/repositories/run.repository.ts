// Owns the statements of runs: writes are grouped and go past the ORM, reads go through it.
import type { SqlEntityManager } from '@mikro-orm/postgresql';
import type { Batcher } from '../../kernel/batcher.ts';
import { StorageError } from '../../kernel/errors.ts';
import { silentTelemetry } from '../../kernel/telemetry.ts';
import { rowMapper } from '../columns.ts';
import { CompletionRunEntity, RunAttemptEntity, type RunStatus } from '../entities/completion-run.entity.ts';
import { toStorageError } from '../errors.ts';
import { createGroupedWriter } from '../grouped-writer.ts';
import {
  ATTEMPT_COLUMNS,
  type AttemptEnd,
  END_ITEM_COLUMNS,
  PROGRESS_ITEM_COLUMNS,
  type RunBegin,
  type RunEnd,
  type RunKey,
  type RunProgress,
} from '../run-columns.ts';
import type { SqlClient } from '../sql.ts';
import type { RunBegun, RunListFilter, RunListPage } from './run.rows.ts';
import {
  DROP_DEAD_LEASES,
  DROP_EXPIRED_KEYS,
  DROP_LEASE,
  END,
  OWNED,
  PHASE,
  PROGRESS,
  RAISE,
  RENEW_LEASE,
  REQUEST_CANCEL,
  TAKE_ORPHANS,
  TAKE_STRAYS,
} from './run.statements.ts';
import { RunBegins } from './run-begins.ts';

/** How long beginning a run waits for the database, in milliseconds, unless another limit is given. */
const BEGIN_WITHIN_MS = 5_000;

const CONTENT = ['text', 'reasoning', 'toolCalls', 'continuation'] as const;
type Content = (typeof CONTENT)[number];

type Columns = Pick<CompletionRunEntity, Extract<keyof CompletionRunEntity, string>>;
/** A run as it was read; it has its content only if that was asked for. */
export type CompletionRunRow = Omit<Columns, Content> & Partial<Pick<Columns, Content>>;

/** The new total of a hold, as decimal text. */
interface HoldRaise {
  readonly run_id: string;
  readonly amount_nano: string;
}

const toProgressRow = rowMapper<RunProgress>(PROGRESS_ITEM_COLUMNS);
const toEndRow = rowMapper<RunEnd>(END_ITEM_COLUMNS);
const toAttemptRow = rowMapper<AttemptEnd>(ATTEMPT_COLUMNS);

/** After this many lease times without renewal, the row of a dead node's lease is deleted. */
const LEASES_KEPT = 6;

export class RunRepository {
  readonly #sql: SqlClient;
  readonly #entities: () => SqlEntityManager;
  readonly #begins: RunBegins;
  readonly #ends: Batcher<RunEnd, boolean>;
  readonly #raises: Batcher<HoldRaise, boolean>;
  readonly #progress: Batcher<RunProgress, boolean>;

  constructor(
    storage: { readonly sql: SqlClient; readonly entities: () => SqlEntityManager },
    beginWithinMs = BEGIN_WITHIN_MS,
    telemetry = silentTelemetry,
  ) {
    this.#sql = storage.sql;
    this.#entities = storage.entities;
    this.#begins = new RunBegins(storage.sql, beginWithinMs, telemetry);
    this.#ends = createGroupedWriter('ends', telemetry, (items) => this.#writeEnds(items));
    this.#raises = createGroupedWriter('hold-raises', telemetry, (items) => this.#writeRaises(items));
    this.#progress = createGroupedWriter('progress', telemetry, (items) => this.#writeProgress(items));
  }

  /**
   * Resolves once the run's row, or the finding that its key is in use, is committed. Raises `StorageError` if that takes too long, in which case the
   * run does not begin afterwards; or the reason of `gone`, if that was aborted before the row was sent.
   */
  async begin(run: RunBegin, gone?: AbortSignal): Promise<RunBegun> {
    const begun = await this.#begins.ask(run, false, gone);
    if (!begun) throw new StorageError('fault', 'The database did not say whether the run has begun');
    return begun;
  }

  /** The run that the key names, if there is one. Runs that this node was asked to begin before are considered too. */
  join(run: RunBegin, gone?: AbortSignal): Promise<RunBegun | undefined> {
    return this.#begins.ask(run, true, gone);
  }

  /** Undoes the beginning of a run for which no provider was called; its key is free again. */
  withdraw(run: RunKey & Pick<RunBegin, 'id'>): Promise<void> {
    return this.#begins.withdraw(run);
  }

  /** True if there was room to raise the hold to this total. */
  raiseHold(runId: string, amount: bigint): Promise<boolean> {
    return this.#raises.add({ run_id: runId, amount_nano: amount.toString() });
  }

  /** True if this call took the run out of RUNNING; false if the run had ended before or has another owner. */
  end(run: RunEnd): Promise<boolean> {
    return this.#ends.add(run);
  }

  /** True if the run still belongs to the writer; otherwise it has been taken over or has ended. */
  saveProgress(run: RunProgress): Promise<boolean> {
    return this.#progress.add(run);
  }

  async requestCancel(runId: string): Promise<void> {
    await this.#sql.query(REQUEST_CANCEL, [runId]);
  }

  /** Those of the runs that go on and belong to the node, and whether a caller has asked to cancel each. */
  async ownedBy(
    nodeId: string,
    runIds: readonly string[],
  ): Promise<ReadonlyMap<string, { isCancelled: boolean }>> {
    const rows = await this.#sql.query<{ id: string; is_cancelled: boolean }>(OWNED, [runIds, nodeId]);
    return new Map(rows.map(({ id, is_cancelled }) => [id, { isCancelled: is_cancelled }]));
  }

  /** The status of a run, and how long ago its row last changed, by the database's clock; no content is read. */
  async phaseOf(runId: string): Promise<{ status: RunStatus; unchangedMs: number } | undefined> {
    const [row] = await this.#sql.query<{ status: RunStatus; unchanged_ms: number }>(PHASE, [runId]);
    return row && { status: row.status, unchangedMs: row.unchanged_ms };
  }

  /** Renews the lease; gives the number of live nodes, this one included. */
  async renewLease(nodeId: string, leaseSeconds: number): Promise<number> {
    const [row] = await this.#sql.query<{ others: number }>(RENEW_LEASE, [nodeId, leaseSeconds]);
    return (row?.others ?? 0) + 1;
  }

  async dropLease(nodeId: string): Promise<void> {
    await this.#sql.query(DROP_LEASE, [nodeId]);
  }

  /**
   * Makes `nodeId` the owner of every running run whose node has not renewed its lease for `leaseSeconds`, and gives the ids. `null`: every other node
   * counts as dead, whatever its lease says.
   */
  async takeOrphans(nodeId: string, leaseSeconds: number | null): Promise<string[]> {
    const rows = await this.#sql.query<{ id: string }>(TAKE_ORPHANS, [nodeId, leaseSeconds]);
    if (leaseSeconds !== null) await this.#sql.query(DROP_DEAD_LEASES, [leaseSeconds * LEASES_KEPT]);
    return rows.map(({ id }) => id);
  }

  /** Ids of the running rows of a node that it does not run. */
  async takeStrays(nodeId: string, runningIds: readonly string[]): Promise<string[]> {
    const rows = await this.#sql.query<{ id: string }>(TAKE_STRAYS, [nodeId, runningIds]);
    return rows.map(({ id }) => id);
  }

  async dropExpiredKeys(): Promise<void> {
    await this.#sql.query(DROP_EXPIRED_KEYS, []);
  }

  async byIds(ids: readonly string[]): Promise<CompletionRunEntity[]> {
    return this.#reading((entities) =>
      entities.find(CompletionRunEntity, { id: { $in: [...ids] } }, { disableIdentityMap: true }),
    );
  }

  async attemptsOf(runIds: readonly string[]): Promise<RunAttemptEntity[]> {
    return this.#reading((entities) =>
      entities.find(
        RunAttemptEntity,
        { runId: { $in: [...runIds] } },
        { orderBy: { runId: 'asc', number: 'asc' }, disableIdentityMap: true },
      ),
    );
  }

  /** Newest first. It reads one row more than `limit`, which shows whether there is a further page. */
  async list(filter: RunListFilter, page: RunListPage): Promise<CompletionRunRow[]> {
    const beyond = page.beyondId && { id: page.backward ? { $gt: page.beyondId } : { $lt: page.beyondId } };
    const rows: unknown[] = await this.#reading((entities) =>
      entities.find(
        CompletionRunEntity,
        { ...filter, ...beyond },
        {
          orderBy: { id: page.backward ? 'asc' : 'desc' },
          limit: page.limit + 1,
          disableIdentityMap: true,
          ...(page.withContent ? {} : { exclude: CONTENT }),
        },
      ),
    );
    // The ORM's type of a row with excluded columns confuses lists of JSON objects with single ones.
    return rows as CompletionRunRow[];
  }

  async count(filter: RunListFilter): Promise<number> {
    return this.#reading((entities) => entities.count(CompletionRunEntity, { ...filter }));
  }

  async #writeRaises(items: readonly HoldRaise[]): Promise<boolean[]> {
    const rows = await this.#sql.query<{ granted: boolean }>(RAISE, [JSON.stringify(items)]);
    return rows.map(({ granted }) => granted);
  }

  async #writeProgress(items: readonly RunProgress[]): Promise<boolean[]> {
    const rows = await this.#sql.query<{ id: string }>(PROGRESS, [JSON.stringify(items.map(toProgressRow))]);
    const mine = new Set(rows.map(({ id }) => id));
    return items.map(({ id }) => mine.has(id));
  }

  async #writeEnds(items: readonly RunEnd[]): Promise<boolean[]> {
    // Every statement locks several runs in the order of their ids, so that no two statements wait for each other.
    const inOrder = items.toSorted((one, other) => (one.id < other.id ? -1 : 1));
    const rows = await this.#sql.query<{ id: string }>(END, [JSON.stringify(inOrder.map(toEndItem))]);
    const won = new Set(rows.map(({ id }) => id));
    return items.map(({ id }) => won.has(id));
  }

  async #reading<Result>(read: (entities: SqlEntityManager) => Promise<Result>): Promise<Result> {
    try {
      return await read(this.#entities());
    } catch (error) {
      throw toStorageError(error);
    }
  }
}

/** The run and its attempts, as one item of `end_runs`. */
export function toEndItem(run: RunEnd): object {
  const item = toEndRow(run);
  item.attempts = run.attempts.map(toAttemptRow);
  return item;
}
