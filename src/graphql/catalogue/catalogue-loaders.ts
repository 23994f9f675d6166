// Owns the loaders of the catalogue for one request: rows by id and by name, prices, and the lists below many parents.
import DataLoader from 'dataloader';
import type {
  CatalogueRow,
  CatalogueService,
  CatalogueTable,
  ListedRow,
  ListQuery,
} from '../../domain/catalogue/catalogue-service.ts';
import type { PriceService } from '../../domain/catalogue/price-service.ts';
import type { PriceRow } from '../../domain/catalogue/snapshot.ts';
import type { Viewer } from '../../domain/identity/viewer.ts';

type Parents = NonNullable<ListQuery<CatalogueTable>['parents']>;
export type ParentColumn = Parents['column'];

export class CatalogueLoaders {
  readonly #viewer: Viewer;
  readonly #catalogue: CatalogueService;
  readonly #loaders = new Map<string, DataLoader<string, never>>();
  readonly #prices: PriceService;

  constructor(viewer: Viewer, catalogue: CatalogueService, prices: PriceService) {
    this.#viewer = viewer;
    this.#catalogue = catalogue;
    this.#prices = prices;
  }

  byId<Table extends CatalogueTable>(table: Table, id: string): Promise<CatalogueRow<Table> | undefined> {
    return this.#load(
      `${table} by id`,
      id,
      (ids) => this.#catalogue.byIds(this.#viewer, table, ids),
      undefined,
    );
  }

  /** The row with this `key`, `canonicalId`, `name` or `slug`. */
  byName<Table extends CatalogueTable>(table: Table, name: string): Promise<CatalogueRow<Table> | undefined> {
    return this.#load(
      `${table} by name`,
      name,
      (names) => this.#catalogue.byNames(this.#viewer, table, names),
      undefined,
    );
  }

  /** Price versions, newest first. */
  prices(canonicalId: string): Promise<readonly PriceRow[]> {
    return this.#load('prices', canonicalId, (ids) => this.#prices.of(this.#viewer, ids), []);
  }

  /** The rows of one parent's page; parents that are asked for together share one query. */
  listOf<Table extends CatalogueTable>(
    table: Table,
    column: ParentColumn,
    parent: string,
    query: Omit<ListQuery<Table>, 'parents'>,
  ): Promise<readonly ListedRow<CatalogueRow<Table>>[]> {
    const name = `${table} of ${column} ${textOf(query)}`;
    const read = async (values: readonly string[]) => {
      const rows = await this.#catalogue.list(this.#viewer, table, { ...query, parents: { column, values } });
      return Map.groupBy(rows, (row) => row.parent);
    };
    return this.#load(name, parent, read, []);
  }

  countOf<Table extends CatalogueTable>(
    table: Table,
    column: ParentColumn,
    parent: string,
    filter: ListQuery<Table>['filter'],
  ): Promise<number> {
    const name = `count of ${table} of ${column} ${textOf(filter)}`;
    const read = (values: readonly string[]) =>
      this.#catalogue.count(this.#viewer, table, { filter, parents: { column, values } });
    return this.#load(name, parent, read, 0);
  }

  #load<Value>(
    name: string,
    key: string,
    read: (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
    absent: Value,
  ): Promise<Value> {
    let loader = this.#loaders.get(name) as DataLoader<string, Value> | undefined;
    if (!loader) {
      loader = new DataLoader(async (keys) => {
        const found = await read(keys);
        return keys.map((each) => found.get(each) ?? absent);
      });
      this.#loaders.set(name, loader as DataLoader<string, never>);
    }
    return loader.load(key);
  }
}

function textOf(value: object): string {
  return JSON.stringify(value, (_key, entry: unknown) => (typeof entry === 'bigint' ? `${entry}n` : entry));
}
