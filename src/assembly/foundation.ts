// Owns what everything else stands on: database, Redis, the way out to providers, the key ring, and the adapters.
import { join } from 'node:path';
import type { DestinationStream } from 'pino';
import type { Config } from '../configuration/config.ts';
import { createMemoryTokenCache } from '../coordination/memory/token-cache.ts';
import { createRedisTokenCache } from '../coordination/redis/token-cache.ts';
import type { CatalogueData } from '../domain/catalogue/catalogue-data.ts';
import type { SecretVault } from '../domain/identity/secret-vault.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { newId } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Adapter } from '../providers/contract/adapter.ts';
import type { UpstreamHttp } from '../providers/contract/http.ts';
import { addressPolicy } from '../providers/http/private-addresses.ts';
import { createUpstreamHttp } from '../providers/http/upstream-http.ts';
import type { AdapterRegistry } from '../providers/registry.ts';
import { lockDataDir } from '../storage/data-dir-lock.ts';
import { openStorage, type Storage } from '../storage/orm.ts';
import { SnapshotRepository } from '../storage/repositories/snapshot.repository.ts';
import { openAdapters } from './adapters.ts';
import { openVault } from './key-ring.ts';
import { type Opened, openRedis, type SharedRedis } from './redis.ts';

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

export interface Foundation {
  readonly config: Config;
  readonly overrides: AppOverrides;
  readonly logger: Logger;
  readonly opened: Opened;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newId: typeof newId;
  readonly nodeId: string;
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

export async function layFoundation(
  config: Config,
  overrides: AppOverrides,
  logger: Logger,
  opened: Opened,
): Promise<Foundation> {
  const storage = await openDatabase(config, overrides, logger, opened);
  const allowAddress = addressPolicy(config.privateUpstreams);
  const http = createUpstreamHttp({ logger, allowAddress });
  opened.push(() => http.close());
  const vault = openVault(config);
  const shared = await openRedis(config, logger, opened);
  const tokens = shared
    ? createRedisTokenCache({ link: shared.link, clock: systemClock, ...sealingOf(vault) })
    : createMemoryTokenCache({ clock: systemClock });
  return {
    config,
    overrides,
    logger,
    opened,
    clock: systemClock,
    random: overrides.random ?? Math.random,
    newId,
    nodeId: newId(),
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
  config: Config,
  overrides: AppOverrides,
  logger: Logger,
  opened: Opened,
): Promise<Storage> {
  const databaseUrl = config.databaseUrl?.reveal();
  if (databaseUrl === undefined && config.dataDir !== 'memory://') {
    const lock = await lockDataDir(config.dataDir);
    opened.push(() => lock.release());
  }
  const storage = await openStorage({
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    dataDir: config.dataDir === 'memory://' ? config.dataDir : join(config.dataDir, 'database'),
    ...config.database,
    applicationName: APPLICATION_NAME,
    logger,
    ...(overrides.onStatement ? { onStatement: overrides.onStatement } : {}),
  });
  opened.push(() => storage.close());
  await storage.migrate();
  return storage;
}

/** What lies in Redis is sealed as secrets in the database are. */
function sealingOf(vault: SecretVault) {
  return {
    seal: (text: string) => JSON.stringify(vault.seal(text, TOKEN_CONTEXT)),
    open: (sealed: string) => {
      try {
        return vault.open(JSON.parse(sealed), TOKEN_CONTEXT)?.reveal();
      } catch {
        // Sealed with a key that has left the ring: it is fetched anew.
        return undefined;
      }
    },
  };
}
