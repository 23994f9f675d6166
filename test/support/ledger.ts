// Owns checks of the books of a test's gateway, read from its database by a connection of the test's own.
import pg from 'pg';
import {
  type Discrepancy,
  LedgerCheckRepository,
} from '../../src/storage/repositories/ledger-check.repository.ts';
import { createPostgresSqlClient } from '../../src/storage/sql.ts';

/** On PostgreSQL: all sums that do not agree. */
export async function discrepanciesOf(url: string): Promise<Discrepancy[]> {
  const sql = createPostgresSqlClient({
    url,
    connections: 1,
    acquireTimeoutMs: 5_000,
    statementTimeoutMs: 10_000,
    applicationName: 'modelgraph-test',
  });
  try {
    return await new LedgerCheckRepository({ sql }).discrepancies();
  } finally {
    await sql.close();
  }
}

/** Rows of a statement on a connection that is not the gateway's, as an operator with psql would get them. */
export async function plainSql(url: string, text: string, values: readonly unknown[] = []): Promise<any[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'psql' });
  await client.connect();
  try {
    return (await client.query(text, [...values])).rows;
  } finally {
    await client.end();
  }
}
