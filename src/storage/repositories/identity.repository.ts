// Owns the statements of workspaces and API keys.
import type { SqlEntityManager } from '@mikro-orm/postgresql';
import { ApiKeyEntity } from '../entities/api-key.entity.ts';
import { WorkspaceEntity } from '../entities/workspace.entity.ts';
import { toStorageError } from '../errors.ts';

export type WorkspaceRow = Readonly<WorkspaceEntity>;
export type ApiKeyRow = Readonly<ApiKeyEntity>;

export class IdentityRepository {
  readonly #entities: () => SqlEntityManager;

  constructor(storage: { readonly entities: () => SqlEntityManager }) {
    this.#entities = storage.entities;
  }

  workspaces(): Promise<WorkspaceRow[]> {
    return this.#run((entities) => entities.findAll(WorkspaceEntity, { orderBy: { slug: 'asc' } }));
  }

  workspace(where: { id: string } | { slug: string }): Promise<WorkspaceRow | null> {
    return this.#run((entities) => entities.findOne(WorkspaceEntity, where));
  }

  async createWorkspace(row: Omit<WorkspaceRow, 'version'>): Promise<void> {
    await this.#run((entities) => entities.insert(WorkspaceEntity, { ...row, version: 1 }));
  }

  apiKeys(workspaceId: string): Promise<ApiKeyRow[]> {
    return this.#run((entities) =>
      entities.find(ApiKeyEntity, { workspaceId }, { orderBy: { createdAt: 'asc', id: 'asc' } }),
    );
  }

  apiKeyByHash(hash: string): Promise<ApiKeyRow | null> {
    return this.#run((entities) => entities.findOne(ApiKeyEntity, { hash }));
  }

  async createApiKey(row: ApiKeyRow): Promise<void> {
    await this.#run((entities) => entities.insert(ApiKeyEntity, { ...row }));
  }

  /** The key as it is now; `null` if the workspace has no such key. */
  revokeApiKey(workspaceId: string, id: string, at: Date): Promise<ApiKeyRow | null> {
    return this.#run(async (entities) => {
      const key = await entities.findOne(ApiKeyEntity, { id, workspaceId });
      if (key && !key.revokedAt) {
        key.revokedAt = at;
        key.updatedAt = at;
        await entities.flush();
      }
      return key;
    });
  }

  async #run<Result>(work: (entities: SqlEntityManager) => Promise<Result>): Promise<Result> {
    try {
      return await work(this.#entities());
    } catch (error) {
      throw toStorageError(error);
    }
  }
}
