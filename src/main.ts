// Owns the process: reads the configuration, starts the app (or its workers), prints its address, drains on a signal, and handles uncaught errors.
import cluster from 'node:cluster';
import { enableCompileCache } from 'node:module';
import { inspect } from 'node:util';
import type { App } from './app.ts';
import { type Config, readConfig } from './configuration/config.ts';
import { loadEnvironmentFile } from './configuration/environment.ts';
import { StartError } from './kernel/errors.ts';

/** How long the main process waits before it replaces a worker that died, so that a worker that fails at once is not restarted in a tight loop. */
const RESTART_AFTER_MS = 1_000;
/** The time that closing may take after the grace period of running runs. */
const CLOSE_MS = 10_000;
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

async function main(): Promise<void> {
  loadEnvironmentFile();
  const config = readConfig(process.env);
  if (config.workers > 1 && cluster.isPrimary) {
    runWorkers(config);
    return;
  }
  // Compiled code is kept between starts; it must be asked for before anything large is loaded.
  enableCompileCache();
  const { createApp } = await import('./app.ts');
  const app = await createApp(config);
  if (!cluster.isWorker || cluster.worker?.id === 1) tellWhere(config, app);
  const shutDown = prepareShutdown(app, config.drainGraceMs + CLOSE_MS);
  drainOnSignal(app, shutDown);
  hearUnhandledErrors(app, shutDown);
}

function tellWhere(config: Config, { url, explorerUrl, graphqlPath, bootstrapKey }: App): void {
  process.stdout.write(`
  Modelgraph is running${config.workers > 1 ? ` with ${config.workers} workers` : ''}.

  Explorer   ${explorerUrl ?? 'off'}
  Endpoint   ${url}${graphqlPath}
  API key    ${bootstrapKey.generated ? `${bootstrapKey.text}   (kept in ${bootstrapKey.path})` : 'as set in BOOTSTRAP_API_KEY'}

`);
}

type ShutDown = (exitCode: number) => void;

/** Drains once, however many causes ask for it; ends the process when the drain is done or has taken too long. */
function prepareShutdown({ logger, close }: App, limitMs: number): ShutDown {
  let isStopping = false;
  return (exitCode) => {
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => {
      logger.error({ limitMs }, 'The shutdown took too long; the process ends now');
      process.exit(1);
    }, limitMs).unref();
    close().then(
      () => process.exit(exitCode),
      (error: unknown) => {
        logger.error({ err: error }, 'The shutdown failed');
        process.exit(1);
      },
    );
  };
}

function drainOnSignal({ logger }: App, shutDown: ShutDown): void {
  let isAsked = false;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // A second signal ends the process at once, without waiting for runs.
      if (isAsked) process.exit(1);
      isAsked = true;
      logger.info({ signal }, 'Shutting down: no new runs, running ones get a grace period');
      shutDown(0);
    });
  }
}

/**
 * A rejected promise that nothing handled affects no other work, so it is only logged. After an uncaught exception the state of the process is unknown,
 * so the node drains and the process ends, for another one to take its place.
 */
function hearUnhandledErrors({ logger }: App, shutDown: ShutDown): void {
  let unhandled = 0;
  process.on('unhandledRejection', (reason) => {
    unhandled += 1;
    const err = reason instanceof Error ? reason : new Error(`Rejected with ${inspect(reason)}`);
    logger.error({ err, unhandled }, 'A promise was rejected and no code handled it; the gateway goes on');
  });
  process.on('uncaughtException', (err) => {
    logger.error({ err }, 'An exception was not caught: this node drains and ends');
    shutDown(1);
  });
}

/** Starts several equal workers on one port: the operating system hands each connection to one of them. */
function runWorkers({ workers }: Config): void {
  let stopping = false;
  for (let number = 0; number < workers; number += 1) cluster.fork();
  cluster.on('exit', (_worker, code) => {
    if (stopping) {
      if (Object.keys(cluster.workers ?? {}).length === 0) process.exit(0);
      return;
    }
    process.stderr.write(`A worker ended (code ${code}); another takes its place\n`);
    setTimeout(() => !stopping && cluster.fork(), RESTART_AFTER_MS);
  });
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM');
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
