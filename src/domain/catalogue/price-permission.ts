// Owns who may set the price of a completion.
import { GatewayError } from '../../kernel/errors.ts';
import { hasScope, type Viewer } from '../identity/viewer.ts';

export interface PriceRules {
  /** True if completions of the workspace are paid for, by its account or from a budget. */
  readonly holdsMoney: (workspaceId: string) => boolean;
}

/**
 * Raises `FORBIDDEN` for viewers who are not administrators if completions are paid for: a lower price would let them use more than an administrator has
 * allowed.
 */
export function requireMayPrice({ holdsMoney }: PriceRules, viewer: Viewer, path: string): void {
  if (hasScope(viewer) || !holdsMoney(viewer.workspaceId)) return;
  throw new GatewayError(
    'FORBIDDEN',
    `${path}: needs an API key with the scope "admin", since completions of this workspace are paid for (BILLING is on, or a budget is set)`,
    { path },
  );
}
