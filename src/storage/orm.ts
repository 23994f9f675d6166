// Owns the two databases that the ORM can stand on, embedded and PostgreSQL, and applies the migrations to either.
import type { Constructor } from '@mikro-orm/core';
import { type Migration, Migrator } from '@mikro-orm/migrations';
import { MikroORM as PgliteOrm } from '@mikro-orm/pglite';
import { MikroORM as PostgresOrm, type SqlEntityManager } from '@mikro-orm/postgresql';
import { Migration20261120000001_identity } from '../../migrations/Migration20261120000001_identity.ts';
import { Migration20261120000002_catalogue } from '../../migrations/Migration20261120000002_catalogue.ts';
import { Migration20261120000003_revision } from '../../migrations/Migration20261120000003_revision.ts';
import { Migration20261120000004_runs } from '../../migrations/Migration20261120000004_runs.ts';
import { Migration20261120000005_seed } from '../../migrations/Migration20261120000005_seed.ts';
import { Migration20261120000006_upkeep } from '../../migrations/Migration20261120000006_upkeep.ts';
import { Migration20261121000007_routing } from '../../migrations/Migration20261121000007_routing.ts';
import { Migration20261121000008_access } from '../../migrations/Migration20261121000008_access.ts';
import { Migration20261121000009_money } from '../../migrations/Migration20261121000009_money.ts';
import { Migration20261121000010_audit } from '../../migrations/Migration20261121000010_audit.ts';
import { Migration20261121000011_content } from '../../migrations/Migration20261121000011_content.ts';
import { Migration20261122000012_budget_charges } from '../../migrations/Migration20261122000012_budget_charges.ts';
import { Migration20261122000013_run_order } from '../../migrations/Migration20261122000013_run_order.ts';
import { Migration20261124000012_secret_destination } from '../../migrations/Migration20261124000012_secret_destination.ts';
import { Migration20261124000013_retired_api_key } from '../../migrations/Migration20261124000013_retired_api_key.ts';
import { Migration20261124000014_run_kind } from '../../migrations/Migration20261124000014_run_kind.ts';
import type { Logger } from '../kernel/logger.ts';
import { AccountEntity } from './entities/account.entity.ts';
import { ApiKeyEntity } from './entities/api-key.entity.ts';
import { AuditEventEntity } from './entities/audit-event.entity.ts';
import { BudgetEntity } from './entities/budget.entity.ts';
import { CompletionRunEntity, RunAttemptEntity } from './entities/completion-run.entity.ts';
import { LedgerEntryEntity } from './entities/ledger-entry.entity.ts';
import { MemberEntity } from './entities/member.entity.ts';
import { ModelInstanceEntity } from './entities/model-instance.entity.ts';
import { ModelSpecEntity } from './entities/model-spec.entity.ts';
import { ModelSyncEntity } from './entities/model-sync.entity.ts';
import { PriceVersionEntity } from './entities/price-version.entity.ts';
import { ProviderConfigEntity } from './entities/provider-config.entity.ts';
import { ProviderSpecEntity } from './entities/provider-spec.entity.ts';
import { WorkspaceEntity } from './entities/workspace.entity.ts';
import { PgliteClient } from './pglite-client.ts';
import { connectionOptions, createPostgresSqlClient, type SqlClient } from './sql.ts';

export interface StorageOptions {
  /** PostgreSQL; absent = the embedded database in `dataDir`. */
  readonly databaseUrl?: string;
  /** Folder of the embedded database, or `memory://`. */
  readonly dataDir: string;
  readonly connections: number;
  readonly acquireTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly applicationName: string;
  /** Is told when the embedded database stops, and when it is open again. */
  readonly logger?: Logger;
  /** Receives each SQL text that the ORM runs. */
  readonly onStatement?: (sql: string) => void;
}

export interface Storage {
  readonly kind: 'embedded' | 'postgresql';
  /** A fresh unit of work; never shared between requests. */
  entities(): SqlEntityManager;
  readonly sql: SqlClient;
  /** Names of the migrations that had to be applied. */
  migrate(): Promise<string[]>;
  close(): Promise<void>;
}

const ENTITIES = [
  WorkspaceEntity,
  ApiKeyEntity,
  MemberEntity,
  AccountEntity,
  LedgerEntryEntity,
  BudgetEntity,
  AuditEventEntity,
  ProviderSpecEntity,
  ProviderConfigEntity,
  ModelSpecEntity,
  PriceVersionEntity,
  ModelInstanceEntity,
  ModelSyncEntity,
  CompletionRunEntity,
  RunAttemptEntity,
];

const MIGRATIONS: readonly Constructor<Migration>[] = [
  Migration20261120000001_identity,
  Migration20261120000002_catalogue,
  Migration20261120000003_revision,
  Migration20261120000004_runs,
  Migration20261120000005_seed,
  Migration20261120000006_upkeep,
  Migration20261121000007_routing,
  Migration20261121000008_access,
  Migration20261121000009_money,
  Migration20261121000010_audit,
  Migration20261121000011_content,
  Migration20261122000012_budget_charges,
  Migration20261122000013_run_order,
  Migration20261124000012_secret_destination,
  Migration20261124000013_retired_api_key,
  Migration20261124000014_run_kind,
];

/** Any number that all nodes share: whoever holds this advisory lock migrates, the others wait. */
const MIGRATION_LOCK = 7_236_118_401;

export async function openStorage(options: StorageOptions): Promise<Storage> {
  return options.databaseUrl === undefined
    ? openEmbedded(options)
    : openPostgres(options, options.databaseUrl);
}

function commonOptions(options: StorageOptions) {
  return {
    entities: ENTITIES,
    extensions: [Migrator],
    metadataCache: { enabled: false },
    forceUtcTimezone: true,
    discovery: { checkDuplicateTableNames: false },
    debug: options.onStatement ? ['query' as const] : false,
    ...(options.onStatement ? { logger: options.onStatement } : {}),
    migrations: {
      snapshot: false,
      silent: true,
      tableName: 'migration',
      migrationsList: MIGRATIONS.map((migration) => ({ name: migration.name, class: migration })),
    },
  };
}

async function openEmbedded(options: StorageOptions): Promise<Storage> {
  const client = await PgliteClient.open(options.dataDir, options.logger);
  const orm = await PgliteOrm.init({ ...commonOptions(options), driverOptions: { pglite: () => client } });
  return {
    kind: 'embedded',
    entities: () => orm.em.fork() as unknown as SqlEntityManager,
    sql: client,
    migrate: async () => (await orm.migrator.up()).map(({ name }) => name),
    close: async () => {
      await orm.close(true);
      await client.close();
    },
  };
}

async function openPostgres(options: StorageOptions, url: string): Promise<Storage> {
  const orm = await PostgresOrm.init({
    ...commonOptions(options),
    clientUrl: url,
    pool: { min: 0, max: options.connections },
    driverOptions: connectionOptions(options),
  });
  const sql = createPostgresSqlClient({ ...options, url });
  return {
    kind: 'postgresql',
    entities: () => orm.em.fork(),
    sql,
    migrate: () =>
      orm.em.fork().transactional(async (transaction) => {
        await transaction.execute('select pg_advisory_xact_lock(?)', [MIGRATION_LOCK]);
        return (await orm.migrator.up()).map(({ name }) => name);
      }),
    close: async () => {
      await sql.close();
      await orm.close(true);
    },
  };
}
