// Owns the form of the entries in a key's or member's list of allowed models.
import type { InputCheck } from '../../kernel/input-check.ts';

/** A slug or `tag:<name>`, a canonical id, or every model of a provider. */
const ENTRY = /^(tag:)?[a-z0-9][a-z0-9._-]{0,63}$|^[a-z0-9][a-z0-9._-]{0,63}\/(\*|[^\s*]{1,255})$/;
const MAX_ENTRIES = 500;

export function checkAllowedModels(check: InputCheck, entries: readonly string[] | undefined): void {
  if (entries === undefined) return;
  if (entries.length > MAX_ENTRIES) check.add('allowedModels', `at most ${MAX_ENTRIES} are taken`);
  for (const [index, entry] of entries.entries()) {
    if (ENTRY.test(entry)) continue;
    check.add(
      `allowedModels.${index}`,
      'must be a slug, a canonical id, "<provider>/*", or "tag:<name>", e.g. "openai/*"',
    );
  }
}
