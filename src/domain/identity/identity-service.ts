// Owns workspaces and their members: who may make and change them, and the workspace and key that the first start makes.

import type { CallLimits } from '../../kernel/call-limits.ts';
import type { Clock } from '../../kernel/clock.ts';
import { GatewayError, StorageError } from '../../kernel/errors.ts';
import type { NewId } from '../../kernel/ids.ts';
import { definedOf, InputCheck, type Patch } from '../../kernel/input-check.ts';
import type {
  IdentityRepository,
  MemberRow,
  WorkspaceRow,
} from '../../storage/repositories/identity.repository.ts';
import { checkAllowedModels } from './allowed-models.ts';
import { newApiKeyRow } from './api-key-service.ts';
import { hashApiKey } from './api-keys.ts';
import { checkLimits } from './call-limits.ts';
import { DEFAULT_WORKSPACE, requireInstallationAdmin, requireScope, type Viewer } from './viewer.ts';

export type { MemberRow, WorkspaceRow };

export interface IdentityServiceDependencies {
  readonly repository: IdentityRepository;
  readonly clock: Clock;
  readonly newId: NewId;
  /** Loads what was just written into this node's snapshots. */
  readonly refresh: () => Promise<void>;
}

export interface WorkspaceFields {
  readonly displayName: string;
  /** Limits of all callers of the workspace together; only administrators of the installation may set them. */
  readonly limits: CallLimits;
  readonly contentRetentionDays: number;
}

export interface MemberFields {
  /** Slugs, canonical ids, `<provider>/*` and `tag:<name>`; empty: every model. */
  readonly allowedModels: readonly string[];
  readonly limits: CallLimits;
}

const SLUG = /^[a-z0-9._-]{1,64}$/;
const MAX_NAME_LENGTH = 200;
const MAX_SUBJECT_LENGTH = 255;
const DEFAULT_RETENTION_DAYS = 30;
const MAX_RETENTION_DAYS = 36_500;

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
    fields: Patch<WorkspaceFields> & { readonly slug: string },
  ): Promise<WorkspaceRow> {
    requireInstallationAdmin(viewer);
    const { slug, displayName = slug } = fields;
    const check = new InputCheck();
    if (!SLUG.test(slug)) check.add('slug', 'must be 1 to 64 of a-z, 0-9, ".", "_" and "-"');
    checkWorkspace(check, { ...fields, displayName });
    check.raise();
    const workspace = this.#newWorkspace(slug, { ...fields, displayName });
    try {
      await this.#needs.repository.createWorkspace(workspace, viewer);
    } catch (error) {
      if (!(error instanceof StorageError) || error.kind !== 'conflict') throw error;
      throw new GatewayError('CONFLICT', `slug: a workspace "${slug}" exists already`, {
        path: 'slug',
        cause: error,
      });
    }
    await this.#needs.refresh();
    return workspace;
  }

  /** Raises `BAD_USER_INPUT` with every problem. Another workspace is `NOT_FOUND`, except for administrators of the installation. */
  async updateWorkspace(viewer: Viewer, id: string, patch: Patch<WorkspaceFields>): Promise<WorkspaceRow> {
    requireScope(viewer, 'admin');
    const mayChange = id === viewer.workspaceId || viewer.installationAdmin;
    if (mayChange && patch.limits !== undefined) requireInstallationAdmin(viewer);
    const check = new InputCheck();
    checkWorkspace(check, patch);
    check.raise();
    const changes = { ...definedOf(patch), updatedAt: this.#needs.clock.now() } as Partial<WorkspaceRow>;
    const changed = mayChange && (await this.#needs.repository.updateWorkspace(id, changes, viewer));
    if (!changed) throw new GatewayError('NOT_FOUND', 'There is no such workspace', { path: 'id' });
    await this.#needs.refresh();
    return changed;
  }

  /** The members for whom limits or models were set, ordered by subject. */
  async members(viewer: Viewer): Promise<MemberRow[]> {
    requireScope(viewer, 'admin');
    return this.#needs.repository.members(viewer.workspaceId);
  }

  /** Sets what holds for a JWT's subject from now on, even if it has never signed in. */
  async setMember(viewer: Viewer, subject: string, fields: Patch<MemberFields>): Promise<MemberRow> {
    requireScope(viewer, 'admin');
    const check = new InputCheck();
    check.text('subject', subject, MAX_SUBJECT_LENGTH);
    checkAllowedModels(check, fields.allowedModels);
    checkLimits(check, fields.limits);
    check.raise();
    const now = this.#needs.clock.now();
    const row = {
      id: this.#needs.newId(),
      workspaceId: viewer.workspaceId,
      subject,
      allowedModels: [...(fields.allowedModels ?? [])],
      limits: fields.limits ?? {},
      createdAt: now,
      updatedAt: now,
    };
    const member = await this.#needs.repository.setMember(row, viewer);
    await this.#needs.refresh();
    return member;
  }

  /**
   * Called at start: makes the workspace `default` and the administrator's key, given by the operator or generated. False if that key was revoked or
   * rotated: it stays so, and the operator must be told that it does not work.
   */
  async bootstrap(secret: string): Promise<boolean> {
    const { repository } = this.#needs;
    if (!(await repository.workspace({ slug: DEFAULT_WORKSPACE }))) {
      // Two nodes may start at once on an empty database; the second finds the first one's row.
      const row = this.#newWorkspace(DEFAULT_WORKSPACE, { displayName: 'Default' });
      await repository.createWorkspace(row).catch(ignoreConflict);
    }
    const state = await repository.apiKeyState(hashApiKey(secret));
    if (state !== 'unknown') return state === 'current';
    const id = await this.defaultWorkspaceId();
    const apiKey = newApiKeyRow(this.#needs, id, { name: 'Bootstrap', scopes: ['admin'] }, secret);
    await repository.createApiKey(apiKey).catch(ignoreConflict);
    return true;
  }

  /** Id of the workspace `default`, which the first start makes. */
  async defaultWorkspaceId(): Promise<string> {
    const workspace = await this.#needs.repository.workspace({ slug: DEFAULT_WORKSPACE });
    if (!workspace) throw new GatewayError('STORAGE_UNAVAILABLE', 'The default workspace is missing');
    return workspace.id;
  }

  #newWorkspace(
    slug: string,
    fields: Patch<WorkspaceFields> & Pick<WorkspaceFields, 'displayName'>,
  ): WorkspaceRow {
    const now = this.#needs.clock.now();
    return {
      id: this.#needs.newId(),
      slug,
      displayName: fields.displayName.trim(),
      limits: fields.limits ?? {},
      contentRetentionDays: fields.contentRetentionDays ?? DEFAULT_RETENTION_DAYS,
      version: 1,
      createdAt: now,
      updatedAt: now,
    };
  }
}

function checkWorkspace(check: InputCheck, fields: Patch<WorkspaceFields>): void {
  check.text('displayName', fields.displayName, MAX_NAME_LENGTH);
  checkLimits(check, fields.limits);
  check.integer('contentRetentionDays', fields.contentRetentionDays, 0, MAX_RETENTION_DAYS);
}

function ignoreConflict(error: unknown): void {
  if (!(error instanceof StorageError) || error.kind !== 'conflict') throw error;
}
