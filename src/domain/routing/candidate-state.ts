// Owns whether a candidate can be called at all, independent of the request, and the reason if not.
import type { Candidate } from './candidates.ts';
import type { ReasonCode } from './route-plan.ts';

export interface Refusal {
  readonly code: ReasonCode;
  readonly reason: string;
}

/** True if this node has an adapter for the protocol. */
export type Speaks = (protocol: string) => boolean;

const known = new WeakMap<Candidate, Refusal | null>();

/** The first reason why the candidate cannot be called; found once for each snapshot. */
export function refusalOfState(candidate: Candidate, speaks: Speaks): Refusal | undefined {
  let refusal = known.get(candidate);
  if (refusal === undefined) {
    refusal = findRefusal(candidate, speaks) ?? null;
    known.set(candidate, refusal);
  }
  return refusal ?? undefined;
}

function findRefusal(candidate: Candidate, speaks: Speaks): Refusal | undefined {
  const { instance, config, spec, model, protocol } = candidate;
  if (instance && !instance.enabled) {
    return {
      code: 'INSTANCE_DISABLED',
      reason: `The instance "${instance.slug}" is switched off; enable it to call it`,
    };
  }
  if (!config.enabled) {
    return {
      code: 'CONFIG_DISABLED',
      reason: `The provider config "${config.name}" is switched off; enable it to call its models`,
    };
  }
  if (!spec?.enabled) {
    return { code: 'PROVIDER_DISABLED', reason: `The provider "${config.providerKey}" is switched off here` };
  }
  if (!model) {
    return {
      code: 'MODEL_MISSING',
      reason: `The catalogue has no model "${candidate.canonicalId}"; create or sync it`,
    };
  }
  if (!model.available) {
    return {
      code: 'MODEL_UNAVAILABLE',
      reason: `The model "${model.canonicalId}" is switched off or was withdrawn by its provider`,
    };
  }
  if (protocol === undefined || !speaks(protocol)) {
    const why =
      protocol === undefined
        ? (spec.unservableReason ?? 'no protocol is set')
        : `this node has no adapter for the protocol "${protocol}"`;
    return { code: 'PROTOCOL_MISSING', reason: `The provider "${spec.key}" cannot be called: ${why}` };
  }
  if (!config.secret && needsSecret(spec.auth)) {
    return { code: 'NO_CREDENTIALS', reason: `The provider config "${config.name}" has no secret; set one` };
  }
  return undefined;
}

export function needsSecret(auth: unknown): boolean {
  const scheme = auth as { readonly type: string; readonly optional?: boolean };
  return scheme.type !== 'none' && scheme.optional !== true;
}
