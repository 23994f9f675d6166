// Owns sign-in by API key: the keys of the installation in memory, and the viewer that a key stands for.
import type { Clock } from '../../kernel/clock.ts';
import { GatewayError } from '../../kernel/errors.ts';
import type {
  SnapshotRepository,
  SnapshotRow,
  SnapshotTable,
} from '../../storage/repositories/snapshot.repository.ts';
import { hashApiKey } from './api-keys.ts';
import { SCOPES, type Scope, type Viewer } from './viewer.ts';

export const DEFAULT_WORKSPACE = 'default';

interface KnownKey {
  readonly viewer: Viewer;
  readonly expiresAtMs: number;
  readonly revokedAtMs: number;
}

export class Authenticator {
  readonly #repository: SnapshotRepository;
  readonly #clock: Clock;
  #keys = new Map<string, KnownKey>();

  constructor(repository: SnapshotRepository, clock: Clock) {
    this.#repository = repository;
    this.#clock = clock;
  }

  async reload(changed: ReadonlySet<SnapshotTable>): Promise<void> {
    if (!changed.has('api_key') && !changed.has('workspace')) return;
    const [workspaces, keys] = await Promise.all([
      this.#repository.rows('workspace'),
      this.#repository.rows('api_key'),
    ]);
    const slugs = new Map(workspaces.map((workspace) => [workspace.id, workspace.slug]));
    this.#keys = new Map(
      keys.map((key) => [
        key.hash,
        {
          viewer: viewerOfKey(key, slugs.get(key.workspaceId) === DEFAULT_WORKSPACE),
          expiresAtMs: key.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY,
          revokedAtMs: key.revokedAt?.getTime() ?? Number.POSITIVE_INFINITY,
        },
      ]),
    );
  }

  /** The viewer of an `Authorization` value (`Bearer <key>`, or the bare key). Raises `UNAUTHENTICATED`. */
  authenticate(authorization: string | undefined): Viewer {
    const key = authorization?.replace(/^Bearer\s+/i, '').trim();
    if (!key) {
      throw new GatewayError('UNAUTHENTICATED', 'An API key is required: send "Authorization: Bearer <key>"');
    }
    const known = this.#keys.get(hashApiKey(key));
    const now = this.#clock.now().getTime();
    if (!known || known.revokedAtMs <= now) {
      throw new GatewayError('UNAUTHENTICATED', 'This API key is unknown or was revoked');
    }
    if (known.expiresAtMs <= now) throw new GatewayError('UNAUTHENTICATED', 'This API key has expired');
    return known.viewer;
  }
}

function viewerOfKey(key: SnapshotRow<'api_key'>, ofDefaultWorkspace: boolean): Viewer {
  const scopes = new Set(key.scopes.filter((scope): scope is Scope => SCOPES.includes(scope as Scope)));
  return {
    workspaceId: key.workspaceId,
    caller: `key:${key.id}`,
    scopes,
    installationAdmin: ofDefaultWorkspace && scopes.has('admin'),
  };
}
