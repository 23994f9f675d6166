// Owns the putting together: the only place where concrete storage, coordination, adapters and doors are constructed.
import { join } from 'node:path';
import { type DestinationStream, pino } from 'pino';
import type { Config } from './config.ts';
import type { EventLog } from './coordination/contract.ts';
import { createMemoryCircuitStore } from './coordination/memory/circuit-store.ts';
import { MemoryEventLog } from './coordination/memory/event-log.ts';
import { memoryRunBus } from './coordination/memory/run-bus.ts';
import { createMemoryTokenCache } from './coordination/memory/token-cache.ts';
import { RedisBus } from './coordination/redis/bus.ts';
import { createRedisCircuitStore } from './coordination/redis/circuit-store.ts';
import { RedisEventLog } from './coordination/redis/event-log.ts';
import { RedisLink } from './coordination/redis/link.ts';
import { createRedisTokenCache } from './coordination/redis/token-cache.ts';
import { loadPriceLibrary } from './domain/billing/library-price.ts';
import { loadTokenizer } from './domain/billing/token-counter.ts';
import { type CatalogueData, loadCatalogueData } from './domain/catalog/catalogue-data.ts';
import { CatalogueRefreshService } from './domain/catalog/catalogue-refresh-service.ts';
import { seedCatalogue } from './domain/catalog/catalogue-seed.ts';
import { CatalogueService } from './domain/catalog/catalogue-service.ts';
import { ConfigHealthReports } from './domain/catalog/config-health-reports.ts';
import {
  type EnvironmentSetupDependencies,
  setUpFromEnvironment,
} from './domain/catalog/environment-setup.ts';
import { ModelInstanceService } from './domain/catalog/model-instance-service.ts';
import { ModelSpecService } from './domain/catalog/model-spec-service.ts';
import { ModelSyncService } from './domain/catalog/model-sync-service.ts';
import { type OllamaSetupDependencies, setUpOllama } from './domain/catalog/ollama-setup.ts';
import { PriceService } from './domain/catalog/price-service.ts';
import { ProviderCheckService } from './domain/catalog/provider-check-service.ts';
import { ProviderConfigService } from './domain/catalog/provider-config-service.ts';
import { ProviderSpecService } from './domain/catalog/provider-spec-service.ts';
import { ProviderTargets } from './domain/catalog/provider-target.ts';
import { RevisionWatcher } from './domain/catalog/revision-watcher.ts';
import { CatalogSnapshots } from './domain/catalog/snapshot.ts';
import { UpkeepSchedule } from './domain/catalog/upkeep-schedule.ts';
import { makeApiKey } from './domain/identity/api-keys.ts';
import { Authenticator } from './domain/identity/authenticator.ts';
import { IdentityService } from './domain/identity/identity-service.ts';
import { parseKeyRing, SecretVault } from './domain/identity/secret-vault.ts';
import { AvailabilityService } from './domain/routing/availability.ts';
import { CircuitService } from './domain/routing/circuit-service.ts';
import { Circuits } from './domain/routing/circuits.ts';
import { ReportService } from './domain/routing/report-service.ts';
import { bytesOfEvent, type CompletionEvent, isEnd } from './domain/runs/completion-event.ts';
import { decodeEvent, encodeEvent } from './domain/runs/event-codec.ts';
import { RunExecutor } from './domain/runs/executor.ts';
import { DEFAULT_REQUEST_BOUNDS } from './domain/runs/request-validation.ts';
import { RunKeeper } from './domain/runs/run-keeper.ts';
import { RunPlanner } from './domain/runs/run-planner.ts';
import { RunService } from './domain/runs/run-service.ts';
import { createErrorFormatter } from './graphql/error-format.ts';
import { buildGraphSchema } from './graphql/schema.ts';
import { systemClock } from './kernel/clock.ts';
import { newId } from './kernel/ids.ts';
import type { Logger } from './kernel/logger.ts';
import { createAnthropicMessagesAdapter } from './providers/anthropic-messages/adapter.ts';
import { createAnthropicVertexAdapter } from './providers/anthropic-vertex/adapter.ts';
import { createAzureOpenAiAdapter } from './providers/azure-openai/adapter.ts';
import { createBedrockConverseAdapter } from './providers/bedrock-converse/adapter.ts';
import { createCohereAdapter } from './providers/cohere/adapter.ts';
import type { Adapter, TokenCache, UpstreamHttp } from './providers/contract.ts';
import { loadAdapters } from './providers/external-adapters.ts';
import { createGeminiAdapter, createGeminiVertexAdapter } from './providers/gemini/adapter.ts';
import { createGigaChatAdapter } from './providers/gigachat/adapter.ts';
import { createUpstreamHttp } from './providers/http.ts';
import { createOllamaAdapter } from './providers/ollama/adapter.ts';
import { createOpenAiChatAdapter } from './providers/openai-chat/adapter.ts';
import { createOpenAiResponsesAdapter } from './providers/openai-responses/adapter.ts';
import { addressPolicy } from './providers/private-addresses.ts';
import { createAdapterRegistry } from './providers/registry.ts';
import { createSandboxAdapter } from './providers/sandbox/adapter.ts';
import { type DataDirLock, keepInDataDir, lockDataDir, makeKeyRing } from './storage/data-dir.ts';
import { openStorage, type Storage } from './storage/orm.ts';
import { CatalogueRepository } from './storage/repositories/catalogue.repository.ts';
import { CatalogueWriteRepository } from './storage/repositories/catalogue-write.repository.ts';
import { FiguresRepository } from './storage/repositories/figures.repository.ts';
import { IdentityRepository } from './storage/repositories/identity.repository.ts';
import { RunRepository } from './storage/repositories/run.repository.ts';
import { SeedRepository } from './storage/repositories/seed.repository.ts';
import { SnapshotRepository } from './storage/repositories/snapshot.repository.ts';
import { UpkeepRepository } from './storage/repositories/upkeep.repository.ts';
import { GRAPHQL_PATH, startServer } from './transport/server.ts';

export interface App {
  /** `http://host:port` as it listens. */
  readonly url: string;
  readonly graphqlPath: string;
  readonly bootstrapKey: { readonly text: string; readonly generated: boolean; readonly path: string };
  readonly logger: Logger;
  /** Takes no new runs, sends readers elsewhere, gives running runs the grace period, then closes everything. */
  close(): Promise<void>;
}

export interface AppOverrides {
  /** Adapters beside (or, by protocol name, instead of) the built-in ones. */
  readonly adapters?: readonly Adapter[];
  readonly random?: () => number;
  /** Instead of the built-in catalogue; null for none. */
  readonly catalogueData?: CatalogueData | null;
  /** Where log lines go instead of standard output. */
  readonly logDestination?: DestinationStream;
  readonly onStatement?: (sql: string) => void;
}

/** Names of secrets anywhere in what is logged. */
const REDACTED = ['authorization', 'headers', 'secret', 'apiKey', 'key', 'connectionParams'].flatMap(
  (name) => [name, `*.${name}`],
);
const APPLICATION_NAME = 'modelgraph';
const KEY_FILE = 'bootstrap-api-key';
const KEY_RING_FILE = 'secret-keys';

export async function createApp(config: Config, overrides: AppOverrides = {}): Promise<App> {
  const logger = createLogger(config, overrides);
  const opened: (() => Promise<void> | void)[] = [];
  const closeAll = async () => {
    for (const close of opened.splice(0).reverse()) await close();
  };
  try {
    return await assemble(config, overrides, logger, opened, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function assemble(
  config: Config,
  overrides: AppOverrides,
  logger: Logger,
  opened: (() => Promise<void> | void)[],
  closeAll: () => Promise<void>,
): Promise<App> {
  const clock = systemClock;
  const nodeId = newId();
  const storage = await openDatabase(config, overrides, opened);
  const allowAddress = addressPolicy(config.privateUpstreams);
  const http = createUpstreamHttp({ logger, allowAddress });
  opened.push(() => http.close());
  const vault = new SecretVault(parseKeyRing(keyRingOf(config)), config.environment);
  const shared = await openRedis(config, logger, opened);
  const tokens = shared
    ? createRedisTokenCache({ link: shared.link, clock, ...sealingOf(vault) })
    : createMemoryTokenCache({ clock });
  const builtIn = withOverrides(builtInAdapters(config, http, tokens), overrides.adapters ?? []);
  const spoken = new Set(builtIn.map(({ protocol }) => protocol));
  const further = await loadAdapters(config.adapters, { http, tokens, logger }, spoken);
  const adapters = createAdapterRegistry([...builtIn, ...further]);

  const snapshotRepository = new SnapshotRepository(storage);
  const authenticator = new Authenticator(snapshotRepository, clock);
  const snapshots = new CatalogSnapshots(snapshotRepository);
  const watcher = new RevisionWatcher(
    snapshotRepository,
    [(changed) => authenticator.reload(changed), (changed) => snapshots.reload(changed)],
    logger,
  );
  const refresh = () => watcher.refresh();
  const identity = new IdentityService({
    repository: new IdentityRepository(storage),
    clock,
    newId,
    refresh,
  });
  const reads = new CatalogueRepository(storage);
  const catalogueNeeds = {
    reads,
    writes: new CatalogueWriteRepository(storage),
    clock,
    newId,
    refresh,
  };
  const specNeeds = { ...catalogueNeeds, protocols: () => adapters.protocols() };
  const bootstrapKey = bootstrapKeyOf(config);
  await identity.bootstrap(bootstrapKey.text);
  const catalogueData =
    overrides.catalogueData === undefined ? await loadCatalogueData() : overrides.catalogueData;
  if (catalogueData) {
    await seedCatalogue({ repository: new SeedRepository(storage), clock, newId }, catalogueData);
  }
  await watcher.start();
  opened.push(() => watcher.close());
  const targets = new ProviderTargets(vault);
  const adapterOf = (protocol: string) => adapters.get(protocol);
  await setUpDefaultWorkspace({
    config,
    needs: {
      ...catalogueNeeds,
      targets,
      adapter: adapterOf('ollama'),
      catalogOf: (workspaceId) => snapshots.of(workspaceId),
      environment: config.environment,
      sandbox: config.sandbox,
      logger,
    },
    workspaceId: await identity.defaultWorkspaceId(),
    opened,
  });

  const random = overrides.random ?? Math.random;
  const upkeepNeeds = {
    ...catalogueNeeds,
    upkeep: new UpkeepRepository(storage),
    adapterOf,
    targets,
    logger,
  };
  const providerChecks = new ProviderCheckService(upkeepNeeds);
  const modelSyncs = new ModelSyncService(upkeepNeeds);
  const catalogueRefreshes = new CatalogueRefreshService({
    ...upkeepNeeds,
    http,
    urls: config.catalogueUrls,
  });
  const schedule = new UpkeepSchedule({
    ...upkeepNeeds,
    ...config.upkeep,
    checks: providerChecks,
    syncs: modelSyncs,
    refreshes: catalogueRefreshes,
    random,
  });
  opened.push(() => modelSyncs.close());
  schedule.start();
  opened.push(() => schedule.close());

  const log = openEventLog(config, shared, logger);
  opened.push(() => log.dispose());
  const bus = shared?.bus ?? memoryRunBus;
  const runRepository = new RunRepository(storage);
  const circuits = new Circuits({
    store: shared ? createRedisCircuitStore({ ...shared, logger }) : createMemoryCircuitStore({ clock }),
    clock,
    logger,
    settings: config.circuits,
  });
  opened.push(() => circuits.close());
  const executor = new RunExecutor({
    adapterOf,
    targets,
    circuits,
    health: new ConfigHealthReports(upkeepNeeds),
    runs: runRepository,
    log,
    clock,
    logger,
    random,
  });
  const planner = new RunPlanner({
    snapshots,
    adapterOf,
    targets,
    circuits,
    clock,
    random,
    retries: config.retries,
  });
  const runs = new RunService({
    nodeId,
    planner,
    executor,
    runs: runRepository,
    log,
    bus,
    clock,
    newId,
    bounds: { ...DEFAULT_REQUEST_BOUNDS, ...config.requestBounds },
  });
  const keeper = new RunKeeper({
    nodeId,
    executor,
    runs: runRepository,
    log,
    bus,
    clock,
    logger,
    alone: storage.kind === 'embedded',
    leaseSeconds: config.leaseSeconds,
  });
  await keeper.start();
  opened.push(() => keeper.close());
  opened.push(() => runs.drain(config.drainGraceMs));

  const server = await startServer({
    host: config.host,
    port: config.port,
    schema: buildGraphSchema(),
    services: {
      identity,
      catalogue: new CatalogueService(reads),
      providerSpecs: new ProviderSpecService(specNeeds),
      providerConfigs: new ProviderConfigService({
        ...catalogueNeeds,
        vault,
        allowAddress,
        catalogOf: (workspaceId) => snapshots.of(workspaceId),
      }),
      modelSpecs: new ModelSpecService(specNeeds),
      modelInstances: new ModelInstanceService(catalogueNeeds),
      prices: new PriceService(catalogueNeeds),
      providerChecks,
      modelSyncs,
      catalogueRefreshes,
      availability: new AvailabilityService({
        snapshots,
        circuits,
        speaks: (protocol) => adapterOf(protocol) !== undefined,
      }),
      circuits: new CircuitService(snapshots, circuits),
      reports: new ReportService(new FiguresRepository(storage), clock),
      runs,
    },
    authenticator,
    readiness: { check: () => readinessOf(snapshotRepository, runs) },
    formatError: createErrorFormatter(logger),
    logger,
    maxBodyBytes: config.maxBodyBytes,
    slowReaderMs: config.slowReaderMs,
    introspection: config.introspection,
    ...config.operations,
    hideSchema: config.production,
    corsOrigins: config.corsOrigins,
    maxConnections: config.maxConnections,
    explorer: config.explorer,
    ...(config.production ? {} : { explorerKey: bootstrapKey.text }),
  });
  // Closed in reverse: the doors stay open for those who wait for their runs, but readers of streams go elsewhere first.
  opened.splice(-1, 0, () => server.close());
  opened.push(() => server.detachReaders());
  // No run waits for the vocabulary or the price library, and no start does.
  void loadTokenizer().then(loadPriceLibrary);
  return { url: server.url, graphqlPath: GRAPHQL_PATH, bootstrapKey, logger, close: closeAll };
}

/** The sandbox and the environment's credentials at once; an Ollama is looked for while the node is already up. */
async function setUpDefaultWorkspace(setup: {
  readonly config: Config;
  readonly needs: EnvironmentSetupDependencies & OllamaSetupDependencies;
  readonly workspaceId: string;
  readonly opened: (() => Promise<void> | void)[];
}): Promise<void> {
  const { config, needs, workspaceId, opened } = setup;
  await setUpFromEnvironment(needs, workspaceId);
  if (!config.findOllama) return;
  const stop = new AbortController();
  const looked = setUpOllama(needs, workspaceId, stop.signal).catch((error: unknown) =>
    needs.logger.warn({ err: error }, 'The Ollama beside this node could not be set up'),
  );
  opened.push(async () => {
    stop.abort();
    await looked;
  });
}

async function openDatabase(
  config: Config,
  overrides: AppOverrides,
  opened: (() => Promise<void> | void)[],
): Promise<Storage> {
  const databaseUrl = config.databaseUrl?.reveal();
  if (databaseUrl === undefined && config.dataDir !== 'memory://') {
    const lock: DataDirLock = lockDataDir(config.dataDir);
    opened.push(() => lock.release());
  }
  const storage = await openStorage({
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    dataDir: config.dataDir === 'memory://' ? config.dataDir : join(config.dataDir, 'database'),
    ...config.database,
    applicationName: APPLICATION_NAME,
    ...(overrides.onStatement ? { onStatement: overrides.onStatement } : {}),
  });
  opened.push(() => storage.close());
  await storage.migrate();
  return storage;
}

/** What nodes share, where there is a Redis. */
interface SharedState {
  readonly link: RedisLink;
  readonly bus: RedisBus;
}

async function openRedis(
  config: Config,
  logger: Logger,
  opened: (() => Promise<void> | void)[],
): Promise<SharedState | undefined> {
  if (!config.redisUrl) return undefined;
  const link = new RedisLink({ url: config.redisUrl.reveal(), logger });
  opened.push(() => link.close());
  if (!(await link.ready())) logger.warn({}, 'Redis does not answer yet; this node goes on without it');
  const bus = new RedisBus({ link, logger });
  opened.push(() => bus.close());
  return { link, bus };
}

/** In the process, or shared by Redis; either way this node's own readers are served from its memory. */
function openEventLog(
  config: Config,
  shared: SharedState | undefined,
  logger: Logger,
): EventLog<CompletionEvent> {
  const options = {
    clock: systemClock,
    retentionMs: config.eventRetentionMs,
    maxEndedBytes: config.eventLogMaxBytes,
    bytesOf: bytesOfEvent,
  };
  if (!shared) return new MemoryEventLog<CompletionEvent>(options);
  return new RedisEventLog<CompletionEvent>({
    ...options,
    ...shared,
    logger,
    encode: encodeEvent,
    decode: decodeEvent,
    isEnd,
    strict: config.strictEvents,
  });
}

/** What lies in Redis is sealed as secrets in the database are. */
function sealingOf(vault: SecretVault) {
  const context = 'provider-token';
  return {
    seal: (text: string) => JSON.stringify(vault.seal(text, context)),
    open: (sealed: string) => {
      try {
        return vault.open(JSON.parse(sealed), context)?.reveal();
      } catch {
        // Sealed with a key that has left the ring: it is fetched anew.
        return undefined;
      }
    },
  };
}

function builtInAdapters(config: Config, http: UpstreamHttp, tokens: TokenCache): Adapter[] {
  return [
    createOpenAiChatAdapter({ http }),
    createOpenAiResponsesAdapter(http),
    createAzureOpenAiAdapter({ http }),
    createAnthropicMessagesAdapter(http),
    createAnthropicVertexAdapter({ http, tokens }),
    createGeminiAdapter({ http }),
    createGeminiVertexAdapter({ http, tokens }),
    createBedrockConverseAdapter(http),
    createCohereAdapter({ http }),
    createOllamaAdapter({ http }),
    createGigaChatAdapter({ http, tokens }),
    ...(config.sandbox ? [createSandboxAdapter()] : []),
  ];
}

function withOverrides(builtIn: readonly Adapter[], overrides: readonly Adapter[]): Adapter[] {
  const replaced = new Set(overrides.map(({ protocol }) => protocol));
  return [...builtIn.filter(({ protocol }) => !replaced.has(protocol)), ...overrides];
}

function bootstrapKeyOf(config: Config): App['bootstrapKey'] {
  const path = join(config.dataDir, KEY_FILE);
  if (config.bootstrapApiKey) return { text: config.bootstrapApiKey.reveal(), generated: false, path };
  return { text: keepInDataDir(config.dataDir, KEY_FILE, makeApiKey), generated: true, path };
}

function keyRingOf(config: Config): string {
  return config.secretKeys?.reveal() ?? keepInDataDir(config.dataDir, KEY_RING_FILE, makeKeyRing);
}

async function readinessOf(snapshots: SnapshotRepository, runs: RunService): Promise<Record<string, string>> {
  const problems: Record<string, string> = runs.draining ? { node: 'it is shutting down' } : {};
  try {
    await snapshots.revision();
  } catch {
    problems.database = 'it does not answer';
  }
  return problems;
}

function createLogger(config: Config, overrides: AppOverrides): Logger {
  const options = {
    level: config.logLevel,
    redact: { paths: REDACTED, censor: '[secret]' },
    base: undefined,
  };
  return overrides.logDestination ? pino(options, overrides.logDestination) : pino(options);
}
