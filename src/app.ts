// Owns a whole gateway: what `assembly` puts together, behind its doors, and how all of it is closed.
import { join } from 'node:path';
import { pino } from 'pino';
import { openDoors } from './assembly/doors.ts';
import { type AppOverrides, layBasics, layFoundation } from './assembly/foundation.ts';
import { assembleGateway } from './assembly/gateway.ts';
import { OpenedParts } from './assembly/opened-parts.ts';
import type { Config } from './configuration/config.ts';
import { loadPriceLibrary } from './domain/billing/library-price.ts';
import { loadTokenizer } from './domain/billing/token-counter.ts';
import { makeApiKey } from './domain/identity/api-keys.ts';
import type { Logger } from './kernel/logger.ts';
import { keepInDataDir } from './storage/data-dir.ts';

export type { AppOverrides };

export interface App {
  /** `http://host:port`, with the port that it listens on. */
  readonly url: string;
  /** Address of the explorer, with a code that signs its first user in; `undefined` if the explorer is off. */
  readonly explorerUrl: string | undefined;
  readonly graphqlPath: string;
  readonly bootstrapKey: { readonly text: string; readonly generated: boolean; readonly path: string };
  readonly logger: Logger;
  /** Takes no new runs, tells readers to reconnect elsewhere, gives running runs the grace period, then closes everything. */
  close(): Promise<void>;
}

/** Names of fields that hold secrets, anywhere in a logged object. */
const REDACTED = ['authorization', 'headers', 'secret', 'apiKey', 'key', 'connectionParams'].flatMap(
  (name) => [name, `*.${name}`],
);
const KEY_FILE = 'bootstrap-api-key';

export async function createApp(config: Config, overrides: AppOverrides = {}): Promise<App> {
  const logger = createLogger(config, overrides);
  const parts = new OpenedParts(logger);
  return parts.opening(async () => {
    const basics = layBasics(logger, parts, overrides);
    const foundation = await layFoundation(config, basics, overrides);
    const bootstrapKey = bootstrapKeyOf(config);
    const { catalogueData } = overrides;
    const beginnings = { bootstrapKey: bootstrapKey.text, catalogueData };
    const gateway = await assembleGateway(config, basics, foundation, beginnings);
    const doors = await openDoors(config, basics, gateway, bootstrapKey.text);
    // Loaded in the background: neither the start nor a run waits for the tokenizer's vocabulary or the price library.
    void loadTokenizer().then(loadPriceLibrary);
    return { ...doors, bootstrapKey, logger, close: () => parts.close() };
  });
}

function bootstrapKeyOf(config: Config): App['bootstrapKey'] {
  const path = join(config.dataDir, KEY_FILE);
  if (config.bootstrapApiKey) return { text: config.bootstrapApiKey.reveal(), generated: false, path };
  return { text: keepInDataDir(config.dataDir, KEY_FILE, makeApiKey), generated: true, path };
}

function createLogger(config: Config, overrides: AppOverrides): Logger {
  const options = {
    level: config.logLevel,
    redact: { paths: REDACTED, censor: '[secret]' },
    base: undefined,
  };
  return overrides.logDestination ? pino(options, overrides.logDestination) : pino(options);
}
