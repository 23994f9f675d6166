// Owns the statements of runs: written in groups past the ORM, read through it.
import type { SqlEntityManager } from '@mikro-orm/postgresql';
import type { JsonObject, JsonValue } from '../../kernel/json.ts';
import { CompletionRunEntity, RunAttemptEntity, type RunStatus } from '../entities/completion-run.entity.ts';
import { toStorageError } from '../errors.ts';
import { GroupedWriter } from '../grouped-writer.ts';
import type { SqlClient } from '../sql.ts';

/** Column names of `begin_runs`. */
export interface RunBegin {
  readonly id: string;
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
  /** ISO time. */
  readonly created_at: string;
}

export interface RunBegun {
  readonly outcome: 'begun' | 'joined' | 'conflict';
  /** The run that the key names; the new one if it was begun. */
  readonly runId: string;
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
}

const BEGIN = {
  name: 'begin-runs',
  text: 'select outcome, run_id from begin_runs($1::jsonb) order by ordinal',
};
const PROGRESS = { name: 'save-progress', text: 'select * from save_progress($1::jsonb) as id' };
const END = { name: 'end-runs', text: 'select * from end_runs($1::jsonb) as id' };
const REQUEST_CANCEL = {
  name: 'request-cancel',
  text: "update completion_run set cancel_requested_at = now() where id = $1 and status = 'RUNNING'",
};
const CANCEL_REQUESTED = {
  name: 'cancel-requested',
  text: "select id from completion_run where node_id = $1 and status = 'RUNNING' and cancel_requested_at is not null",
};
const RENEW_LEASE = {
  name: 'renew-lease',
  text: `insert into node_lease (node_id) values ($1)
         on conflict (node_id) do update set renewed_at = now()`,
};
const DROP_LEASE = { name: 'drop-lease', text: 'delete from node_lease where node_id = $1' };
/** Raising the epoch takes the run from its owner: whatever that still writes is refused. */
const TAKE_ORPHANS = {
  name: 'take-orphans',
  text: `update completion_run run set epoch = run.epoch + 1, node_id = $1
         where run.status = 'RUNNING' and run.node_id <> $1 and not exists (
           select from node_lease lease
           where lease.node_id = run.node_id and lease.renewed_at > now() - make_interval(secs => $2))
         returning run.id`,
};
const DROP_DEAD_LEASES = {
  name: 'drop-dead-leases',
  text: 'delete from node_lease where renewed_at <= now() - make_interval(secs => $1)',
};
const DROP_EXPIRED_KEYS = {
  name: 'drop-expired-idempotency-keys',
  text: `delete from idempotency_key where ctid in (
           select ctid from idempotency_key where expires_at <= now() limit 1000)`,
};

export class RunRepository {
  readonly #sql: SqlClient;
  readonly #entities: () => SqlEntityManager;
  readonly #begins: GroupedWriter<RunBegin, RunBegun>;
  readonly #ends: GroupedWriter<RunEnd, boolean>;

  constructor(storage: { readonly sql: SqlClient; readonly entities: () => SqlEntityManager }) {
    this.#sql = storage.sql;
    this.#entities = storage.entities;
    this.#begins = new GroupedWriter((items) => this.#writeBegins(items));
    this.#ends = new GroupedWriter((items) => this.#writeEnds(items));
  }

  /** Resolves once the run's row (or the finding that its key is taken) is committed. */
  begin(run: RunBegin): Promise<RunBegun> {
    return this.#begins.add(run);
  }

  /** True if this call took the run out of RUNNING; false if it had ended already or has another owner. */
  end(run: RunEnd): Promise<boolean> {
    return this.#ends.add(run);
  }

  /** Ids of the runs that still belong to the writer; the others have been taken over or ended. */
  async saveProgress(runs: readonly RunProgress[]): Promise<ReadonlySet<string>> {
    const rows = await this.#sql.query<{ id: string }>(PROGRESS, [JSON.stringify(runs)]);
    return new Set(rows.map(({ id }) => id));
  }

  async requestCancel(runId: string): Promise<void> {
    await this.#sql.query(REQUEST_CANCEL, [runId]);
  }

  async cancelRequested(nodeId: string): Promise<string[]> {
    const rows = await this.#sql.query<{ id: string }>(CANCEL_REQUESTED, [nodeId]);
    return rows.map(({ id }) => id);
  }

  async renewLease(nodeId: string): Promise<void> {
    await this.#sql.query(RENEW_LEASE, [nodeId]);
  }

  async dropLease(nodeId: string): Promise<void> {
    await this.#sql.query(DROP_LEASE, [nodeId]);
  }

  /** Makes `nodeId` the owner of every running run whose node has not renewed its lease for so long. */
  async takeOrphans(nodeId: string, leaseSeconds: number): Promise<CompletionRunEntity[]> {
    const rows = await this.#sql.query<{ id: string }>(TAKE_ORPHANS, [nodeId, leaseSeconds]);
    await this.#sql.query(DROP_DEAD_LEASES, [leaseSeconds * 6]);
    return rows.length === 0 ? [] : this.byIds(rows.map(({ id }) => id));
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
  async list(filter: RunListFilter, page: RunListPage): Promise<CompletionRunEntity[]> {
    const beyond = page.beyondId && { id: page.backward ? { $gt: page.beyondId } : { $lt: page.beyondId } };
    return this.#reading((entities) =>
      entities.find(
        CompletionRunEntity,
        { ...filter, ...beyond },
        { orderBy: { id: page.backward ? 'asc' : 'desc' }, limit: page.limit + 1, disableIdentityMap: true },
      ),
    );
  }

  async count(filter: RunListFilter): Promise<number> {
    return this.#reading((entities) => entities.count(CompletionRunEntity, { ...filter }));
  }

  async #writeBegins(items: readonly RunBegin[]): Promise<RunBegun[]> {
    const rows = await this.#sql.query<{ outcome: RunBegun['outcome']; run_id: string }>(BEGIN, [
      JSON.stringify(items),
    ]);
    return rows.map(({ outcome, run_id }) => ({ outcome, runId: run_id }));
  }

  async #writeEnds(items: readonly RunEnd[]): Promise<boolean[]> {
    const rows = await this.#sql.query<{ id: string }>(END, [JSON.stringify(items)]);
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
