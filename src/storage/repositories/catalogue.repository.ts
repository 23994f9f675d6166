// Owns the reads of the catalogue: the rows of each table that a workspace sees, by id, by name, and in pages, with many lists in one statement.
import type { EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/postgresql';
import { ModelInstanceEntity } from '../entities/model-instance.entity.ts';
import { ModelSpecEntity } from '../entities/model-spec.entity.ts';
import { PriceVersionEntity } from '../entities/price-version.entity.ts';
import { ProviderConfigEntity } from '../entities/provider-config.entity.ts';
import { ProviderSpecEntity } from '../entities/provider-spec.entity.ts';
import { toStorageError } from '../errors.ts';
import { type CatalogueFilters, conditionsOf, type SqlPart } from './catalogue-filter.ts';
import { type CatalogueOrder, sortKeyOf } from './catalogue-order.ts';

const TABLES = {
  provider_spec: { entity: ProviderSpecEntity, name: 'key', shared: true },
  model_spec: { entity: ModelSpecEntity, name: 'canonical_id', shared: true },
  provider_config: { entity: ProviderConfigEntity, name: 'name', shared: false },
  model_instance: { entity: ModelInstanceEntity, name: 'slug', shared: false },
} as const;

export type CatalogueTable = keyof typeof TABLES;
export type CatalogueRow<Table extends CatalogueTable> = InstanceType<(typeof TABLES)[Table]['entity']>;

/** Columns that name a row's parent: the models of each provider, the instances of each config or model. */
export type ParentColumn = 'provider_key' | 'config_id' | 'canonical_id';

export interface ListQuery<Table extends CatalogueTable> {
  readonly filter: CatalogueFilters[Table];
  readonly order: CatalogueOrder<Table>;
  readonly limit: number;
  readonly backward: boolean;
  /** The row after which the page begins: its sort value as text, and its id. */
  readonly beyond?: readonly [value: string, id: string];
  /** Reads a separate list for each of these parents. */
  readonly parents?: { readonly column: ParentColumn; readonly values: readonly string[] };
}

export interface ListedRow<Row> {
  readonly row: Row;
  readonly sortValue: string;
  /** The parent to whose list the row belongs; empty if there are no parents. */
  readonly parent: string;
}

interface RawListedRow {
  readonly sort_value: string;
  readonly parent: string;
}

/** The price in force, a workspace's own before the installation's. */
const PRICE_JOIN = `left join lateral (
  select p.* from price_version p
  where p.canonical_id = t.canonical_id and (p.workspace_id = ? or p.workspace_id is null) and p.effective_at <= now()
  order by p.workspace_id nulls last, p.effective_at desc limit 1
) price on true`;

export class CatalogueRepository {
  readonly #entities: () => SqlEntityManager;

  constructor(storage: { readonly entities: () => SqlEntityManager }) {
    this.#entities = storage.entities;
  }

  /** Reads one row more than `limit` (for each parent), which shows whether more follow; backward lists come in reverse order. */
  async list<Table extends CatalogueTable>(
    table: Table,
    workspaceId: string,
    query: ListQuery<Table>,
  ): Promise<ListedRow<CatalogueRow<Table>>[]> {
    const key = sortKeyOf(table, query.order.field);
    const direction = query.order.descending !== query.backward ? 'desc' : 'asc';
    const source = sourceOf(table, workspaceId, query, key.expression);
    const place = query.parents
      ? `row_number() over (partition by t.${query.parents.column} order by ${key.expression} ${direction}, t.id ${direction})`
      : '0';
    const beyond: SqlPart = query.beyond
      ? {
          sql: `and (${key.expression}, t.id) ${direction === 'asc' ? '>' : '<'} (?::${key.type}, ?::uuid)`,
          values: [...query.beyond],
        }
      : { sql: '', values: [] };
    const sql = `
      select listed.* from (
        select t.*, ${key.expression} as sort_key, (${key.expression})::text as sort_value,
          ${query.parents ? `t.${query.parents.column}::text` : "''"} as parent, ${place} as place
        ${source.sql} ${beyond.sql}
      ) listed
      where listed.place <= ?
      order by listed.sort_key ${direction}, listed.id ${direction}
      ${query.parents ? '' : 'limit ?'}`;
    const values = [...source.values, ...beyond.values, query.limit + 1];
    if (!query.parents) values.push(query.limit + 1);
    const rows = await this.#query<RawListedRow>(sql, values);
    return this.#map(table, rows).map((row, index) => {
      const { sort_value, parent } = rows[index] as RawListedRow;
      return { row, sortValue: sort_value, parent };
    });
  }

  /** The number of matching rows by parent; under the empty text if there are no parents. */
  async count<Table extends CatalogueTable>(
    table: Table,
    workspaceId: string,
    query: Pick<ListQuery<Table>, 'filter' | 'parents'>,
  ): Promise<ReadonlyMap<string, number>> {
    const source = sourceOf(table, workspaceId, query, '');
    const parent = query.parents ? `t.${query.parents.column}::text` : "''";
    const rows = await this.#query<{ parent: string; count: number }>(
      `select ${parent} as parent, count(*)::int as count ${source.sql} group by 1`,
      source.values,
    );
    return new Map(rows.map((row) => [row.parent, row.count]));
  }

  /** Rows that the workspace may see, in no order: its own and the installation's, even those that one of its own hides. */
  async byIds<Table extends CatalogueTable>(
    table: Table,
    workspaceId: string,
    ids: readonly string[],
  ): Promise<CatalogueRow<Table>[]> {
    const owner = TABLES[table].shared
      ? '(t.workspace_id = ? or t.workspace_id is null)'
      : 't.workspace_id = ?';
    const sql = `select t.* from ${table} t where ${owner} and t.id::text in (select jsonb_array_elements_text(?::jsonb))`;
    return this.#map(table, await this.#query(sql, [workspaceId, JSON.stringify(ids)]));
  }

  /** Rows by `key`, `canonicalId`, `name` or `slug`; rows that a row of the workspace hides are left out. */
  async byNames<Table extends CatalogueTable>(
    table: Table,
    workspaceId: string,
    names: readonly string[],
  ): Promise<CatalogueRow<Table>[]> {
    const visible = visibleRows(table, workspaceId);
    const sql = `select t.* from ${table} t
      where ${visible.sql} and t.${TABLES[table].name} in (select jsonb_array_elements_text(?::jsonb))`;
    return this.#map(table, await this.#query(sql, [...visible.values, JSON.stringify(names)]));
  }

  /** Every model of a provider that the workspace sees. */
  async modelsOf(workspaceId: string, providerKey: string): Promise<CatalogueRow<'model_spec'>[]> {
    const visible = visibleRows('model_spec', workspaceId);
    const sql = `select t.* from model_spec t where ${visible.sql} and t.provider_key = ?`;
    return this.#map('model_spec', await this.#query(sql, [...visible.values, providerKey]));
  }

  async enabledConfigs(workspaceId: string): Promise<CatalogueRow<'provider_config'>[]> {
    const sql = 'select t.* from provider_config t where t.workspace_id = ? and t.enabled order by t.name';
    return this.#map('provider_config', await this.#query(sql, [workspaceId]));
  }

  /** The installation's row of this name. */
  async shared<Table extends 'provider_spec' | 'model_spec'>(
    table: Table,
    name: string,
  ): Promise<CatalogueRow<Table> | undefined> {
    const sql = `select t.* from ${table} t where t.workspace_id is null and t.${TABLES[table].name} = ?`;
    return this.#map(table, await this.#query(sql, [name]))[0];
  }

  /** Every price version of the models that the workspace sees, newest first. */
  async prices(workspaceId: string, canonicalIds: readonly string[]): Promise<PriceVersionEntity[]> {
    return this.#run((entities) =>
      entities.find(
        PriceVersionEntity,
        {
          canonicalId: { $in: [...canonicalIds] },
          $or: [{ workspaceId }, { workspaceId: null }],
        },
        { orderBy: { effectiveAt: 'desc' }, disableIdentityMap: true },
      ),
    );
  }

  #map<Table extends CatalogueTable>(table: Table, rows: readonly object[]): CatalogueRow<Table>[] {
    const entities = this.#entities();
    const entity: unknown = TABLES[table].entity;
    return rows.map((row) => {
      const {
        sort_key: _key,
        sort_value: _value,
        parent: _parent,
        place: _place,
        ...columns
      } = row as Record<string, unknown>;
      return entities.map(entity as EntityClass<CatalogueRow<Table>>, columns as never, {
        disableIdentityMap: true,
      });
    });
  }

  #query<Row extends object>(sql: string, values: readonly unknown[]): Promise<Row[]> {
    return this.#run((entities) => entities.execute<Row[]>(sql, [...values]));
  }

  async #run<Result>(read: (entities: SqlEntityManager) => Promise<Result>): Promise<Result> {
    try {
      return await read(this.#entities());
    } catch (error) {
      throw toStorageError(error);
    }
  }
}

/** The `from … where …` of a query. */
function sourceOf<Table extends CatalogueTable>(
  table: Table,
  workspaceId: string,
  query: Pick<ListQuery<Table>, 'filter' | 'parents'>,
  sortExpression: string,
): SqlPart {
  const conditions = conditionsOf(table, query.filter);
  if (query.parents) {
    conditions.push({
      sql: `t.${query.parents.column}::text in (select jsonb_array_elements_text(?::jsonb))`,
      values: [JSON.stringify(query.parents.values)],
    });
  }
  const parts = [visibleRows(table, workspaceId), ...conditions];
  const priced = [sortExpression, ...conditions.map(({ sql }) => sql)].some((sql) => sql.includes('price.'));
  return {
    sql: `from ${table} t ${priced ? PRICE_JOIN : ''} where ${parts.map(({ sql }) => sql).join(' and ')}`,
    values: [...(priced ? [workspaceId] : []), ...parts.flatMap(({ values }) => values)],
  };
}

/** The workspace's own rows, and of a shared table the installation's rows that none of its own hides. */
function visibleRows(table: CatalogueTable, workspaceId: string): SqlPart {
  const { name, shared } = TABLES[table];
  if (!shared) return { sql: 't.workspace_id = ?', values: [workspaceId] };
  return {
    sql: `(t.workspace_id = ? or (t.workspace_id is null and not exists (
      select 1 from ${table} own where own.workspace_id = ? and own.${name} = t.${name})))`,
    values: [workspaceId, workspaceId],
  };
}
