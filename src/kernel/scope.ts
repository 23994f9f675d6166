// Owns the scopes: what a key, or the role of a member, may do.

/**
 * `admin` may do everything in its workspace; `catalogue` may change the catalogue; `run` may start completions and sees its own;
 * `read` sees everything of the workspace but changes nothing. Every scope may read the catalogue.
 */
export const SCOPES = ['admin', 'catalogue', 'run', 'read'] as const;
export type Scope = (typeof SCOPES)[number];

export function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text);
}
