// Owns the viewer of a request (the workspace and caller that it comes from), and the one way to assert a permission.

import type { CallLimits } from '../../kernel/call-limits.ts';
import { GatewayError } from '../../kernel/errors.ts';
import type { Scope } from '../../kernel/scope.ts';

/** Slug of the workspace whose admin keys administer the installation. */
export const DEFAULT_WORKSPACE = 'default';

export interface Viewer {
  readonly workspaceId: string;
  /** The caller inside the workspace: `key:<api key id>` or `sub:<JWT subject>`. Runs and idempotency keys belong to it. */
  readonly caller: string;
  readonly scopes: ReadonlySet<Scope>;
  /** True for admin keys of the workspace `default`: they may change rows of the installation, and credit accounts. */
  readonly installationAdmin: boolean;
  /** Slugs, canonical ids, `<provider>/*` and `tag:<name>`; `undefined`: every model. */
  readonly allowedModels: ReadonlySet<string> | undefined;
  /** The caller's own limits, and those of its workspace as a whole. */
  readonly limits: CallLimits;
  readonly workspaceLimits: CallLimits;
}

export function hasScope(viewer: Viewer, ...anyOf: readonly Scope[]): boolean {
  return viewer.scopes.has('admin') || anyOf.some((scope) => viewer.scopes.has(scope));
}

/** Raises `FORBIDDEN` unless the viewer has one of the scopes. */
export function requireScope(viewer: Viewer, ...anyOf: readonly Scope[]): void {
  if (hasScope(viewer, ...anyOf)) return;
  const wanted = [...new Set(['admin', ...anyOf])].join('" or "');
  throw new GatewayError('FORBIDDEN', `This needs an API key with the scope "${wanted}"`);
}

/** Raises `FORBIDDEN` unless the viewer administers the installation. */
export function requireInstallationAdmin(viewer: Viewer): void {
  if (viewer.installationAdmin) return;
  throw new GatewayError(
    'FORBIDDEN',
    'This needs an administrator of the installation: an admin key of the workspace "default"',
  );
}
