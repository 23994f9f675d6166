// Owns the two databases that the ORM can use, embedded and PostgreSQL.
import { MikroORM as PgliteOrm } from '@mikro-orm/pglite';
import { MikroORM as PostgresOrm, type SqlEntityManager } from '@mikro-orm/postgresql';
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
import { updateSchema } from './schema-update.ts';
import { connectionOptions, createPostgresSqlClient, type SqlClient } from './sql.ts';

export interface StorageOptions {
  /** URL of PostgreSQL; absent: the embedded database in `dataDir`. */
  readonly databaseUrl?: string;
  /** Folder of the embedded database, or `memory://`. */
  readonly dataDir: string;
  readonly connections: number;
  readonly acquireTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly applicationName: string;
  /** Logs when the embedded database stops, and when it is open again. */
  readonly logger?: Logger;
  /** Called with each SQL text that the ORM runs. */
  readonly onStatement?: (sql: string) => void;
}

export interface Storage {
  readonly kind: 'embedded' | 'postgresql';
  /** A new unit of work; never shared between requests. */
  entities(): SqlEntityManager;
  readonly sql: SqlClient;
  /** Brings the database's migrations and functions up to date; gives the names of those that had to be applied. Raises `StartError`. */
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

export async function openStorage(options: StorageOptions): Promise<Storage> {
  return options.databaseUrl === undefined
    ? openEmbedded(options)
    : openPostgres(options, options.databaseUrl);
}

function commonOptions(options: StorageOptions) {
  return {
    entities: ENTITIES,
    metadataCache: { enabled: false },
    forceUtcTimezone: true,
    discovery: { checkDuplicateTableNames: false },
    debug: options.onStatement ? ['query' as const] : false,
    ...(options.onStatement ? { logger: options.onStatement } : {}),
  };
}

async function openEmbedded(options: StorageOptions): Promise<Storage> {
  const client = await PgliteClient.open(options.dataDir, options.logger);
  const orm = await PgliteOrm.init({ ...commonOptions(options), driverOptions: { pglite: () => client } });
  const entities = () => orm.em.fork() as unknown as SqlEntityManager;
  return {
    kind: 'embedded',
    entities,
    sql: client,
    migrate: () => updateSchema({ sql: client, entities }),
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
  const entities = () => orm.em.fork();
  return {
    kind: 'postgresql',
    entities,
    sql,
    migrate: () => updateSchema({ sql, entities }),
    close: async () => {
      await sql.close();
      await orm.close(true);
    },
  };
}
