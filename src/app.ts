// Owns a whole gateway: what `assembly` puts together, behind its doors, and how all of it is closed.
import { join } from 'node:path';
import { pino } from 'pino';
import { assembleCatalogue } from './assembly/catalogue.ts';
import { type AppOverrides, type Foundation, layFoundation } from './assembly/foundation.ts';
import { assembleIdentity } from './assembly/identity.ts';
import type { Opened } from './assembly/redis.ts';
import { assembleRuns } from './assembly/runs.ts';
import type { Config } from './configuration/config.ts';
import { AccountService } from './domain/billing/account-service.ts';
import { loadPriceLibrary } from './domain/billing/library-price.ts';
import { loadTokenizer } from './domain/billing/token-counter.ts';
import { UsageService } from './domain/billing/usage-service.ts';
import { makeApiKey } from './domain/identity/api-keys.ts';
import { AvailabilityService } from './domain/routing/availability.ts';
import { CircuitService } from './domain/routing/circuit-service.ts';
import { ReportService } from './domain/routing/report-service.ts';
import type { RunDrain } from './domain/runs/run-drain.ts';
import { createErrorFormatter } from './graphql/error-format.ts';
import { buildGraphSchema } from './graphql/schema.ts';
import { StorageError } from './kernel/errors.ts';
import type { Logger } from './kernel/logger.ts';
import { keepInDataDir } from './storage/data-dir.ts';
import { FiguresRepository } from './storage/repositories/figures.repository.ts';
import { MoneyRepository } from './storage/repositories/money.repository.ts';
import type { SnapshotRepository } from './storage/repositories/snapshot.repository.ts';
import { UsageRepository } from './storage/repositories/usage.repository.ts';
import { GRAPHQL_PATH, type RunningServer, startServer } from './transport/http/server.ts';

export type { AppOverrides };

export interface App {
  /** `http://host:port` as it listens. */
  readonly url: string;
  /** Where the explorer is, with a code that signs it in once; `undefined` if it is off. */
  readonly explorerUrl: string | undefined;
  readonly graphqlPath: string;
  readonly bootstrapKey: { readonly text: string; readonly generated: boolean; readonly path: string };
  readonly logger: Logger;
  /** Takes no new runs, sends readers elsewhere, gives running runs the grace period, then closes everything. */
  close(): Promise<void>;
}

/** Names of secrets anywhere in what is logged. */
const REDACTED = ['authorization', 'headers', 'secret', 'apiKey', 'key', 'connectionParams'].flatMap(
  (name) => [name, `*.${name}`],
);
const KEY_FILE = 'bootstrap-api-key';

export async function createApp(config: Config, overrides: AppOverrides = {}): Promise<App> {
  const logger = createLogger(config, overrides);
  const opened: Opened = [];
  const close = async () => {
    for (const closeOne of opened.splice(0).reverse()) await closeOne();
  };
  try {
    const foundation = await layFoundation(config, overrides, logger, opened);
    const bootstrapKey = bootstrapKeyOf(config);
    const { url, explorerUrl } = await openDoors(foundation, bootstrapKey.text);
    // No run waits for the vocabulary or the price library, and no start does.
    void loadTokenizer().then(loadPriceLibrary);
    return { url, explorerUrl, graphqlPath: GRAPHQL_PATH, bootstrapKey, logger, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openDoors(foundation: Foundation, bootstrapKey: string): Promise<RunningServer> {
  const { config, storage, clock, newId, logger, opened, snapshotRepository } = foundation;
  const identity = await assembleIdentity(foundation, bootstrapKey);
  const catalogue = await assembleCatalogue(foundation, identity);
  const { completions, kinds, drain, circuits } = await assembleRuns(foundation, identity, catalogue);
  const { snapshots, refresh, authenticator } = identity;
  const server = await startServer({
    host: config.host,
    port: config.port,
    schema: buildGraphSchema(),
    services: {
      ...catalogue.services,
      identity: identity.identity,
      apiKeys: identity.apiKeys,
      secrets: identity.secrets,
      audit: identity.audit,
      availability: new AvailabilityService({
        snapshots,
        circuits,
        speaks: (protocol) => catalogue.adapterOf(protocol) !== undefined,
        outputs: kinds.outputs,
      }),
      circuits: new CircuitService(snapshots, circuits),
      reports: new ReportService(new FiguresRepository(storage), clock),
      accounts: new AccountService({
        identity: identity.repository,
        money: new MoneyRepository(storage),
        billing: config.billing,
        clock,
        newId,
        refresh,
      }),
      usage: new UsageService(new UsageRepository(storage), clock),
      completions,
    },
    signIn: {
      authenticator,
      failuresPerMinute: config.signInFailuresPerMinute,
      trustProxy: config.trustProxy,
      logger,
    },
    readiness: { check: () => readinessOf(snapshotRepository, drain) },
    formatError: createErrorFormatter({ logger, hideSchema: config.production }),
    logger,
    maxBodyBytes: config.maxBodyBytes,
    slowReaderMs: config.slowReaderMs,
    introspection: config.introspection,
    ...config.operations,
    corsOrigins: config.corsOrigins,
    maxConnections: config.maxConnections,
    explorer: config.explorer,
    // A code would be known to one of several workers only.
    ...(config.production || config.workers > 1 ? {} : { explorerKey: bootstrapKey }),
  });
  // Closed in reverse: readers of streams are sent elsewhere and no run is begun, at once; runs get their grace, and the doors stay open for those who wait for them.
  opened.splice(-1, 0, () => server.close());
  opened.push(() => server.detachReaders());
  return server;
}

function bootstrapKeyOf(config: Config): App['bootstrapKey'] {
  const path = join(config.dataDir, KEY_FILE);
  if (config.bootstrapApiKey) return { text: config.bootstrapApiKey.reveal(), generated: false, path };
  return { text: keepInDataDir(config.dataDir, KEY_FILE, makeApiKey), generated: true, path };
}

async function readinessOf(snapshots: SnapshotRepository, drain: RunDrain): Promise<Record<string, string>> {
  const problems: Record<string, string> = drain.isDraining ? { node: 'it is shutting down' } : {};
  try {
    await snapshots.revision();
  } catch (error) {
    problems.database = error instanceof StorageError ? error.message : 'it does not answer';
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
