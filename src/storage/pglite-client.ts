// Owns the main thread's side of the embedded database: the part of PGlite's interface that the ORM's dialect uses. If the database's thread ends by a
// fault, it is replaced.
import { delay, Mutex } from '../kernel/async.ts';
import { StartError, StorageError } from '../kernel/errors.ts';
import { type Logger, silentLogger } from '../kernel/logger.ts';
import { toStorageError } from './errors.ts';
import { type PgliteResult, PgliteSession } from './pglite-session.ts';
import type { SqlClient, SqlStatement } from './sql.ts';

interface PgliteTransaction {
  query<Row>(sql: string, values?: readonly unknown[]): Promise<PgliteResult<Row>>;
}

const IN_MEMORY = 'memory://';
/** The first wait between attempts to open the database again; they fail as long as the disk is full. */
const FIRST_REOPEN_MS = 250;
const MAX_REOPEN_MS = 10_000;

export class PgliteClient implements SqlClient {
  readonly ready = true;
  readonly waitReady = Promise.resolve();
  closed = false;
  readonly #dataDir: string;
  readonly #logger: Logger;
  /** The present thread; while the next one is being opened, the one that has ended. */
  #session: PgliteSession;
  /** A transaction owns the one connection until it ends; single statements queue behind it. */
  readonly #connection = new Mutex();
  readonly #closing = new AbortController();
  #reopening: Promise<void> | undefined;

  private constructor(dataDir: string, logger: Logger, session: PgliteSession) {
    this.#dataDir = dataDir;
    this.#logger = logger;
    this.#session = session;
    this.#watch(session);
  }

  /** Opens the database in `dataDir` (`memory://` keeps it in memory), creating it if there is none. Raises `StartError`. */
  static async open(dataDir: string, logger: Logger = silentLogger): Promise<PgliteClient> {
    try {
      return new PgliteClient(dataDir, logger, await PgliteSession.open(dataDir));
    } catch (error) {
      throw new StartError(
        `DATA_DIR: the embedded database in ${dataDir} does not open (${(error as Error).message}); see that the disk has room and that the folder may be written to`,
        { cause: error },
      );
    }
  }

  async query<Row extends object>(statement: SqlStatement, values: readonly unknown[]): Promise<Row[]>;
  async query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<PgliteResult<Row>>;
  async query<Row extends object>(
    statement: SqlStatement | string,
    values: readonly unknown[] = [],
  ): Promise<Row[] | PgliteResult<Row>> {
    if (typeof statement === 'string') {
      return this.#connection.run(() => this.#session.query<Row>(statement, values));
    }
    try {
      return (await this.#connection.run(() => this.#session.query<Row>(statement.text, values))).rows;
    } catch (error) {
      throw toStorageError(error);
    }
  }

  /** Runs `work` inside one transaction: committed if it resolves, rolled back if it rejects. */
  transaction<T>(work: (transaction: PgliteTransaction) => Promise<T>): Promise<T> {
    return this.#connection.run(async () => {
      // A transaction that began in one session must not go on in the next, which would run its statements outside of it.
      const session = this.#session;
      const begun = session.query('begin', []);
      await begun.catch(() => {});
      try {
        // Called even if the beginning failed: the ORM's dialect waits for this call, and learns of the failure by its first statement.
        const result = await work({
          query: async (sql, values = []) => {
            await begun;
            return session.query(sql, values);
          },
        });
        await begun;
        await session.query('commit', []);
        return result;
      } catch (error) {
        await session.query('rollback', []).catch(() => {});
        throw error;
      }
    });
  }

  /** Several statements without parameters, as in a migration. */
  exec(sql: string): Promise<unknown> {
    return this.#connection.run(() => this.#session.query(sql, undefined));
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.#closing.abort(new StorageError('unavailable', 'The embedded database is being closed'));
    await this.#reopening;
    await this.#connection.run(() => this.#session.close());
  }

  #watch(session: PgliteSession): void {
    void session.ended.then((reason) => {
      if (this.closed) return;
      const next = this.#dataDir === IN_MEMORY ? 'what it held is lost' : 'it is opened again';
      this.#logger.error({ err: reason }, `The embedded database has stopped; ${next}`);
      // A database in memory is not opened again: it would be empty, without even its tables.
      if (this.#dataDir !== IN_MEMORY) this.#reopening = this.#reopen();
    });
  }

  async #reopen(): Promise<void> {
    const { signal } = this.#closing;
    for (let waitMs = FIRST_REOPEN_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, MAX_REOPEN_MS)) {
      try {
        await delay(waitMs, signal);
        const session = await PgliteSession.open(this.#dataDir, signal);
        this.#session = session;
        this.#watch(session);
        this.#logger.info({}, 'The embedded database is open again');
        return;
      } catch (error) {
        if (!signal.aborted)
          this.#logger.error(
            { err: error },
            'The embedded database does not open yet; see that the disk has room',
          );
      }
    }
  }
}
