// Owns the main thread's side of the embedded database: the part of PGlite's interface that the ORM's dialect uses, over messages.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type Deferred, deferred, Mutex } from '../kernel/async.ts';
import { StorageError } from '../kernel/errors.ts';
import { toStorageError } from './errors.ts';
import type { PgliteReply, PgliteRequest } from './pglite-worker.ts';
import type { SqlClient, SqlStatement } from './sql.ts';

interface PgliteResult<Row> {
  readonly rows: Row[];
  readonly affectedRows: number | undefined;
}

interface PgliteTransaction {
  query<Row>(sql: string, values?: readonly unknown[]): Promise<PgliteResult<Row>>;
}

const workerUrl = new URL(import.meta.url.replace(/pglite-client(\.[jt]s)/, 'pglite-worker$1'));

export class PgliteClient implements SqlClient {
  readonly ready = true;
  readonly waitReady = Promise.resolve();
  closed = false;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Deferred<PgliteResult<object>>>();
  /** A transaction owns the one connection until it ends; single statements queue behind it. */
  readonly #connection = new Mutex();
  #lastId = 0;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (reply: PgliteReply) => this.#settle(reply));
    worker.on('error', (error) => this.#failAll(error));
    worker.on('exit', () => this.#failAll(new Error('The embedded database has stopped')));
  }

  /** Opens the database in `dataDir` (`memory://` keeps it in memory), creating it if there is none. */
  static async open(dataDir: string): Promise<PgliteClient> {
    const worker = new Worker(workerUrl, { workerData: { dataDir }, execArgv: [] });
    await Promise.race([
      once(worker, 'message'),
      once(worker, 'exit').then(() => {
        throw new StorageError('unavailable', `The embedded database in ${dataDir} did not open`);
      }),
    ]);
    return new PgliteClient(worker);
  }

  async query<Row extends object>(statement: SqlStatement, values: readonly unknown[]): Promise<Row[]>;
  async query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<PgliteResult<Row>>;
  async query<Row extends object>(
    statement: SqlStatement | string,
    values: readonly unknown[] = [],
  ): Promise<Row[] | PgliteResult<Row>> {
    if (typeof statement === 'string') {
      return this.#connection.run(() => this.#send<Row>(statement, values));
    }
    try {
      return (await this.#connection.run(() => this.#send<Row>(statement.text, values))).rows;
    } catch (error) {
      throw toStorageError(error);
    }
  }

  /** Runs `work` inside one transaction: committed if it resolves, rolled back if it rejects. */
  transaction<T>(work: (transaction: PgliteTransaction) => Promise<T>): Promise<T> {
    return this.#connection.run(async () => {
      await this.#send('begin', []);
      try {
        const result = await work({ query: (sql, values = []) => this.#send(sql, values) });
        await this.#send('commit', []);
        return result;
      } catch (error) {
        await this.#send('rollback', []).catch(() => {});
        throw error;
      }
    });
  }

  /** Several statements without parameters, as in a migration. */
  exec(sql: string): Promise<unknown> {
    return this.#connection.run(() => this.#send(sql, undefined));
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    const exited = once(this.#worker, 'exit');
    await this.#connection.run(async () => this.#worker.postMessage('close'));
    await exited;
  }

  #send<Row>(sql: string, values: readonly unknown[] | undefined): Promise<PgliteResult<Row>> {
    const id = ++this.#lastId;
    const reply = deferred<PgliteResult<object>>();
    this.#pending.set(id, reply);
    this.#worker.postMessage({ id, sql, values } satisfies PgliteRequest);
    return reply.promise as Promise<PgliteResult<Row>>;
  }

  #settle(reply: PgliteReply): void {
    const waiting = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if ('error' in reply) {
      waiting?.reject(Object.assign(new Error(reply.error.message), reply.error));
    } else {
      waiting?.resolve(reply);
    }
  }

  #failAll(cause: Error): void {
    this.closed = true;
    const error = new StorageError('unavailable', 'The embedded database does not answer', { cause });
    for (const waiting of this.#pending.values()) waiting.reject(error);
    this.#pending.clear();
  }
}
