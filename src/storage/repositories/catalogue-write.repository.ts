// Owns the writes of the catalogue: one row at a time, against the version that the writer had read.
import {
  type EntityClass,
  type FilterQuery,
  OptimisticLockError,
  type RequiredEntityData,
} from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/postgresql';
import { StorageError } from '../../kernel/errors.ts';
import { type Actor, writeAs } from '../acting.ts';
import { ModelInstanceEntity } from '../entities/model-instance.entity.ts';
import { ModelSpecEntity } from '../entities/model-spec.entity.ts';
import { PriceVersionEntity } from '../entities/price-version.entity.ts';
import { ProviderConfigEntity } from '../entities/provider-config.entity.ts';
import { ProviderSpecEntity } from '../entities/provider-spec.entity.ts';
import type { CatalogueRow, CatalogueTable } from './catalogue.repository.ts';

const ENTITIES = {
  provider_spec: ProviderSpecEntity,
  model_spec: ModelSpecEntity,
  provider_config: ProviderConfigEntity,
  model_instance: ModelInstanceEntity,
} as const;

type Columns<Row> = Pick<Row, Extract<keyof Row, string>>;
type MadeByTheDatabase<Table> = 'version' | (Table extends 'model_spec' ? 'canonicalId' : never);

/** Requires a value for every column, so that a column that is added to an entity makes each place fail to compile that creates a row. */
export type NewRow<Table extends CatalogueTable> = { readonly id: string } & {
  readonly [Name in keyof Required<Omit<Columns<CatalogueRow<Table>>, MadeByTheDatabase<Table>>>]: Readonly<
    Required<Columns<CatalogueRow<Table>>>[Name]
  >;
};

export class CatalogueWriteRepository {
  readonly #entities: () => SqlEntityManager;

  constructor(storage: { readonly entities: () => SqlEntityManager }) {
    this.#entities = storage.entities;
  }

  /** Raises `StorageError` of kind `conflict`, with the constraint's name, if a unique name is in use. */
  insert<Table extends CatalogueTable>(
    table: Table,
    row: NewRow<Table>,
    actor?: Actor,
  ): Promise<CatalogueRow<Table>> {
    return writeAs(this.#entities(), actor, async (entities) => {
      const entity = entityOf(table);
      const first: object = { ...row, version: 1 };
      await entities.insert(entity, first as RequiredEntityData<CatalogueRow<Table>>);
      return entities.findOneOrFail(entity, byId<Table>(row));
    });
  }

  /** The row as it is now; `undefined` if it is gone or has another version than the one that was read. */
  async update<Table extends CatalogueTable>(
    table: Table,
    id: string,
    version: number,
    changes: Partial<CatalogueRow<Table>>,
    actor?: Actor,
  ): Promise<CatalogueRow<Table> | undefined> {
    try {
      return await writeAs(this.#entities(), actor, async (entities) => {
        const row = await entities.findOne(entityOf(table), byId<Table>({ id }));
        if (!row || row.version !== version) return undefined;
        Object.assign(row, changes);
        await entities.flush();
        return row as CatalogueRow<Table>;
      });
    } catch (error) {
      if (error instanceof StorageError && error.cause instanceof OptimisticLockError) return undefined;
      throw error;
    }
  }

  /** True if the row existed with this version and is deleted now. */
  async remove(table: CatalogueTable, id: string, version: number, actor: Actor): Promise<boolean> {
    const removed = await writeAs(this.#entities(), actor, (entities) =>
      entities.nativeDelete(entityOf(table), byId({ id, version })),
    );
    return removed > 0;
  }

  /** How many configs use a provider: in one workspace, or anywhere. */
  configsOf(providerKey: string, workspaceId?: string): Promise<number> {
    const where = { providerKey, ...(workspaceId === undefined ? {} : { workspaceId }) };
    return writeAs(this.#entities(), undefined, (entities) => entities.count(ProviderConfigEntity, where));
  }

  /** How many instances use a model: in one workspace, or anywhere. */
  instancesOf(canonicalId: string, workspaceId?: string): Promise<number> {
    const where = { canonicalId, ...(workspaceId === undefined ? {} : { workspaceId }) };
    return writeAs(this.#entities(), undefined, (entities) => entities.count(ModelInstanceEntity, where));
  }

  instancesOfConfig(configId: string): Promise<number> {
    return writeAs(this.#entities(), undefined, (entities) =>
      entities.count(ModelInstanceEntity, { configId }),
    );
  }

  async addPrice(price: PriceVersionEntity, actor: Actor): Promise<void> {
    await writeAs(this.#entities(), actor, (entities) => entities.insert(PriceVersionEntity, { ...price }));
  }
}

function entityOf<Table extends CatalogueTable>(table: Table): EntityClass<CatalogueRow<Table>> {
  const entity: unknown = ENTITIES[table];
  return entity as EntityClass<CatalogueRow<Table>>;
}

/** Every table of the catalogue has these two columns, but the ORM's filter type cannot know that of a generic table. */
function byId<Table extends CatalogueTable>({
  id,
  version,
}: {
  readonly id: string;
  readonly version?: number;
}): FilterQuery<CatalogueRow<Table>> {
  const filter: object = version === undefined ? { id } : { id, version };
  return filter as FilterQuery<CatalogueRow<Table>>;
}
