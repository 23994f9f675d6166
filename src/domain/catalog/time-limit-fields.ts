// Owns the rules on time limits, which configs and instances share.
import type { TimeLimits } from '../../storage/entities/provider-config.entity.ts';
import type { InputCheck } from './input-check.ts';

const MAX_LIMIT_MS = 86_400_000;
const NAMES = ['connectMs', 'firstTokenMs', 'betweenTokensMs', 'totalMs'] as const;

export function checkTimeLimits(check: InputCheck, limits: TimeLimits | undefined): void {
  for (const name of NAMES) check.integer(`timeLimits.${name}`, limits?.[name], 1, MAX_LIMIT_MS);
}
