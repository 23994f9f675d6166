// Owns the rules for requests of every kind: the model's name, routing, the idempotency key and the caller's metadata.
import { MOST_ATTEMPTS } from '../catalogue/time-limit-fields.ts';
import { checkJson, checkNumber, checkText, refuse } from './request-checks.ts';
import type { RoutingOptions, RunRequest } from './run-request.ts';

const MAX_NAME_LENGTH = 512;
const MAX_KEY_LENGTH = 255;
const MAX_TOTAL_MS = 86_400_000;
const MAX_PATIENCE_MS = 600_000;
const MAX_EXCLUDED = 100;
const MAX_DETACH_GRACE_MS = 3_600_000;

/** Raises `BAD_USER_INPUT` for the first rule that the request breaks. */
export function checkRunRequest(request: RunRequest): void {
  checkText('model', request.model, MAX_NAME_LENGTH);
  if (request.model.trim() === '')
    refuse('model', 'name an instance slug, a canonical model id, "tag:<name>" or "auto"');
  checkJson('metadata', request.metadata);
  if (request.idempotencyKey !== undefined) {
    checkText('idempotencyKey', request.idempotencyKey, MAX_KEY_LENGTH);
    if (request.idempotencyKey === '') refuse('idempotencyKey', 'must not be empty; leave it out for none');
  }
  checkRouting(request.routing);
  checkNumber('detachGraceMs', request.detachGraceMs, 0, MAX_DETACH_GRACE_MS, 'integer');
}

function checkRouting(routing: RoutingOptions): void {
  checkNumber('routing.maxAttempts', routing.maxAttempts, 1, MOST_ATTEMPTS, 'integer');
  checkNumber('routing.maxAttemptsPerInstance', routing.maxAttemptsPerInstance, 1, MOST_ATTEMPTS, 'integer');
  checkNumber('routing.totalMs', routing.totalMs, 1, MAX_TOTAL_MS, 'integer');
  checkNumber('routing.patienceMs', routing.patienceMs, 0, MAX_PATIENCE_MS, 'integer');
  if (routing.stickyKey !== undefined) checkText('routing.stickyKey', routing.stickyKey, MAX_KEY_LENGTH);
  const { exclude = [] } = routing;
  if (exclude.length > MAX_EXCLUDED) refuse('routing.exclude', `at most ${MAX_EXCLUDED} are taken`);
  for (const [index, slug] of exclude.entries())
    checkText(`routing.exclude[${index}]`, slug, MAX_NAME_LENGTH);
  for (const [name, bound] of Object.entries(routing.maxPrice ?? {})) {
    if (bound.startsWith('-')) refuse(`routing.maxPrice.${name}`, 'must not be negative');
  }
}
