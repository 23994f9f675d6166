// Owns the process: reads the configuration, starts the app, says where it is, and drains on a signal.
import { enableCompileCache } from 'node:module';
import { loadEnvironmentFile, readConfig } from './config.ts';
import { StartError } from './kernel/errors.ts';

async function main(): Promise<void> {
  loadEnvironmentFile();
  const config = readConfig(process.env);
  // Compiled code is kept between starts; it must be asked for before anything large is loaded.
  enableCompileCache();
  const { createApp } = await import('./app.ts');
  const app = await createApp(config);
  const { bootstrapKey } = app;
  process.stdout.write(`
  Modelgraph is running.

  Explorer   ${config.explorer ? `${app.url}${app.graphqlPath}` : 'off'}
  Endpoint   ${app.url}${app.graphqlPath}
  API key    ${bootstrapKey.generated ? `${bootstrapKey.text}   (kept in ${bootstrapKey.path})` : 'as set in BOOTSTRAP_API_KEY'}

`);
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      // A second signal means that somebody is in a hurry.
      if (stopping) process.exit(1);
      stopping = true;
      app.logger.info({ signal }, 'Shutting down: no new runs, running ones get a grace period');
      app.close().then(
        () => process.exit(0),
        (error: unknown) => {
          app.logger.error({ err: error }, 'The shutdown failed');
          process.exit(1);
        },
      );
    });
  }
}

main().catch((error: unknown) => {
  const text =
    error instanceof StartError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
});
