// Owns the rules on time limits and retries, which configs and instances share.

import type { InputCheck } from '../../kernel/input-check.ts';
import type { RetryPolicy, TimeLimits } from '../../storage/entities/provider-config.entity.ts';

const MAX_LIMIT_MS = 86_400_000;
const NAMES = ['connectMs', 'firstTokenMs', 'betweenTokensMs', 'totalMs'] as const;
/** The most attempts of a run, whatever the caller, the config or the instance asks for. */
export const MOST_ATTEMPTS = 10;

export function checkTimeLimits(check: InputCheck, limits: TimeLimits | undefined): void {
  for (const name of NAMES) check.integer(`timeLimits.${name}`, limits?.[name], 1, MAX_LIMIT_MS);
}

export function checkRetryPolicy(check: InputCheck, policy: RetryPolicy | undefined): void {
  check.integer('retryPolicy.maxAttempts', policy?.maxAttempts, 1, MOST_ATTEMPTS);
}
