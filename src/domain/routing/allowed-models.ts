// Owns which candidates a caller with a list of allowed models may use.
import type { Refusal } from './candidate-state.ts';
import type { Candidate } from './candidates.ts';

export const NOT_ALLOWED: Refusal = {
  code: 'NOT_ALLOWED',
  reason: 'Your key may not use it; `viewer { allowedModels }` lists what it may',
};

/** True if the list names the candidate's slug, its model, any of its tags, or its whole provider. */
export function mayUse({ instance, canonicalId, config }: Candidate, allowed: ReadonlySet<string>): boolean {
  return (
    allowed.has(canonicalId) ||
    allowed.has(`${config.providerKey}/*`) ||
    (instance !== undefined &&
      (allowed.has(instance.slug) || instance.tags.some((tag) => allowed.has(`tag:${tag}`))))
  );
}
