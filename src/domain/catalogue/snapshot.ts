// Owns the in-memory catalogue that planning and runs read: no completion costs a query, and a run keeps the snapshot that it began with.
import type {
  SnapshotRepository,
  SnapshotRow,
  SnapshotTable,
} from '../../storage/repositories/snapshot.repository.ts';

export type ProviderSpecRow = Readonly<SnapshotRow<'provider_spec'>>;
export type ProviderConfigRow = Readonly<SnapshotRow<'provider_config'>>;
export type ModelSpecRow = Readonly<SnapshotRow<'model_spec'>>;
export type ModelInstanceRow = Readonly<SnapshotRow<'model_instance'>>;
export type PriceRow = Readonly<SnapshotRow<'price_version'>>;

/** What one workspace sees: its own rows, and those of the installation that none of its own hides. */
export interface WorkspaceCatalogue {
  readonly providers: ReadonlyMap<string, ProviderSpecRow>;
  /** By canonical id. */
  readonly models: ReadonlyMap<string, ModelSpecRow>;
  /** By canonical id; oldest first. */
  readonly prices: ReadonlyMap<string, readonly PriceRow[]>;
  readonly configs: ReadonlyMap<string, ProviderConfigRow>;
  readonly configsByProvider: ReadonlyMap<string, readonly ProviderConfigRow[]>;
  readonly instances: ReadonlyMap<string, ModelInstanceRow>;
  readonly instancesBySlug: ReadonlyMap<string, ModelInstanceRow>;
  readonly instancesByModel: ReadonlyMap<string, readonly ModelInstanceRow[]>;
  readonly instancesByTag: ReadonlyMap<string, readonly ModelInstanceRow[]>;
}

type Tables = { readonly [Table in CatalogueTable]: readonly SnapshotRow<Table>[] };
type CatalogueTable = Exclude<SnapshotTable, 'workspace' | 'api_key' | 'member' | 'budget'>;
const CATALOG_TABLES: readonly CatalogueTable[] = [
  'provider_spec',
  'provider_config',
  'model_spec',
  'price_version',
  'model_instance',
];

export class CatalogueSnapshots {
  readonly #repository: SnapshotRepository;
  #tables: Tables = {
    provider_spec: [],
    provider_config: [],
    model_spec: [],
    price_version: [],
    model_instance: [],
  };
  #workspaces = new Map<string, WorkspaceCatalogue>();

  constructor(repository: SnapshotRepository) {
    this.#repository = repository;
  }

  async reload(changed: ReadonlySet<SnapshotTable>): Promise<void> {
    const stale = CATALOG_TABLES.filter((table) => changed.has(table));
    if (stale.length === 0) return;
    const loaded = await Promise.all(stale.map(async (table) => [table, await this.#repository.rows(table)]));
    this.#tables = { ...this.#tables, ...Object.fromEntries(loaded) };
    this.#workspaces = new Map();
  }

  /** Provider rows of the installation by key, without the copies that workspaces made. */
  installationProviders(): ReadonlyMap<string, ProviderSpecRow> {
    const shared = this.#tables.provider_spec.filter(({ workspaceId }) => !workspaceId);
    return new Map(shared.map((spec) => [spec.key, spec]));
  }

  /** The present catalogue of the workspace; the same object until something changes. */
  of(workspaceId: string): WorkspaceCatalogue {
    const known = this.#workspaces.get(workspaceId);
    if (known) return known;
    const built = buildWorkspaceCatalogue(this.#tables, workspaceId);
    this.#workspaces.set(workspaceId, built);
    return built;
  }
}

function buildWorkspaceCatalogue(tables: Tables, workspaceId: string): WorkspaceCatalogue {
  const own = <Row extends { workspaceId: string }>(rows: readonly Row[]) =>
    rows.filter((row) => row.workspaceId === workspaceId);
  const configs = own(tables.provider_config);
  const instances = own(tables.model_instance);
  return {
    providers: visibleByName(tables.provider_spec, workspaceId, (spec) => spec.key),
    models: visibleByName(tables.model_spec, workspaceId, (model) => model.canonicalId),
    prices: visiblePrices(tables.price_version, workspaceId),
    configs: new Map(configs.map((config) => [config.id, config])),
    configsByProvider: groupBy(configs, (config) => [config.providerKey]),
    instances: new Map(instances.map((instance) => [instance.id, instance])),
    instancesBySlug: new Map(instances.map((instance) => [instance.slug, instance])),
    instancesByModel: groupBy(instances, (instance) => [instance.canonicalId]),
    instancesByTag: groupBy(instances, (instance) => instance.tags),
  };
}

/** A workspace's own row hides the installation's row of the same name. */
function visibleByName<Row extends { workspaceId?: string | null }>(
  rows: readonly Row[],
  workspaceId: string,
  nameOf: (row: Row) => string,
): Map<string, Row> {
  const visible = new Map<string, Row>();
  for (const row of rows) {
    if (row.workspaceId === workspaceId) visible.set(nameOf(row), row);
    else if (!row.workspaceId && !visible.has(nameOf(row))) visible.set(nameOf(row), row);
  }
  return visible;
}

/** A workspace that has set any price for a model sees only its own prices of that model. */
function visiblePrices(
  rows: readonly SnapshotRow<'price_version'>[],
  workspaceId: string,
): Map<string, PriceRow[]> {
  const shared = groupBy(
    rows.filter((row) => !row.workspaceId),
    (row) => [row.canonicalId],
  );
  const own = groupBy(
    rows.filter((row) => row.workspaceId === workspaceId),
    (row) => [row.canonicalId],
  );
  const prices = new Map([...shared, ...own]);
  for (const versions of prices.values()) {
    versions.sort((a, b) => a.effectiveAt.getTime() - b.effectiveAt.getTime());
  }
  return prices;
}

function groupBy<Row>(rows: readonly Row[], keysOf: (row: Row) => readonly string[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    for (const key of keysOf(row)) {
      const group = groups.get(key);
      if (group) group.push(row);
      else groups.set(key, [row]);
    }
  }
  return groups;
}
