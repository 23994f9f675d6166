// Owns how a command opens the database: as the gateway would, and never a data folder that a running gateway uses.
import { join } from 'node:path';
import { type Config, readConfig } from '../configuration/config.ts';
import { loadEnvironmentFile } from '../configuration/environment.ts';
import { StartError } from '../kernel/errors.ts';
import { lockDataDir } from '../storage/data-dir-lock.ts';
import { openStorage, type Storage } from '../storage/orm.ts';

/**
 * Runs `work` on the database that the environment names. A fault that the operator can mend is printed without a stack; every fault makes the process
 * exit with an error.
 */
export async function withDatabase(
  name: string,
  work: (storage: Storage, config: Config) => Promise<void>,
): Promise<void> {
  try {
    loadEnvironmentFile();
    await open(name, work);
  } catch (error) {
    const text = error instanceof StartError ? error.message : String((error as Error).stack ?? error);
    process.stderr.write(`${text}\n`);
    process.exitCode = 1;
  }
}

async function open(name: string, work: (storage: Storage, config: Config) => Promise<void>): Promise<void> {
  const config = readConfig(process.env);
  const databaseUrl = config.databaseUrl?.reveal();
  const lock = databaseUrl === undefined ? await lockDataDir(config.dataDir) : undefined;
  try {
    const storage = await openStorage({
      ...(databaseUrl === undefined ? {} : { databaseUrl }),
      dataDir: join(config.dataDir, 'database'),
      ...config.database,
      applicationName: `modelgraph-${name}`,
    });
    await work(storage, config).finally(() => storage.close());
  } finally {
    lock?.release();
  }
}
