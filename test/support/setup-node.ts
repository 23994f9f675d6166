// Owns a node that has just started, as far as the set-up of a workspace needs it: a small catalogue, its snapshot, and the writes.
import type {
  CatalogueData,
  CatalogueModel,
  CatalogueProvider,
} from '../../src/domain/catalogue/catalogue-data.ts';
import { seedCatalogue } from '../../src/domain/catalogue/catalogue-seed.ts';
import { RevisionWatcher } from '../../src/domain/catalogue/revision-watcher.ts';
import { CatalogueSnapshots } from '../../src/domain/catalogue/snapshot.ts';
import { newId } from '../../src/kernel/ids.ts';
import { type Logger, silentLogger } from '../../src/kernel/logger.ts';
import { CatalogueWriteRepository } from '../../src/storage/repositories/catalogue-write.repository.ts';
import { SeedRepository } from '../../src/storage/repositories/seed.repository.ts';
import { SnapshotRepository } from '../../src/storage/repositories/snapshot.repository.ts';
import { type DatabaseKind, openTestStorage } from './databases.ts';

export type Environment = Readonly<Record<string, string>>;

const PROVIDER: CatalogueProvider = {
  key: 'acme',
  displayName: 'Acme',
  description: 'A provider of this test',
  category: 'lab',
  protocol: 'openai-chat',
  unservableReason: null,
  baseUrl: 'https://acme.example/v1',
  auth: { type: 'header', header: 'authorization', prefix: 'Bearer ', optional: false },
  settingsSchema: { type: 'object', properties: { region: { type: 'string' } } },
  envVars: {
    secret: ['ACME_API_KEY', 'ACME_TOKEN'],
    settings: { region: 'ACME_REGION' },
    baseUrl: ['ACME_BASE_URL'],
  },
  docsUrl: null,
  modelsEndpoint: true,
  quirks: {},
  free: false,
  defaultModel: 'chosen',
  sources: ['this test'],
};
const MODEL: CatalogueModel = {
  provider: 'acme',
  key: 'chosen',
  displayName: 'Chosen',
  description: null,
  contextLength: 1000,
  maxOutputTokens: null,
  inputModalities: ['text'],
  outputModalities: ['text'],
  capabilities: ['tools'],
  prices: null,
  tags: [],
  strengths: [],
  weaknesses: [],
  protocol: null,
  quirks: {},
  releasedAt: null,
};
const NEEDY: CatalogueProvider = {
  ...PROVIDER,
  key: 'needy',
  baseUrl: 'https://{resource}.example',
  settingsSchema: { type: 'object', properties: { resource: { type: 'string' } }, required: ['resource'] },
  envVars: { secret: ['NEEDY_API_KEY'], settings: { resource: 'NEEDY_RESOURCE' } },
  defaultModel: null,
};
const LOCAL: CatalogueProvider = {
  ...PROVIDER,
  protocol: 'sandbox',
  baseUrl: null,
  auth: { type: 'none' },
  settingsSchema: { type: 'object' },
  envVars: { secret: [], settings: {} },
  free: true,
};
const released = (key: string, releasedAt: string): CatalogueModel => ({ ...MODEL, key, releasedAt });
const DATA: CatalogueData = {
  version: '2026-11-20',
  hash: 'environment-setup',
  providers: [
    PROVIDER,
    NEEDY,
    { ...LOCAL, key: 'sandbox', defaultModel: 'sandbox-text' },
    {
      ...LOCAL,
      key: 'ollama',
      protocol: 'ollama',
      baseUrl: 'http://127.0.0.1:9',
      envVars: { secret: [], settings: {}, baseUrl: ['OLLAMA_BASE_URL'] },
      defaultModel: null,
    },
  ],
  models: [
    MODEL,
    released('y0', '2024-01-01'),
    released('y1', '2025-01-01'),
    released('y2', '2025-02-01'),
    released('Y3:Large', '2025-03-01'),
    released('y4', '2025-04-01'),
    { ...released('pictures', '2026-01-01'), outputModalities: ['image'] },
    { ...released('plain', '2026-01-01'), capabilities: [] },
    released('y4-2025-04-01', '2025-04-01'),
    { ...MODEL, provider: 'needy', key: 'y1', releasedAt: '2025-01-01' },
    { ...MODEL, provider: 'sandbox', key: 'sandbox-text' },
    { ...MODEL, provider: 'sandbox', key: 'sandbox-tools' },
    { ...MODEL, provider: 'ollama', key: 'known:7b' },
  ],
};

const clock = { now: () => new Date(), monotonicMs: () => 0 };

/** A seeded database; call it in `beforeAll`. */
export async function openSetup(kind: DatabaseKind) {
  const storage = await openTestStorage(kind);
  await seedCatalogue({ repository: new SeedRepository(storage), clock, newId }, DATA);
  const query = <Row extends object = Record<string, unknown>>(text: string, values: unknown[] = []) =>
    storage.sql.query<Row>({ name: '', text }, values);
  return {
    query,
    revision: async () => (await query('select * from revision'))[0],
    async createWorkspace(): Promise<string> {
      const id = newId();
      const insert = 'insert into workspace (id, slug, display_name) values ($1, $2, $2)';
      await query(insert, [id, `w-${id}`]);
      return id;
    },
    configs: (workspaceId: string) =>
      query(
        'select name, base_url, secret, settings, enabled, origin, version from provider_config where workspace_id = $1 order by name',
        [workspaceId],
      ),
    async slugs(workspaceId: string): Promise<string[]> {
      const text = 'select slug from model_instance where workspace_id = $1 order by slug';
      return (await query<{ slug: string }>(text, [workspaceId])).map(({ slug }) => slug);
    },
    /** The dependencies of the set-up of a workspace, with the present catalogue. */
    async startNode(environment: Environment, logger: Logger = silentLogger) {
      const repository = new SnapshotRepository(storage);
      const snapshots = new CatalogueSnapshots(repository);
      const watcher = new RevisionWatcher(repository, [(changed) => snapshots.reload(changed)], logger);
      await watcher.refresh();
      return {
        writes: new CatalogueWriteRepository(storage),
        catalogueOf: (id: string) => snapshots.of(id),
        installationProviders: () => snapshots.installationProviders(),
        refresh: () => watcher.refresh(),
        clock,
        newId,
        logger,
        environment,
        sandbox: false,
      };
    },
  };
}

export type Setup = Awaited<ReturnType<typeof openSetup>>;
