// Owns `npm run migrate`: brings the database's schema up to date without starting the gateway, which does the same at each start.
import { join } from 'node:path';
import { loadEnvironmentFile, readConfig } from './config.ts';
import { StartError } from './kernel/errors.ts';
import { type DataDirLock, lockDataDir } from './storage/data-dir.ts';
import { openStorage } from './storage/orm.ts';

async function migrate(): Promise<void> {
  loadEnvironmentFile();
  const config = readConfig(process.env);
  const databaseUrl = config.databaseUrl?.reveal();
  // A server that uses the folder holds the lock; it has migrated the database already.
  const lock: DataDirLock | undefined = databaseUrl === undefined ? lockDataDir(config.dataDir) : undefined;
  try {
    const storage = await openStorage({
      ...(databaseUrl === undefined ? {} : { databaseUrl }),
      dataDir: join(config.dataDir, 'database'),
      ...config.database,
      applicationName: 'modelgraph-migrate',
    });
    const applied = await storage.migrate().finally(() => storage.close());
    const words =
      applied.length === 0 ? 'The database was up to date.' : `Applied:\n  ${applied.join('\n  ')}`;
    process.stdout.write(`${words}\n`);
  } finally {
    lock?.release();
  }
}

migrate().catch((error: unknown) => {
  const text = error instanceof StartError ? error.message : String((error as Error).stack ?? error);
  process.stderr.write(`${text}
`);
  process.exitCode = 1;
});
