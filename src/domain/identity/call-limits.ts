// Owns the limits that a key, a member or a workspace may have on its completions: their names, and what may be set.
import type { InputCheck } from '../../kernel/input-check.ts';
import type { StoredLimits } from '../../storage/entities/workspace.entity.ts';

/** Completions begun and tokens used within each window, and completions under way at the same time. A field that is left out sets no limit. */
export type CallLimits = StoredLimits;

export const LIMIT_NAMES = [
  'requestsPerMinute',
  'requestsPerHour',
  'requestsPerDay',
  'tokensPerMinute',
  'tokensPerHour',
  'tokensPerDay',
  'concurrentRuns',
] as const satisfies readonly (keyof CallLimits)[];

const MAX_LIMIT = 1_000_000_000;

export function checkLimits(check: InputCheck, limits: CallLimits | undefined): void {
  for (const name of LIMIT_NAMES) check.integer(`limits.${name}`, limits?.[name], 1, MAX_LIMIT);
}
