// Owns the reads that the in-memory snapshots are made of: the revision counters, and whole tables past the unit of work.
import type { EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/postgresql';
import { ApiKeyEntity } from '../entities/api-key.entity.ts';
import { BudgetEntity } from '../entities/budget.entity.ts';
import { MemberEntity } from '../entities/member.entity.ts';
import { ModelInstanceEntity } from '../entities/model-instance.entity.ts';
import { ModelSpecEntity } from '../entities/model-spec.entity.ts';
import { PriceVersionEntity } from '../entities/price-version.entity.ts';
import { ProviderConfigEntity } from '../entities/provider-config.entity.ts';
import { ProviderSpecEntity } from '../entities/provider-spec.entity.ts';
import { WorkspaceEntity } from '../entities/workspace.entity.ts';
import { toStorageError } from '../errors.ts';
import type { SqlClient } from '../sql.ts';

const SNAPSHOT_ENTITIES = {
  workspace: WorkspaceEntity,
  api_key: ApiKeyEntity,
  member: MemberEntity,
  budget: BudgetEntity,
  provider_spec: ProviderSpecEntity,
  provider_config: ProviderConfigEntity,
  model_spec: ModelSpecEntity,
  price_version: PriceVersionEntity,
  model_instance: ModelInstanceEntity,
} as const;

export type SnapshotTable = keyof typeof SNAPSHOT_ENTITIES;
export type SnapshotRow<Table extends SnapshotTable> = InstanceType<(typeof SNAPSHOT_ENTITIES)[Table]>;
export const SNAPSHOT_TABLES = Object.keys(SNAPSHOT_ENTITIES) as SnapshotTable[];

/** A counter per table; a higher one means that the table has changed. */
export type Revision = Readonly<Record<SnapshotTable, string>>;

const READ_REVISION = { name: 'read-revision', text: 'select * from revision' };

export class SnapshotRepository {
  readonly #sql: SqlClient;
  readonly #entities: () => SqlEntityManager;

  constructor(storage: { readonly sql: SqlClient; readonly entities: () => SqlEntityManager }) {
    this.#sql = storage.sql;
    this.#entities = storage.entities;
  }

  async revision(): Promise<Revision> {
    const [row] = await this.#sql.query<Revision>(READ_REVISION, []);
    return row as Revision;
  }

  async rows<Table extends SnapshotTable>(table: Table): Promise<SnapshotRow<Table>[]> {
    try {
      const entity: unknown = SNAPSHOT_ENTITIES[table];
      return await this.#entities().findAll(entity as EntityClass<SnapshotRow<Table>>, {
        disableIdentityMap: true,
      });
    } catch (error) {
      throw toStorageError(error);
    }
  }
}
