// Owns who is asking: the viewer of a request, and the one way to assert a permission.
import { GatewayError } from '../../kernel/errors.ts';

/**
 * `admin` may do everything in its workspace; `catalogue` may change the catalogue; `run` may start completions and sees its own;
 * `read` sees everything of the workspace but changes nothing. Every scope may read the catalogue.
 */
export const SCOPES = ['admin', 'catalogue', 'run', 'read'] as const;
export type Scope = (typeof SCOPES)[number];

export interface Viewer {
  readonly workspaceId: string;
  /** Who inside the workspace: `key:<api key id>` or `sub:<JWT subject>`. Runs and idempotency keys belong to it. */
  readonly caller: string;
  readonly scopes: ReadonlySet<Scope>;
  /** An admin of the workspace `default`, who may change installation rows. */
  readonly installationAdmin: boolean;
}

export function hasScope(viewer: Viewer, ...anyOf: readonly Scope[]): boolean {
  return viewer.scopes.has('admin') || anyOf.some((scope) => viewer.scopes.has(scope));
}

/** Raises `FORBIDDEN` unless the viewer has one of the scopes. */
export function requireScope(viewer: Viewer, ...anyOf: readonly Scope[]): void {
  if (hasScope(viewer, ...anyOf)) return;
  const wanted = ['admin', ...anyOf.filter((scope) => scope !== 'admin')].join('" or "');
  throw new GatewayError('FORBIDDEN', `This needs an API key with the scope "${wanted}"`);
}
