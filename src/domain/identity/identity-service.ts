// Owns workspaces and API keys: who may make them, and that a key's text is seen once only.
import type { Clock } from '../../kernel/clock.ts';
import { GatewayError, StorageError } from '../../kernel/errors.ts';
import type { NewId } from '../../kernel/ids.ts';
import { isStorableText } from '../../kernel/text.ts';
import type {
  ApiKeyRow,
  IdentityRepository,
  WorkspaceRow,
} from '../../storage/repositories/identity.repository.ts';
import { hashApiKey, makeApiKey, prefixOfApiKey } from './api-keys.ts';
import { DEFAULT_WORKSPACE } from './authenticator.ts';
import { requireScope, SCOPES, type Scope, type Viewer } from './viewer.ts';

export type { ApiKeyRow, WorkspaceRow };

export interface IdentityServiceDependencies {
  readonly repository: IdentityRepository;
  readonly clock: Clock;
  readonly newId: NewId;
  /** Brings what was written into force on this node. */
  readonly refresh: () => Promise<void>;
}

export interface CreatedApiKey {
  readonly apiKey: ApiKeyRow;
  /** The key itself; never to be had again. */
  readonly secret: string;
}

export interface ApiKeyInput {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt?: Date;
  /** Another workspace than the viewer's; installation administrators only. */
  readonly workspaceId?: string;
}

const SLUG = /^[a-z0-9._-]{1,64}$/;
const MAX_NAME_LENGTH = 200;

export class IdentityService {
  readonly #needs: IdentityServiceDependencies;

  constructor(needs: IdentityServiceDependencies) {
    this.#needs = needs;
  }

  /** The viewer's own workspace; all of them for an installation administrator. */
  async workspaces(viewer: Viewer): Promise<WorkspaceRow[]> {
    if (viewer.installationAdmin) return this.#needs.repository.workspaces();
    const own = await this.#needs.repository.workspace({ id: viewer.workspaceId });
    return own ? [own] : [];
  }

  async createWorkspace(
    viewer: Viewer,
    input: { slug: string; displayName?: string },
  ): Promise<WorkspaceRow> {
    requireInstallationAdmin(viewer);
    if (!SLUG.test(input.slug)) refuse('slug', 'must be 1 to 64 of a-z, 0-9, ".", "_" and "-"');
    const displayName = checkName('displayName', input.displayName ?? input.slug);
    const now = this.#needs.clock.now();
    const workspace = {
      id: this.#needs.newId(),
      slug: input.slug,
      displayName,
      version: 1,
      createdAt: now,
      updatedAt: now,
    };
    try {
      await this.#needs.repository.createWorkspace(workspace);
    } catch (error) {
      if (!(error instanceof StorageError) || error.kind !== 'conflict') throw error;
      throw new GatewayError('CONFLICT', `slug: a workspace "${input.slug}" exists already`, {
        path: 'slug',
        cause: error,
      });
    }
    await this.#needs.refresh();
    return workspace;
  }

  async apiKeys(viewer: Viewer): Promise<ApiKeyRow[]> {
    requireScope(viewer, 'admin');
    return this.#needs.repository.apiKeys(viewer.workspaceId);
  }

  async createApiKey(viewer: Viewer, input: ApiKeyInput): Promise<CreatedApiKey> {
    requireScope(viewer, 'admin');
    const workspaceId = input.workspaceId ?? viewer.workspaceId;
    if (workspaceId !== viewer.workspaceId) requireInstallationAdmin(viewer);
    if (!(await this.#needs.repository.workspace({ id: workspaceId }))) {
      throw new GatewayError('NOT_FOUND', 'There is no such workspace', { path: 'workspaceId' });
    }
    if (input.scopes.length === 0) refuse('scopes', `name at least one of ${SCOPES.join(', ')}`);
    const now = this.#needs.clock.now();
    if (input.expiresAt && input.expiresAt <= now) refuse('expiresAt', 'must lie in the future');
    const created = this.#newKey(
      workspaceId,
      checkName('name', input.name),
      input.scopes,
      makeApiKey(),
      input.expiresAt,
    );
    await this.#needs.repository.createApiKey(created.apiKey);
    await this.#needs.refresh();
    return created;
  }

  /** The key, now useless; `NOT_FOUND` if the workspace has no such key. Revoking twice changes nothing. */
  async revokeApiKey(viewer: Viewer, id: string): Promise<ApiKeyRow> {
    requireScope(viewer, 'admin');
    const key = await this.#needs.repository.revokeApiKey(viewer.workspaceId, id, this.#needs.clock.now());
    if (!key) throw new GatewayError('NOT_FOUND', 'There is no such API key');
    await this.#needs.refresh();
    return key;
  }

  /** At start: the workspace `default`, and the administrator's key that the operator gave or that was generated. */
  async bootstrap(secret: string): Promise<void> {
    const { repository, clock, newId } = this.#needs;
    const now = clock.now();
    if (!(await repository.workspace({ slug: DEFAULT_WORKSPACE }))) {
      const row = {
        id: newId(),
        slug: DEFAULT_WORKSPACE,
        displayName: 'Default',
        createdAt: now,
        updatedAt: now,
      };
      // Two nodes may start at once on an empty database; the second finds the first one's row.
      await repository.createWorkspace(row).catch(ignoreConflict);
    }
    if (await repository.apiKeyByHash(hashApiKey(secret))) return;
    const workspace = await repository.workspace({ slug: DEFAULT_WORKSPACE });
    if (!workspace) throw new GatewayError('STORAGE_UNAVAILABLE', 'The default workspace could not be made');
    const { apiKey } = this.#newKey(workspace.id, 'Bootstrap', ['admin'], secret);
    await repository.createApiKey(apiKey).catch(ignoreConflict);
  }

  /** There from the first start on. */
  async defaultWorkspaceId(): Promise<string> {
    const workspace = await this.#needs.repository.workspace({ slug: DEFAULT_WORKSPACE });
    if (!workspace) throw new GatewayError('STORAGE_UNAVAILABLE', 'The default workspace is missing');
    return workspace.id;
  }

  #newKey(
    workspaceId: string,
    name: string,
    scopes: readonly Scope[],
    secret: string,
    expiresAt?: Date,
  ): CreatedApiKey {
    const now = this.#needs.clock.now();
    const apiKey = {
      id: this.#needs.newId(),
      workspaceId,
      name,
      prefix: prefixOfApiKey(secret),
      hash: hashApiKey(secret),
      scopes: [...scopes],
      expiresAt: expiresAt ?? null,
      revokedAt: null,
      createdAt: now,
      updatedAt: now,
    };
    return { apiKey, secret };
  }
}

function requireInstallationAdmin(viewer: Viewer): void {
  if (viewer.installationAdmin) return;
  throw new GatewayError(
    'FORBIDDEN',
    'This needs an administrator of the installation: an admin key of the workspace "default"',
  );
}

function checkName(path: string, name: string): string {
  const trimmed = name.trim();
  if (trimmed === '' || trimmed.length > MAX_NAME_LENGTH || !isStorableText(trimmed)) {
    refuse(path, `must have 1 to ${MAX_NAME_LENGTH} characters`);
  }
  return trimmed;
}

function refuse(path: string, message: string): never {
  throw new GatewayError('BAD_USER_INPUT', `${path}: ${message}`, { path });
}

function ignoreConflict(error: unknown): void {
  if (!(error instanceof StorageError) || error.kind !== 'conflict') throw error;
}
