// Owns reading the catalogue as one workspace sees it: pages, single rows, and the batches that loaders ask for.
import { InputCheck } from '../../kernel/input-check.ts';
import type {
  CatalogueRepository,
  CatalogueRow,
  CatalogueTable,
  ListedRow,
  ListQuery,
} from '../../storage/repositories/catalogue.repository.ts';
import type { CatalogueFilters } from '../../storage/repositories/catalogue-filter.ts';
import type { Viewer } from '../identity/viewer.ts';

export type { CatalogueFilters, CatalogueRow, CatalogueTable, ListedRow, ListQuery };

/** Every key of the workspace may read its catalogue; the rows that are given hold no secrets. */
export class CatalogueService {
  readonly #reads: CatalogueRepository;

  constructor(reads: CatalogueRepository) {
    this.#reads = reads;
  }

  async list<Table extends CatalogueTable>(
    viewer: Viewer,
    table: Table,
    query: ListQuery<Table>,
  ): Promise<ListedRow<CatalogueRow<Table>>[]> {
    checkFilter(query.filter);
    return this.#reads.list(table, viewer.workspaceId, query);
  }

  /** Numbers by parent; under the empty text if the query has no parents. */
  async count<Table extends CatalogueTable>(
    viewer: Viewer,
    table: Table,
    query: Pick<ListQuery<Table>, 'filter' | 'parents'>,
  ): Promise<ReadonlyMap<string, number>> {
    checkFilter(query.filter);
    return this.#reads.count(table, viewer.workspaceId, query);
  }

  async byIds<Table extends CatalogueTable>(
    viewer: Viewer,
    table: Table,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, CatalogueRow<Table>>> {
    const rows = await this.#reads.byIds(table, viewer.workspaceId, ids);
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** Rows by their `key`, `canonicalId`, `name` or `slug`. */
  async byNames<Table extends CatalogueTable>(
    viewer: Viewer,
    table: Table,
    names: readonly string[],
  ): Promise<ReadonlyMap<string, CatalogueRow<Table>>> {
    const rows = await this.#reads.byNames(table, viewer.workspaceId, names);
    return new Map(rows.map((row) => [nameOf(table, row), row]));
  }
}

function checkFilter(filter: object): void {
  const check = new InputCheck();
  check.filter('filter', filter);
  check.raise();
}

function nameOf(table: CatalogueTable, row: CatalogueRow<CatalogueTable>): string {
  const names = {
    provider_spec: 'key',
    model_spec: 'canonicalId',
    provider_config: 'name',
    model_instance: 'slug',
  };
  return (row as unknown as Record<string, string>)[names[table]] as string;
}
