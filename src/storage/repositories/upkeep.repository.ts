// Owns the statements of health checks and model syncs. They do not raise a config's version, so that they never conflict with a user's change.
import type { RequiredEntityData } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/postgresql';
import type { JsonObject } from '../../kernel/json.ts';
import { toRow } from '../columns.ts';
import { ModelSpecEntity } from '../entities/model-spec.entity.ts';
import { ModelSyncEntity } from '../entities/model-sync.entity.ts';
import type { ConfigHealth } from '../entities/provider-config.entity.ts';
import { toStorageError } from '../errors.ts';
import type { SqlClient } from '../sql.ts';
import type { NewRow } from './catalogue-write.repository.ts';

export interface HealthResult {
  readonly health: ConfigHealth;
  readonly fault: string | null;
  readonly error: JsonObject | null;
  readonly latencyMs: number | null;
  readonly checkedAt: Date;
}

/** Canonical ids. */
export interface RefreshWritten {
  readonly added: string[];
  readonly updated: string[];
  readonly priced: string[];
}

export interface SyncWrites {
  readonly sync: ModelSyncEntity;
  readonly inserts: readonly NewRow<'model_spec'>[];
  /** By row id: the columns that differ. */
  readonly updates: readonly { readonly id: string; readonly changes: Partial<ModelSpecEntity> }[];
  readonly withdrawnIds: readonly string[];
  /** Canonical ids that the credential can see; absent where the provider lists none. */
  readonly seen?: readonly string[];
}

const SAVE_HEALTH = {
  name: 'save-health',
  text: `update provider_config set health = $2, health_fault = $3, health_error = $4::jsonb, health_latency_ms = $5,
           health_checked_at = $6::timestamptz
         where id = $1`,
};
/** The node that gets a row back does the check; other nodes find it claimed. */
const CLAIM_CHECKS = {
  name: 'claim-checks',
  text: `update provider_config set health_checked_at = now()
         where id in (
           select id from provider_config
           where enabled and (health_checked_at is null or health_checked_at < now() - make_interval(secs => $1))
           order by health_checked_at nulls first limit 20 for update skip locked)
         returning id, workspace_id as "workspaceId"`,
};
const DUE_SYNCS = {
  name: 'due-syncs',
  text: `select id, workspace_id as "workspaceId" from provider_config
         where enabled and (last_sync_at is null or last_sync_at < now() - make_interval(secs => $1))
           and not exists (
             select 1 from model_sync sync
             where sync.config_id = provider_config.id and sync.started_at > now() - make_interval(secs => least($1, 3600)))
         order by last_sync_at nulls first limit 5`,
};
const END_STALE_SYNCS = {
  name: 'end-stale-syncs',
  text: `update model_sync set status = 'FAILED', phase = 'DONE', ended_at = now(),
           error = '{"code": "INTERNAL", "message": "The node that made this sync went away"}'
         where config_id = $1 and status = 'RUNNING' and started_at < now() - interval '5 minutes'`,
};
const SEEN_BY_OTHERS = {
  name: 'seen-by-other-configs',
  text: `select distinct seen.canonical_id from config_model seen join provider_config config on config.id = seen.config_id
         where config.workspace_id = $1 and config.provider_key = $2 and config.id <> $3`,
};
/** The node that gets the row does the refresh. */
const CLAIM_REFRESH = {
  name: 'claim-refresh',
  text: `update catalogue_refresh set started_at = now()
         where started_at is null or started_at < now() - make_interval(secs => $1) returning id`,
};
const REFRESH = {
  name: 'refresh-catalogue',
  text: 'select added, updated, priced from refresh_catalogue($1, $2::jsonb, $3::timestamptz)',
};
const LISTED_MODELS = {
  name: 'listed-models',
  text: `select config_id, array_agg(canonical_id order by canonical_id) as canonical_ids from config_model
         where config_id::text in (select jsonb_array_elements_text($1::jsonb)) group by config_id`,
};
const LAST_LISTED = {
  name: 'last-listed',
  text: `select listed from model_sync where config_id = $1 and status = 'FINISHED' and source = 'PROVIDER'
         order by started_at desc limit 1`,
};

export class UpkeepRepository {
  readonly #sql: SqlClient;
  readonly #entities: () => SqlEntityManager;

  constructor(storage: { readonly sql: SqlClient; readonly entities: () => SqlEntityManager }) {
    this.#sql = storage.sql;
    this.#entities = storage.entities;
  }

  async saveHealth(configId: string, result: HealthResult): Promise<void> {
    const { health, fault, error, latencyMs, checkedAt } = result;
    const errorText = error && JSON.stringify(error);
    await this.#sql.query(SAVE_HEALTH, [
      configId,
      health,
      fault,
      errorText,
      latencyMs,
      checkedAt.toISOString(),
    ]);
  }

  /** Enabled configs whose last check is older than that; they are now claimed for this node. */
  claimChecks(olderThanSeconds: number): Promise<{ id: string; workspaceId: string }[]> {
    return this.#sql.query(CLAIM_CHECKS, [olderThanSeconds]);
  }

  dueSyncs(olderThanSeconds: number): Promise<{ id: string; workspaceId: string }[]> {
    return this.#sql.query(DUE_SYNCS, [olderThanSeconds]);
  }

  /** True if the last refresh began longer ago, and this node has claimed the next. */
  async claimRefresh(olderThanSeconds: number): Promise<boolean> {
    return (await this.#sql.query(CLAIM_REFRESH, [olderThanSeconds])).length > 0;
  }

  /** Writes one source's models with their prices, completely or not at all. */
  async refreshCatalogue(source: string, models: readonly object[], at: Date): Promise<RefreshWritten> {
    const values = [source, JSON.stringify(models.map(toRow)), at.toISOString()];
    const [written] = await this.#sql.query<RefreshWritten>(REFRESH, values);
    return written ?? { added: [], updated: [], priced: [] };
  }

  /** Raises `StorageError` of kind `conflict` while another sync of the config runs. */
  async beginSync(sync: ModelSyncEntity): Promise<void> {
    await this.#sql.query(END_STALE_SYNCS, [sync.configId]);
    await this.#run((entities) => entities.insert(ModelSyncEntity, { ...sync }));
  }

  async saveSync(sync: ModelSyncEntity): Promise<void> {
    const { id, ...columns } = sync;
    await this.#run((entities) => entities.nativeUpdate(ModelSyncEntity, { id }, columns));
  }

  sync(workspaceId: string, id: string): Promise<ModelSyncEntity | null> {
    return this.#run((entities) => entities.findOne(ModelSyncEntity, { id, workspaceId }));
  }

  runningSync(configId: string): Promise<ModelSyncEntity | null> {
    return this.#run((entities) => entities.findOne(ModelSyncEntity, { configId, status: 'RUNNING' }));
  }

  /** The models that each credential saw at its last sync, as canonical ids by config. */
  async listedModels(configIds: readonly string[]): Promise<ReadonlyMap<string, string[]>> {
    const rows = await this.#sql.query<{ config_id: string; canonical_ids: string[] }>(LISTED_MODELS, [
      JSON.stringify(configIds),
    ]);
    return new Map(rows.map((row) => [row.config_id, row.canonical_ids]));
  }

  /** The models that other configs of the same provider in the workspace can see. */
  async seenByOthers(
    workspaceId: string,
    providerKey: string,
    configId: string,
  ): Promise<ReadonlySet<string>> {
    const rows = await this.#sql.query<{ canonical_id: string }>(SEEN_BY_OTHERS, [
      workspaceId,
      providerKey,
      configId,
    ]);
    return new Set(rows.map((row) => row.canonical_id));
  }

  /** How many models the provider listed at the last successful sync. */
  async lastListed(configId: string): Promise<number> {
    const [row] = await this.#sql.query<{ listed: number }>(LAST_LISTED, [configId]);
    return row?.listed ?? 0;
  }

  /** Writes all changes and the end of the sync, or nothing. */
  writeSync({ sync, inserts, updates, withdrawnIds, seen }: SyncWrites): Promise<void> {
    return this.#run((entities) =>
      entities.transactional(async (transaction) => {
        if (inserts.length > 0) {
          const rows: object[] = inserts.map((row) => ({ ...row, version: 1 }));
          await transaction.insertMany(ModelSpecEntity, rows as RequiredEntityData<ModelSpecEntity>[]);
        }
        const at = sync.endedAt ?? sync.startedAt;
        for (const { id, changes } of updates) await changeModel(transaction, id, changes, at);
        for (const id of withdrawnIds) await changeModel(transaction, id, { available: false }, at);
        if (seen) {
          await transaction.execute('delete from config_model where config_id = ?', [sync.configId]);
          await transaction.execute(
            'insert into config_model (config_id, canonical_id, seen_at) select ?, name, ? from jsonb_array_elements_text(?::jsonb) as name',
            [sync.configId, at, JSON.stringify(seen)],
          );
        }
        await transaction.execute('update provider_config set last_sync_at = ? where id = ?', [
          at,
          sync.configId,
        ]);
        const { id, ...columns } = sync;
        await transaction.nativeUpdate(ModelSyncEntity, { id }, columns);
      }),
    );
  }

  async #run<Result>(work: (entities: SqlEntityManager) => Promise<Result>): Promise<Result> {
    try {
      return await work(this.#entities());
    } catch (error) {
      throw toStorageError(error);
    }
  }
}

/** A user's change at the same moment takes precedence: it has raised the version, and the next sync finds its field among the edited ones. */
async function changeModel(
  transaction: SqlEntityManager,
  id: string,
  changes: Partial<ModelSpecEntity>,
  at: Date,
): Promise<void> {
  const row = await transaction.findOne(ModelSpecEntity, { id });
  if (row) Object.assign(row, changes, { updatedAt: at });
}
