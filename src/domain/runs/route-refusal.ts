// Owns the error for a request without any candidate: the name is unknown, its candidates are switched off, or none can do what is asked.
import { type ErrorCode, GatewayError } from '../../kernel/errors.ts';
import type { NearName } from '../routing/near-names.ts';
import type { Route } from '../routing/planner.ts';
import type { ReasonCode } from '../routing/route-plan.ts';

const CODE_OF_REASON: Partial<Record<ReasonCode, ErrorCode>> = {
  OUTPUT_NOT_TEXT: 'CAPABILITY_MISSING',
  CAPABILITY_MISSING: 'CAPABILITY_MISSING',
  MAX_TOKENS_TOO_HIGH: 'BAD_USER_INPUT',
  CONTEXT_TOO_SMALL: 'CONTEXT_LENGTH_EXCEEDED',
  UNPRICED: 'UNPRICED_MODEL',
  NOT_ALLOWED: 'FORBIDDEN',
};
const MAX_LISTED = 5;

/** Computed only if the error tells it. */
export interface RefusalHints {
  /** Names that the caller may have meant by an unknown one. */
  readonly nearNames: () => readonly NearName[];
  /** What is missing before a known model can be called. */
  readonly lack: () => string | null;
}

export function refuseRoute({ plan, unknown }: Route, hints: RefusalHints): GatewayError {
  if (unknown) return unknownModel(plan.model, hints.nearNames());
  const [first] = plan.candidates;
  if (!first) {
    const lack = plan.kind === 'MODEL' ? hints.lack() : null;
    return new GatewayError(
      'MODEL_UNAVAILABLE',
      plan.kind === 'AUTO' || plan.kind === 'TAG'
        ? `"${plan.model}" has no instance that could serve it; create one with createModelInstance`
        : `The model "${plan.model}" is known, but nothing here can call it. ${lack ?? 'Create a provider config for its provider'}`,
      { path: 'model' },
    );
  }
  // A reason that lies in the request is told first, since the caller can change the request at once.
  const told = plan.candidates.find(({ code }) => CODE_OF_REASON[code]) ?? first;
  const code = CODE_OF_REASON[told.code] ?? 'MODEL_UNAVAILABLE';
  return new GatewayError(code, told.reason, {
    path: code === 'BAD_USER_INPUT' ? 'parameters.maxTokens' : 'model',
    extensions: {
      reason: told.code,
      candidates: plan.candidates
        .slice(0, MAX_LISTED)
        .map(({ label, code: why, reason }) => ({ label, code: why, reason })),
    },
  });
}

function unknownModel(model: string, near: readonly NearName[]): GatewayError {
  const [best] = near;
  const names = near.map(({ name }) => `"${name}"`);
  const last = names.pop();
  const meant = names.length > 0 ? `${names.join(', ')} or ${last}` : last;
  const lacking = best?.lack && (near.length > 1 ? ` To call "${best.name}": ${best.lack}` : ` ${best.lack}`);
  return new GatewayError(
    'MODEL_NOT_FOUND',
    `No instance, model or tag is called "${model.slice(0, 200)}". ${
      best ? `Did you mean ${meant}?${lacking ?? ''}` : 'modelInstances and modelSpecs list what there is'
    }`,
    { path: 'model', ...(best ? { extensions: { suggestions: near.map(({ name }) => name) } } : {}) },
  );
}
