// Owns who may say what a completion costs.
import { GatewayError } from '../../kernel/errors.ts';
import { hasScope, type Viewer } from '../identity/viewer.ts';

export interface PriceRules {
  /** Whether completions of the workspace are paid for: by its account, or from a budget. */
  readonly holdsMoney: (workspaceId: string) => boolean;
}

/** Raises `FORBIDDEN`: where completions are paid for, whoever makes them cheaper spends what an administrator allowed. */
export function requireMayPrice({ holdsMoney }: PriceRules, viewer: Viewer, path: string): void {
  if (hasScope(viewer) || !holdsMoney(viewer.workspaceId)) return;
  throw new GatewayError(
    'FORBIDDEN',
    `${path}: needs an API key with the scope "admin", since completions of this workspace are paid for (BILLING is on, or a budget is set)`,
    { path },
  );
}
