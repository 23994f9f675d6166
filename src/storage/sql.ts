// Owns the narrow SQL interface of the paths that go past the ORM, and its PostgreSQL binding.
import pg from 'pg';
import { hasLostAgainstAnother, toStorageError } from './errors.ts';

export interface SqlStatement {
  /** Prepared under this name where the driver can. */
  readonly name: string;
  readonly text: string;
}

export interface SqlClient {
  /** Raises `StorageError`. */
  query<Row extends object>(statement: SqlStatement, values: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

export interface PostgresSqlOptions {
  readonly url: string;
  readonly connections: number;
  /** How long to wait for a free connection, and for a new one to open. */
  readonly acquireTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly applicationName: string;
}

/** What every connection holds to; the client's own limit on a query is for a server that does not even refuse. */
export function connectionOptions(options: Omit<PostgresSqlOptions, 'url' | 'connections'>) {
  return {
    connectionTimeoutMillis: options.acquireTimeoutMs,
    statement_timeout: options.statementTimeoutMs,
    query_timeout: options.statementTimeoutMs + 1_000,
    application_name: options.applicationName,
    keepAlive: true,
  };
}

/** A pool of its own, so that runs never queue behind catalogue reads. */
export function createPostgresSqlClient(options: PostgresSqlOptions): SqlClient {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connections,
    ...connectionOptions(options),
  });
  // An idle connection that the server drops is replaced on the next query; without a listener it would end the process.
  pool.on('error', () => {});
  async function query<Row extends object>({ name, text }: SqlStatement, values: readonly unknown[]) {
    return (await pool.query<Row>({ name, text, values: [...values] })).rows;
  }
  return {
    async query<Row extends object>(statement: SqlStatement, values: readonly unknown[]) {
      try {
        // Each statement is a transaction of its own: one that lost against another has left nothing behind, and is sent once more.
        return await query<Row>(statement, values).catch((error: unknown) => {
          if (!hasLostAgainstAnother(error)) throw error;
          return query<Row>(statement, values);
        });
      } catch (error) {
        throw toStorageError(error);
      }
    },
    close: () => pool.end(),
  };
}
