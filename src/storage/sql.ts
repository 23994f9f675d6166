// Owns the narrow SQL interface for statements that go past the ORM, and its PostgreSQL binding.
import pg from 'pg';
import { hasLostAgainstAnother, toStorageError } from './errors.ts';

export interface SqlStatement {
  /** The statement is prepared under this name, if the driver can do that. */
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
  /** How long, in milliseconds, to wait for a free connection, and for a new one to open. */
  readonly acquireTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly applicationName: string;
}

/** Options of every connection. The client's own time limit is for a server that does not answer at all. */
export function connectionOptions(options: Omit<PostgresSqlOptions, 'url' | 'connections'>) {
  return {
    connectionTimeoutMillis: options.acquireTimeoutMs,
    statement_timeout: options.statementTimeoutMs,
    query_timeout: options.statementTimeoutMs + 1_000,
    application_name: options.applicationName,
    keepAlive: true,
  };
}

/** Has a connection pool of its own, so that runs never wait behind reads of the catalogue. */
export function createPostgresSqlClient(options: PostgresSqlOptions): SqlClient {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connections,
    ...connectionOptions(options),
  });
  // If the server drops an idle connection, the next query opens another. Without a listener the error would end the process.
  pool.on('error', () => {});
  async function query<Row extends object>({ name, text }: SqlStatement, values: readonly unknown[]) {
    return (await pool.query<Row>({ name, text, values: [...values] })).rows;
  }
  return {
    async query<Row extends object>(statement: SqlStatement, values: readonly unknown[]) {
      try {
        // Each statement is a transaction of its own. If it is rolled back in favour of another one, it has changed nothing, and is sent once more.
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
