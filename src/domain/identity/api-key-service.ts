// Owns API keys: who may make, change, rotate and revoke them. The text of a key is shown once, when it is made or rotated.

import type { CallLimits } from '../../kernel/call-limits.ts';
import type { Clock } from '../../kernel/clock.ts';
import { GatewayError } from '../../kernel/errors.ts';
import type { NewId } from '../../kernel/ids.ts';
import { definedOf, InputCheck, type Patch } from '../../kernel/input-check.ts';
import { SCOPES, type Scope } from '../../kernel/scope.ts';
import type { ApiKeyRow, IdentityRepository } from '../../storage/repositories/identity.repository.ts';
import { checkAllowedModels } from './allowed-models.ts';
import { hashApiKey, makeApiKey, prefixOfApiKey } from './api-keys.ts';
import { checkLimits } from './call-limits.ts';
import { DEFAULT_WORKSPACE, requireInstallationAdmin, requireScope, type Viewer } from './viewer.ts';

export type { ApiKeyRow };

export interface ApiKeyServiceDependencies {
  readonly repository: IdentityRepository;
  readonly clock: Clock;
  readonly newId: NewId;
  /** Loads what was just written into this node's snapshots. */
  readonly refresh: () => Promise<void>;
}

export interface CreatedApiKey {
  readonly apiKey: ApiKeyRow;
  /** The text of the key; it cannot be read again later. */
  readonly secret: string;
}

export interface ApiKeyFields {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Slugs, canonical ids, `<provider>/*` and `tag:<name>`; empty: every model. */
  readonly allowedModels: readonly string[];
  readonly limits: CallLimits;
  readonly expiresAt: Date | null;
}

const MAX_NAME_LENGTH = 200;
const MAX_OVERLAP_SECONDS = 30 * 86_400;

export class ApiKeyService {
  readonly #needs: ApiKeyServiceDependencies;

  constructor(needs: ApiKeyServiceDependencies) {
    this.#needs = needs;
  }

  async list(viewer: Viewer): Promise<ApiKeyRow[]> {
    requireScope(viewer, 'admin');
    return this.#needs.repository.apiKeys(viewer.workspaceId);
  }

  /** When each key was last used, by key id. A use shows up to some seconds late, since uses are written at intervals. */
  lastUses(ids: readonly string[]): Promise<ReadonlyMap<string, Date>> {
    return this.#needs.repository.keyUses(ids);
  }

  /** Only administrators of the installation may make a key in another workspace than their own. */
  async create(
    viewer: Viewer,
    fields: Patch<ApiKeyFields> & Pick<ApiKeyFields, 'name' | 'scopes'>,
    workspaceId = viewer.workspaceId,
  ): Promise<CreatedApiKey> {
    requireScope(viewer, 'admin');
    if (workspaceId !== viewer.workspaceId) requireInstallationAdmin(viewer);
    this.#check(fields);
    if (!(await this.#needs.repository.workspace({ id: workspaceId }))) {
      throw new GatewayError('NOT_FOUND', 'There is no such workspace', { path: 'workspaceId' });
    }
    await this.#requireReach(viewer, workspaceId, fields.scopes);
    const secret = makeApiKey();
    const apiKey = newApiKeyRow(this.#needs, workspaceId, fields, secret);
    await this.#needs.repository.createApiKey(apiKey, viewer);
    await this.#needs.refresh();
    return { apiKey, secret };
  }

  /** Raises `BAD_USER_INPUT` with every problem, or `NOT_FOUND`. The key keeps its text and its completions. */
  async update(viewer: Viewer, id: string, patch: Patch<ApiKeyFields>): Promise<ApiKeyRow> {
    requireScope(viewer, 'admin');
    this.#check(patch);
    await this.#requireReach(viewer, viewer.workspaceId, patch.scopes);
    return this.#change(viewer, id, () => definedOf({ ...patch, name: patch.name?.trim() }) as never);
  }

  /** Gives the same key a new text; the old text stays valid for `overlapSeconds`. `CONFLICT` if the key was revoked. */
  async rotate(viewer: Viewer, id: string, overlapSeconds: number): Promise<CreatedApiKey> {
    requireScope(viewer, 'admin');
    const check = new InputCheck();
    check.integer('overlapSeconds', overlapSeconds, 0, MAX_OVERLAP_SECONDS);
    check.raise();
    const secret = makeApiKey();
    const now = this.#needs.clock.now();
    const apiKey = await this.#change(viewer, id, (key) => {
      if (key.revokedAt) {
        throw new GatewayError('CONFLICT', 'id: this key was revoked; make a new one', { path: 'id' });
      }
      return {
        hash: hashApiKey(secret),
        prefix: prefixOfApiKey(secret),
        previousHash: key.hash,
        previousExpiresAt: new Date(now.getTime() + overlapSeconds * 1_000),
        rotatedAt: now,
      };
    });
    return { apiKey, secret };
  }

  /** Gives the revoked key; `NOT_FOUND` if the workspace has no such key. Revoking a second time changes nothing. */
  async revoke(viewer: Viewer, id: string): Promise<ApiKeyRow> {
    requireScope(viewer, 'admin');
    return this.#change(viewer, id, (key) => (key.revokedAt ? {} : { revokedAt: this.#needs.clock.now() }));
  }

  async #change(
    viewer: Viewer,
    id: string,
    change: (key: ApiKeyRow) => Partial<ApiKeyRow>,
  ): Promise<ApiKeyRow> {
    const isInstallations = await this.#administersInstallation(viewer.workspaceId);
    const stamped = (key: ApiKeyRow) => {
      if (isInstallations && key.scopes.includes('admin')) requireInstallationAdmin(viewer);
      const changes = change(key);
      return Object.keys(changes).length === 0 ? changes : { ...changes, updatedAt: this.#needs.clock.now() };
    };
    const key = await this.#needs.repository.changeApiKey(viewer.workspaceId, id, stamped, viewer);
    if (!key) throw new GatewayError('NOT_FOUND', 'There is no such API key', { path: 'id' });
    await this.#needs.refresh();
    return key;
  }

  /** Raises `FORBIDDEN` if keys with these scopes would administer the installation and the viewer, an administrator by token, does not. */
  async #requireReach(
    viewer: Viewer,
    workspaceId: string,
    scopes: readonly Scope[] | undefined,
  ): Promise<void> {
    if (!scopes?.includes('admin') || viewer.installationAdmin) return;
    if (await this.#administersInstallation(workspaceId)) requireInstallationAdmin(viewer);
  }

  /** True for the workspace `default`: its keys with the scope `admin` administer the installation. */
  async #administersInstallation(workspaceId: string): Promise<boolean> {
    const workspace = await this.#needs.repository.workspace({ slug: DEFAULT_WORKSPACE });
    return workspace?.id === workspaceId;
  }

  #check(fields: Patch<ApiKeyFields>): void {
    const check = new InputCheck();
    check.text('name', fields.name, MAX_NAME_LENGTH);
    check.allOf('scopes', fields.scopes, SCOPES, 1);
    checkAllowedModels(check, fields.allowedModels);
    checkLimits(check, fields.limits);
    if (fields.expiresAt && fields.expiresAt <= this.#needs.clock.now()) {
      check.add('expiresAt', 'must lie in the future');
    }
    check.raise();
  }
}

export function newApiKeyRow(
  { newId, clock }: Pick<ApiKeyServiceDependencies, 'newId' | 'clock'>,
  workspaceId: string,
  fields: Patch<ApiKeyFields> & Pick<ApiKeyFields, 'name' | 'scopes'>,
  secret: string,
): ApiKeyRow {
  const now = clock.now();
  return {
    id: newId(),
    workspaceId,
    name: fields.name.trim(),
    prefix: prefixOfApiKey(secret),
    hash: hashApiKey(secret),
    scopes: [...new Set(fields.scopes)],
    allowedModels: [...(fields.allowedModels ?? [])],
    limits: fields.limits ?? {},
    expiresAt: fields.expiresAt ?? null,
    revokedAt: null,
    previousHash: null,
    previousExpiresAt: null,
    rotatedAt: null,
    createdAt: now,
    updatedAt: now,
  };
}
