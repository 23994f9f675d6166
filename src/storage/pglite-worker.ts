// Owns the embedded database: PGlite in a thread of its own, so that a statement never delays the thread that sends tokens.
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite, types } from '@electric-sql/pglite';

export interface PgliteRequest {
  readonly id: number;
  readonly sql: string;
  readonly values: readonly unknown[] | undefined;
}

export type PgliteReply =
  | { readonly id: number; readonly rows: object[]; readonly affectedRows: number | undefined }
  | {
      readonly id: number;
      readonly error: {
        readonly message: string;
        readonly code?: string;
        readonly constraint?: string;
        /** True if the database cannot go on after this fault; its thread is about to end. */
        readonly isFatal: boolean;
      };
    };

const port = parentPort;
if (!port) throw new Error('pglite-worker runs in a worker thread only');

const asText = (text: string) => text;
const { dataDir } = workerData as { dataDir: string };
const database = await PGlite.create({
  dataDir,
  // Values in the form of the PostgreSQL driver, so that the ORM reads both in the same way.
  parsers: {
    [types.DATE]: asText,
    [types.TIMESTAMP]: asText,
    [types.TIMESTAMPTZ]: asText,
    [types.INTERVAL]: asText,
    [types.INT8]: asText,
    [types.NUMERIC]: asText,
  },
});
// By this name the audit trail tells the gateway's own changes from those that people make by SQL.
await database.exec("set application_name = 'modelgraph'");
port.postMessage({ id: 0, rows: [], affectedRows: undefined } satisfies PgliteReply);

let tail: Promise<void> = Promise.resolve();
port.on('message', (request: PgliteRequest | 'close') => {
  tail = tail.then(() => (request === 'close' ? close() : answer(request)));
});

async function answer({ id, sql, values }: PgliteRequest): Promise<void> {
  try {
    if (values === undefined) {
      await database.exec(sql);
      port?.postMessage({ id, rows: [], affectedRows: undefined } satisfies PgliteReply);
      return;
    }
    const { rows, affectedRows } = await database.query<object>(sql, [...values]);
    port?.postMessage({ id, rows, affectedRows } satisfies PgliteReply);
  } catch (error) {
    const { message, code, constraint } = error as { message: string; code?: string; constraint?: string };
    const isFatal = isEndOfDatabase(error);
    port?.postMessage({
      id,
      error: {
        message,
        isFatal,
        ...(code === undefined ? {} : { code }),
        ...(constraint === undefined ? {} : { constraint }),
      },
    } satisfies PgliteReply);
    if (isFatal) process.exit(1);
  }
}

/** True if the compiled code was aborted or the database has panicked: every later statement would fail or never end. */
function isEndOfDatabase(error: unknown): boolean {
  const { name, severity } = error as { name?: string; severity?: string };
  return name === 'RuntimeError' || name === 'ExitStatus' || severity === 'PANIC';
}

async function close(): Promise<void> {
  await database.close();
  process.exit(0);
}
