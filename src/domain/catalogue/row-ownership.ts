// Owns who may change a row that the installation shares: its administrators change the row itself; a workspace gets a copy of its own.
import type { Clock } from '../../kernel/clock.ts';
import { GatewayError, StorageError } from '../../kernel/errors.ts';
import type { NewId } from '../../kernel/ids.ts';
import { InputCheck } from '../../kernel/input-check.ts';
import type { CatalogueRepository, CatalogueRow } from '../../storage/repositories/catalogue.repository.ts';
import type {
  CatalogueWriteRepository,
  NewRow,
} from '../../storage/repositories/catalogue-write.repository.ts';
import type { Viewer } from '../identity/viewer.ts';

export type SharedTable = 'provider_spec' | 'model_spec';
/** Whether the row of the installation or of the workspace is made or changed; the default is the workspace's. */
export type RowOwner = 'INSTALLATION' | 'WORKSPACE';

export interface CatalogueDependencies {
  readonly reads: CatalogueRepository;
  readonly writes: CatalogueWriteRepository;
  readonly clock: Clock;
  readonly newId: NewId;
  /** Loads what was just written into this node's snapshots. */
  readonly refresh: () => Promise<void>;
}

/** The workspace id of a new row; null stands for the installation. Raises `FORBIDDEN`. */
export function ownerOfNew(viewer: Viewer, owner: RowOwner | undefined): string | null {
  if (owner !== 'INSTALLATION') return viewer.workspaceId;
  if (viewer.installationAdmin) return null;
  throw new GatewayError(
    'FORBIDDEN',
    'Only an administrator of the installation (an admin key of the workspace "default") may make rows that all workspaces see',
  );
}

/** True if the change goes to the row itself, false if it goes to a copy for the workspace. */
export function changesInPlace(
  viewer: Viewer,
  row: { readonly workspaceId?: string | null },
  owner: RowOwner | undefined,
): boolean {
  return row.workspaceId === viewer.workspaceId || (viewer.installationAdmin && owner !== 'WORKSPACE');
}

/**
 * Changes the row itself if it belongs to the workspace, or if it belongs to the installation and the viewer administers that. Otherwise it makes a copy
 * for the workspace, which hides the shared row from that workspace only. Administrators get a copy as well if they ask for `WORKSPACE`.
 */
export async function changeSharedRow<Table extends SharedTable>(
  needs: CatalogueDependencies,
  table: Table,
  viewer: Viewer,
  row: CatalogueRow<Table>,
  version: number,
  changes: Partial<CatalogueRow<Table>>,
  owner: RowOwner | undefined,
): Promise<CatalogueRow<Table>> {
  const now = needs.clock.now();
  requireVersion(row, version);
  if (changesInPlace(viewer, row, owner)) {
    const editedFields = [...new Set([...row.editedFields, ...Object.keys(changes)])].sort();
    const edited = row.origin === 'CUSTOM' ? {} : { editedFields };
    const changed = await needs.writes.update(
      table,
      row.id,
      version,
      {
        ...changes,
        ...edited,
        updatedAt: now,
      } as Partial<CatalogueRow<Table>>,
      viewer,
    );
    if (!changed) throw staleRow();
    return changed;
  }
  if (owner === 'INSTALLATION') ownerOfNew(viewer, owner);
  const copy = {
    ...plainOf(row),
    ...changes,
    id: needs.newId(),
    workspaceId: viewer.workspaceId,
    origin: 'CUSTOM',
    editedFields: [],
    createdAt: now,
    updatedAt: now,
  } as unknown as NewRow<Table>;
  try {
    return await needs.writes.insert(table, copy, viewer);
  } catch (error) {
    if (!(error instanceof StorageError) || error.kind !== 'conflict') throw error;
    throw new GatewayError(
      'CONFLICT',
      'id: your workspace has a row of its own by this name; change that one',
      {
        path: 'id',
        cause: error,
      },
    );
  }
}

/** Raises `FORBIDDEN` or `BAD_USER_INPUT` where the viewer may not delete the row. */
export function requireDeletable(
  viewer: Viewer,
  row: { readonly workspaceId?: string | null; readonly origin: string },
  instead: string,
): void {
  if (row.workspaceId !== viewer.workspaceId && !viewer.installationAdmin) {
    throw new GatewayError(
      'FORBIDDEN',
      'This row belongs to the installation; only its administrators may delete it. Change it to get a copy of your own',
    );
  }
  if (row.workspaceId == null && row.origin === 'BUILT_IN') {
    const check = new InputCheck();
    check.add('id', `a built-in row cannot be deleted, since it would come back; ${instead}`);
    check.raise();
  }
}

export function requireVersion(row: { readonly version: number }, version: number): void {
  if (row.version === version) return;
  throw new GatewayError(
    'CONFLICT',
    `version: the row has been changed since; its version is ${row.version}. Read it again and repeat your change`,
    { path: 'version' },
  );
}

export function staleRow(): GatewayError {
  return new GatewayError(
    'CONFLICT',
    'version: the row has been changed at this moment. Read it again and repeat your change',
    { path: 'version' },
  );
}

function plainOf<Row extends object>(row: Row): Row {
  // `canonicalId` of a model is made by the database; the copy begins with a version of its own.
  const { canonicalId: _canonicalId, version: _version, ...columns } = { ...row } as Record<string, unknown>;
  return columns as Row;
}
