// Owns the statements of workspaces, API keys and members.
import { LockMode } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/postgresql';
import { StorageError } from '../../kernel/errors.ts';
import { type Actor, writeAs } from '../acting.ts';
import { ApiKeyEntity } from '../entities/api-key.entity.ts';
import { MemberEntity } from '../entities/member.entity.ts';
import { WorkspaceEntity } from '../entities/workspace.entity.ts';
import type { SqlClient } from '../sql.ts';

export type WorkspaceRow = Readonly<WorkspaceEntity>;
export type ApiKeyRow = Readonly<ApiKeyEntity>;
export type MemberRow = Readonly<MemberEntity>;

const SAVE_KEY_USES = {
  name: 'save-key-uses',
  text: `insert into api_key_use (key_id, last_used_at)
         select used.id, used.at from jsonb_to_recordset($1::jsonb) as used (id uuid, at timestamptz)
         where exists (select from api_key where api_key.id = used.id) order by used.id
         on conflict (key_id) do update set last_used_at = greatest(api_key_use.last_used_at, excluded.last_used_at)`,
};
const KEY_USES = {
  name: 'key-uses',
  text: 'select key_id, last_used_at::text from api_key_use where key_id = any($1::uuid[])',
};

const KEY_STATE = {
  name: 'api-key-state',
  text: `select case when revoked_at is null then 'current' else 'retired' end as state from api_key where hash = $1
         union all select 'retired' from retired_api_key where hash = $1 limit 1`,
};
/** Locks the row, so that changes of one row happen one after the other. */
const LOCKED = { lockMode: LockMode.PESSIMISTIC_WRITE } as const;

export class IdentityRepository {
  readonly #sql: SqlClient;
  readonly #entities: () => SqlEntityManager;

  constructor(storage: { readonly sql: SqlClient; readonly entities: () => SqlEntityManager }) {
    this.#sql = storage.sql;
    this.#entities = storage.entities;
  }

  workspaces(): Promise<WorkspaceRow[]> {
    return this.#run((entities) => entities.findAll(WorkspaceEntity, { orderBy: { slug: 'asc' } }));
  }

  workspace(where: { id: string } | { slug: string }): Promise<WorkspaceRow | null> {
    return this.#run((entities) => entities.findOne(WorkspaceEntity, where));
  }

  async createWorkspace(row: Omit<WorkspaceRow, 'version'>, actor?: Actor): Promise<void> {
    await this.#run((entities) => entities.insert(WorkspaceEntity, { ...row, version: 1 }), actor);
  }

  /** `null` if there is no such workspace. */
  updateWorkspace(id: string, changes: Partial<WorkspaceRow>, actor: Actor): Promise<WorkspaceRow | null> {
    return this.#run(async (entities) => {
      const workspace = await entities.findOne(WorkspaceEntity, { id }, LOCKED);
      if (!workspace) return null;
      Object.assign(workspace, changes);
      await entities.flush();
      return workspace;
    }, actor);
  }

  apiKeys(workspaceId: string): Promise<ApiKeyRow[]> {
    return this.#run((entities) =>
      entities.find(ApiKeyEntity, { workspaceId }, { orderBy: { createdAt: 'asc', id: 'asc' } }),
    );
  }

  /** The state of a key's text: `unknown` if no key ever had it, `retired` if its key was revoked, rotated or deleted since. */
  async apiKeyState(hash: string): Promise<'unknown' | 'current' | 'retired'> {
    const [row] = await this.#sql.query<{ state: 'current' | 'retired' }>(KEY_STATE, [hash]);
    return row?.state ?? 'unknown';
  }

  async createApiKey(row: ApiKeyRow, actor?: Actor): Promise<void> {
    await this.#run((entities) => entities.insert(ApiKeyEntity, { ...row }), actor);
  }

  /** The key as `change` has left it; `null` if the workspace has no such key. */
  changeApiKey(
    workspaceId: string,
    id: string,
    change: (key: ApiKeyRow) => Partial<ApiKeyRow>,
    actor: Actor,
  ): Promise<ApiKeyRow | null> {
    return this.#run(async (entities) => {
      const key = await entities.findOne(ApiKeyEntity, { id, workspaceId }, LOCKED);
      if (!key) return null;
      Object.assign(key, change(key));
      await entities.flush();
      return key;
    }, actor);
  }

  async saveKeyUses(uses: readonly { readonly id: string; readonly at: Date }[]): Promise<void> {
    await this.#sql.query(SAVE_KEY_USES, [JSON.stringify(uses)]);
  }

  /** By key id; a key that was never used is absent. */
  async keyUses(ids: readonly string[]): Promise<ReadonlyMap<string, Date>> {
    const rows = await this.#sql.query<{ key_id: string; last_used_at: string }>(KEY_USES, [ids]);
    return new Map(rows.map((row) => [row.key_id, new Date(row.last_used_at)]));
  }

  members(workspaceId: string): Promise<MemberRow[]> {
    return this.#run((entities) =>
      entities.find(MemberEntity, { workspaceId }, { orderBy: { subject: 'asc' } }),
    );
  }

  /** Creates the member, or changes it if it exists. */
  async setMember(row: MemberRow, actor: Actor): Promise<MemberRow> {
    const set = () => this.#setMember(row, actor);
    return set().catch((error: unknown) => {
      // Another caller has created the member at this moment, so now it can be changed.
      if (error instanceof StorageError && error.kind === 'conflict') return set();
      throw error;
    });
  }

  #setMember(row: MemberRow, actor: Actor): Promise<MemberRow> {
    return this.#run(async (entities) => {
      const { workspaceId, subject, allowedModels, limits, updatedAt } = row;
      const known = await entities.findOne(MemberEntity, { workspaceId, subject });
      if (known) Object.assign(known, { allowedModels, limits, updatedAt });
      else await entities.insert(MemberEntity, { ...row });
      await entities.flush();
      return known ?? row;
    }, actor);
  }

  #run<Result>(work: (entities: SqlEntityManager) => Promise<Result>, actor?: Actor): Promise<Result> {
    return writeAs(this.#entities(), actor, work);
  }
}
