// Owns what may be set as a limit of a key, a member or a workspace.
import { type CallLimits, LIMIT_NAMES } from '../../kernel/call-limits.ts';
import type { InputCheck } from '../../kernel/input-check.ts';

const MAX_LIMIT = 1_000_000_000;

export function checkLimits(check: InputCheck, limits: CallLimits | undefined): void {
  for (const name of LIMIT_NAMES) check.integer(`limits.${name}`, limits?.[name], 1, MAX_LIMIT);
}
