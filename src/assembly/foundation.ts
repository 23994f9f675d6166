// Owns the parts that all others are built on: database, Redis, HTTP towards providers, the key ring, and the adapters.
import { join } from 'node:path';
import type { DestinationStream } from 'pino';
import type { Config } from '../configuration/config.ts';
import { createMemoryTokenCache } from '../coordination/memory/token-cache.ts';
import { createRedisTokenCache } from '../coordination/redis/token-cache.ts';
import type { CatalogueData } from '../domain/catalogue/catalogue-data.ts';
import type { SecretVault } from '../domain/identity/secret-vault.ts';
import { systemClock } from '../kernel/clock.ts';
import { newId } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import { TelemetryHub, type TelemetryListener } from '../kernel/telemetry.ts';
import type { Adapter } from '../providers/contract/adapter.ts';
import type { UpstreamHttp } from '../providers/contract/http.ts';
import { addressPolicy } from '../providers/http/private-addresses.ts';
import { createUpstreamHttp } from '../providers/http/upstream-http.ts';
import type { AdapterRegistry } from '../providers/registry.ts';
import { lockDataDir } from '../storage/data-dir-lock.ts';
import { openStorage, type Storage } from '../storage/orm.ts';
import { SnapshotRepository } from '../storage/repositories/snapshot.repository.ts';
import { createLogListener } from '../telemetry/log-listener.ts';
import { openAdapters } from './adapters.ts';
import type { Basics } from './basics.ts';
import { openVault } from './key-ring.ts';
import type { OpenedParts } from './opened-parts.ts';
import { openRedis, type SharedRedis } from './redis.ts';

export interface AppOverrides {
  /** Further adapters; one with the protocol name of a built-in adapter takes its place. */
  readonly adapters?: readonly Adapter[];
  readonly random?: () => number;
  /** Takes the place of the built-in catalogue; null: the gateway starts with an empty one. */
  readonly catalogueData?: CatalogueData | null;
  /** Where log lines go instead of standard output. */
  readonly logDestination?: DestinationStream;
  readonly onStatement?: (sql: string) => void;
  /** Further listeners of telemetry, by name. */
  readonly listeners?: Readonly<Record<string, TelemetryListener>>;
}

export interface Foundation {
  readonly storage: Storage;
  readonly snapshotRepository: SnapshotRepository;
  readonly shared: SharedRedis | undefined;
  readonly vault: SecretVault;
  readonly http: UpstreamHttp;
  readonly allowAddress: (address: string) => boolean;
  readonly adapters: AdapterRegistry;
}

const APPLICATION_NAME = 'modelgraph';
const TOKEN_CONTEXT = 'provider-token';

/** The parts that need nothing opened: logger, clock and telemetry, with which all others are built. */
export function layBasics(logger: Logger, parts: OpenedParts, overrides: AppOverrides): Basics {
  const listeners = { log: createLogListener(logger), ...overrides.listeners };
  return {
    logger,
    telemetry: new TelemetryHub(logger, listeners),
    clock: systemClock,
    newId,
    random: overrides.random ?? Math.random,
    parts,
  };
}

export async function layFoundation(
  config: Config,
  basics: Basics,
  overrides: Pick<AppOverrides, 'adapters' | 'onStatement'>,
): Promise<Foundation> {
  const { logger, telemetry, clock, parts } = basics;
  const storage = await openDatabase(config, basics, overrides.onStatement);
  const allowAddress = addressPolicy(config.privateUpstreams);
  const http = createUpstreamHttp({ logger, telemetry, allowAddress });
  parts.add('connections', () => http.close());
  const vault = openVault(config);
  const shared = await openRedis(config, basics);
  const tokens = shared
    ? createRedisTokenCache({ link: shared.link, clock, ...sealingOf(vault) })
    : createMemoryTokenCache({ clock });
  return {
    storage,
    snapshotRepository: new SnapshotRepository(storage),
    shared,
    vault,
    http,
    allowAddress,
    adapters: await openAdapters({
      config,
      http,
      tokens,
      clock: systemClock,
      newId,
      logger,
      overrides: overrides.adapters ?? [],
    }),
  };
}

async function openDatabase(
  config: Pick<Config, 'databaseUrl' | 'dataDir' | 'database'>,
  { logger, parts }: Basics,
  onStatement: AppOverrides['onStatement'],
): Promise<Storage> {
  const databaseUrl = config.databaseUrl?.reveal();
  if (databaseUrl === undefined && config.dataDir !== 'memory://') {
    const lock = await lockDataDir(config.dataDir);
    parts.add('connections', () => lock.release());
  }
  const storage = await openStorage({
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    dataDir: config.dataDir === 'memory://' ? config.dataDir : join(config.dataDir, 'database'),
    ...config.database,
    applicationName: APPLICATION_NAME,
    logger,
    ...(onStatement ? { onStatement } : {}),
  });
  parts.add('connections', () => storage.close());
  await storage.migrate();
  return storage;
}

/** Tokens in Redis are sealed in the same way as secrets in the database. */
function sealingOf(vault: SecretVault) {
  return {
    seal: (text: string) => JSON.stringify(vault.seal(text, TOKEN_CONTEXT)),
    open: (sealed: string) => {
      try {
        return vault.open(JSON.parse(sealed), TOKEN_CONTEXT)?.reveal();
      } catch {
        // The token was sealed with a key that is no longer in the key ring, so it is fetched again.
        return undefined;
      }
    },
  };
}
