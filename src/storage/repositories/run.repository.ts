// Owns the statements of runs: written in groups past the ORM, read through it.
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

/** How long a begin waits for the database, unless it is told otherwise. */
const BEGIN_WITHIN_MS = 5_000;

const CONTENT = ['text', 'reasoning', 'toolCalls', 'continuation'] as const;
type Content = (typeof CONTENT)[number];

type Columns = Pick<CompletionRunEntity, Extract<keyof CompletionRunEntity, string>>;
/** A run as it was read: its content only where that was asked for. */
export type CompletionRunRow = Omit<Columns, Content> & Partial<Pick<Columns, Content>>;

/** What a hold is to come to in all, as decimal text. */
interface HoldRaise {
  readonly run_id: string;
  readonly amount_nano: string;
}

const toProgressRow = rowMapper<RunProgress>(PROGRESS_ITEM_COLUMNS);
const toEndRow = rowMapper<RunEnd>(END_ITEM_COLUMNS);
const toAttemptRow = rowMapper<AttemptEnd>(ATTEMPT_COLUMNS);

/** After so many leases without a word the row of a dead node's lease is of no use to anybody. */
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
   * Resolves once the run's row (or the finding that its key is taken) is committed. Raises `StorageError` where that takes too long, after
   * which the run does not begin any more, and the reason of `gone` where that was aborted before the row was on its way.
   */
  async begin(run: RunBegin, gone?: AbortSignal): Promise<RunBegun> {
    const begun = await this.#begins.ask(run, false, gone);
    if (!begun) throw new StorageError('fault', 'The database did not say whether the run has begun');
    return begun;
  }

  /** The run that the key names, if there is one. Every run that this node was to begin before is taken into account. */
  join(run: RunBegin, gone?: AbortSignal): Promise<RunBegun | undefined> {
    return this.#begins.ask(run, true, gone);
  }

  /** Undoes the beginning of a run that nothing was asked of yet; its key is free again. */
  withdraw(run: RunKey & Pick<RunBegin, 'id'>): Promise<void> {
    return this.#begins.withdraw(run);
  }

  /** Whether there was room for the hold to come to so much in all. */
  raiseHold(runId: string, amount: bigint): Promise<boolean> {
    return this.#raises.add({ run_id: runId, amount_nano: amount.toString() });
  }

  /** True if this call took the run out of RUNNING; false if it had ended already or has another owner. */
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

  /** Those of the runs that go on and belong to the node, with whether somebody has asked to cancel them. */
  async ownedBy(
    nodeId: string,
    runIds: readonly string[],
  ): Promise<ReadonlyMap<string, { isCancelled: boolean }>> {
    const rows = await this.#sql.query<{ id: string; is_cancelled: boolean }>(OWNED, [runIds, nodeId]);
    return new Map(rows.map(({ id, is_cancelled }) => [id, { isCancelled: is_cancelled }]));
  }

  /** How far a run is, and since when its row has not changed, by the database's clock; nothing of its content is read. */
  async phaseOf(runId: string): Promise<{ status: RunStatus; unchangedMs: number } | undefined> {
    const [row] = await this.#sql.query<{ status: RunStatus; unchanged_ms: number }>(PHASE, [runId]);
    return row && { status: row.status, unchangedMs: row.unchanged_ms };
  }

  /** How many nodes are alive, this one included. */
  async renewLease(nodeId: string, leaseSeconds: number): Promise<number> {
    const [row] = await this.#sql.query<{ others: number }>(RENEW_LEASE, [nodeId, leaseSeconds]);
    return (row?.others ?? 0) + 1;
  }

  async dropLease(nodeId: string): Promise<void> {
    await this.#sql.query(DROP_LEASE, [nodeId]);
  }

  /**
   * Makes `nodeId` the owner of every running run whose node has not renewed its lease for so long, and gives their ids. `null`: no other
   * node can be alive, whatever its lease says.
   */
  async takeOrphans(nodeId: string, leaseSeconds: number | null): Promise<string[]> {
    const rows = await this.#sql.query<{ id: string }>(TAKE_ORPHANS, [nodeId, leaseSeconds]);
    if (leaseSeconds !== null) await this.#sql.query(DROP_DEAD_LEASES, [leaseSeconds * LEASES_KEPT]);
    return rows.map(({ id }) => id);
  }

  /** Ids of the running rows of a node that are none of those which it runs. */
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

  /** Newest first; one more row than `limit` tells that there is a further page. */
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
    // The ORM's own type of a row with excluded columns takes lists of JSON objects for single ones.
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
    // Several runs are locked by id everywhere, so that no two statements wait for each other.
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
