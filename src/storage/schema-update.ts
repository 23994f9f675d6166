// Owns bringing a database up to date at the start of a node, in one transaction: either all of it is done, or nothing.
//
// 1. One query tells what the database has. If that is what this build needs, as at nearly every start, nothing else happens.
// 2. One node at a time continues; the others wait at the lock, and then find the work done.
// 3. Functions that triggers call, then the migrations (tables, indexes, triggers), then all other functions, whose bodies name the tables.
import type { SqlEntityManager } from '@mikro-orm/postgresql';
import { ALL_MIGRATIONS } from '../../migrations/all-migrations.ts';
import type { Migration } from '../../migrations/migration.ts';
import { StorageError } from '../kernel/errors.ts';
import { carriedOver } from './former-migrations.ts';
import {
  type AppliedFunction,
  applyStatements,
  dropStatements,
  type FunctionSet,
  functionUpdate,
} from './function-update.ts';
import { ALL_FUNCTIONS, DROPPED_FUNCTIONS } from './functions/all-functions.ts';
import type { SqlClient } from './sql.ts';

/** The migrations and functions that a build needs in its database. */
export interface Schema {
  readonly migrations: readonly Migration[];
  readonly functions: FunctionSet;
}

export const SCHEMA: Schema = {
  migrations: ALL_MIGRATIONS,
  functions: { present: ALL_FUNCTIONS, dropped: DROPPED_FUNCTIONS },
};

interface Recorded {
  readonly migrations: readonly string[];
  readonly functions: readonly AppliedFunction[];
}

type Execute = <Row>(statement: string) => Promise<Row[]>;

/** An arbitrary number, the same on all nodes. */
const LOCK = 7_236_118_401;

const RECORDED = `
  select
    (select coalesce(json_agg(name), '[]') from migration) as migrations,
    (select coalesce(json_agg(json_build_object('name', name, 'version', version, 'digest', digest)), '[]')
     from database_function) as functions`;

const RECORDS = [
  `create table if not exists migration (
    id serial primary key,
    name varchar(255) not null,
    executed_at timestamptz(6) not null default current_timestamp(6)
  )`,
  `create table if not exists database_function (
    name text primary key,
    version int not null,
    digest text not null,
    applied_at timestamptz not null default now()
  )`,
];

/** Gives the names of what had to be applied. Raises `StartError` for a database that this build cannot bring up to date, otherwise `StorageError`. */
export async function updateSchema(
  storage: { readonly sql: SqlClient; readonly entities: () => SqlEntityManager },
  schema: Schema = SCHEMA,
): Promise<string[]> {
  if (await isUpToDate(storage.sql, schema)) return [];
  return storage.entities().transactional(async (transaction) => {
    const execute: Execute = (statement) => transaction.execute(statement);
    await execute(`select pg_advisory_xact_lock(${LOCK})`);
    // Two nodes that create the same table at once would make each other fail, so the tables for the records are created behind the lock.
    for (const statement of RECORDS) await execute(statement);
    return update(execute, schema);
  });
}

async function isUpToDate(sql: SqlClient, schema: Schema): Promise<boolean> {
  const recorded = await sql
    .query<Recorded>({ name: 'schema-recorded', text: RECORDED }, [])
    .catch((error: unknown) => {
      // This fault means that the tables are missing. If the database does not answer, the driver's own error is raised, because it names the host.
      if (error instanceof StorageError && error.kind === 'fault') return [];
      throw (error as Error).cause ?? error;
    });
  const [state] = recorded;
  if (!state) return false;
  const names = new Set(state.migrations);
  const { apply, drop } = functionUpdate(state.functions, schema.functions);
  return apply.length + drop.length === 0 && schema.migrations.every(({ name }) => names.has(name));
}

async function update(execute: Execute, schema: Schema): Promise<string[]> {
  const [state] = await execute<Recorded>(RECORDED);
  const recorded = new Set(state?.migrations);
  for (const name of carriedOver(recorded)) {
    await execute(noteMigration(name));
    recorded.add(name);
  }
  const { apply, drop } = functionUpdate(state?.functions ?? [], schema.functions);
  const migrations = schema.migrations.filter(({ name }) => !recorded.has(name));
  const forTriggers = apply.filter(({ isTrigger }) => isTrigger);
  const others = apply.filter(({ isTrigger }) => !isTrigger);
  const statements = [
    ...forTriggers.flatMap(applyStatements),
    ...migrations.flatMap(({ name, statements }) => [...statements, noteMigration(name)]),
    ...others.flatMap(applyStatements),
    ...drop.flatMap((name) => dropStatements(name, schema.functions.dropped[name] ?? name)),
  ];
  for (const statement of statements) await execute(statement);
  return [
    ...migrations.map(({ name }) => `migration ${name}`),
    ...apply.map(({ name, version }) => `function ${name}, version ${version}`),
    ...drop.map((name) => `function ${name} is dropped`),
  ];
}

function noteMigration(name: string): string {
  return `insert into migration (name) values ('${name}')`;
}
