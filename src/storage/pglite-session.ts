// Owns one thread of the embedded database: the messages to it and back, and the reason why it ended.
import { Worker } from 'node:worker_threads';
import { abortable, type Deferred, deferred } from '../kernel/async.ts';
import { StorageError } from '../kernel/errors.ts';
import type { PgliteReply, PgliteRequest } from './pglite-worker.ts';

export interface PgliteResult<Row> {
  readonly rows: Row[];
  readonly affectedRows: number | undefined;
}

const workerUrl = new URL(import.meta.url.replace(/pglite-session(\.[jt]s)/, 'pglite-worker$1'));
/** How long, in milliseconds, a thread may take to close before it is terminated. */
const CLOSE_WITHIN_MS = 10_000;

export class PgliteSession {
  /** Resolves with the reason when the thread has ended, by request or by a fault. */
  readonly ended: Promise<Error>;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Deferred<PgliteResult<object>>>();
  #lastId = 0;
  #fault: Error | undefined;
  #hasEnded = false;

  private constructor(worker: Worker) {
    this.#worker = worker;
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.ended = promise;
    worker.on('message', (reply: PgliteReply) => this.#settle(reply));
    worker.on('error', (error: Error) => {
      this.#fault ??= error;
    });
    worker.once('exit', (code) => {
      const reason = this.#fault ?? new Error(`its thread ended with code ${code}`);
      this.#hasEnded = true;
      for (const waiting of this.#pending.values()) waiting.reject(stopped(reason));
      this.#pending.clear();
      resolve(reason);
    });
  }

  /** Opens the database in `dataDir`, creating it if there is none. Raises the reason if it does not open. */
  static async open(dataDir: string, signal?: AbortSignal): Promise<PgliteSession> {
    const worker = new Worker(workerUrl, { workerData: { dataDir }, execArgv: [] });
    const session = new PgliteSession(worker);
    // The first message says that the database is open.
    const opened = new Promise<void>((resolve) => worker.once('message', () => resolve()));
    const openedOrEnded = Promise.race([opened, session.ended]);
    try {
      const reason = await (signal ? abortable(openedOrEnded, signal) : openedOrEnded);
      if (reason) throw reason;
      return session;
    } catch (error) {
      void worker.terminate();
      throw error;
    }
  }

  /** Raises the database's error, or `StorageError` of kind `unavailable` if the thread has ended. */
  query<Row>(sql: string, values: readonly unknown[] | undefined): Promise<PgliteResult<Row>> {
    const reply = deferred<PgliteResult<object>>();
    if (this.#hasEnded) {
      reply.reject(stopped(this.#fault));
    } else {
      const id = ++this.#lastId;
      // A value that cannot be sent to a thread raises here, before an answer is awaited.
      this.#worker.postMessage({ id, sql, values } satisfies PgliteRequest);
      this.#pending.set(id, reply);
    }
    return reply.promise as Promise<PgliteResult<Row>>;
  }

  async close(): Promise<void> {
    if (this.#hasEnded) return;
    this.#worker.postMessage('close');
    const timer = setTimeout(() => void this.#worker.terminate(), CLOSE_WITHIN_MS);
    await this.ended;
    clearTimeout(timer);
  }

  #settle(reply: PgliteReply): void {
    const waiting = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if ('error' in reply) {
      const error = Object.assign(new Error(reply.error.message), reply.error);
      this.#fault = reply.error.isFatal ? error : this.#fault;
      waiting?.reject(error);
    } else {
      waiting?.resolve(reply);
    }
  }
}

function stopped(cause: Error | undefined): StorageError {
  return new StorageError('unavailable', 'The embedded database has stopped; it is being opened again', {
    cause,
  });
}
