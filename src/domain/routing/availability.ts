// Owns whether instances and models can be called now, and the reason if not: the same facts that planning uses, for people who choose a model.
import type { CatalogueSnapshots, WorkspaceCatalogue } from '../catalogue/snapshot.ts';
import type { Viewer } from '../identity/viewer.ts';
import { mayUse, NOT_ALLOWED } from './allowed-models.ts';
import { refusalOfState, type Speaks } from './candidate-state.ts';
import { type Candidate, candidateOfInstance, candidatesOfModel } from './candidates.ts';
import { type Circuits, type CircuitView } from './circuits.ts';

export const AVAILABILITY_STATES = ['CALLABLE', 'DEGRADED', 'UNAVAILABLE'] as const;
export type AvailabilityState = (typeof AVAILABILITY_STATES)[number];

export interface Availability {
  readonly state: AvailabilityState;
  /** Code of the reason; `null` if nothing is wrong. */
  readonly code: string | null;
  readonly reason: string | null;
}

export interface AvailabilityDependencies {
  readonly snapshots: CatalogueSnapshots;
  readonly circuits: Circuits;
  readonly speaks: Speaks;
  /** The modalities that some kind of call asks of a model on this node. */
  readonly outputs: readonly string[];
}

const CALLABLE: Availability = { state: 'CALLABLE', code: null, reason: null };

export class AvailabilityService {
  readonly #needs: AvailabilityDependencies;

  constructor(needs: AvailabilityDependencies) {
    this.#needs = needs;
  }

  ofInstance(viewer: Viewer, instanceId: string): Availability {
    const catalogue = this.#needs.snapshots.of(viewer.workspaceId);
    const instance = catalogue.instances.get(instanceId);
    if (!instance) return unavailable('GONE', 'The instance was just made or deleted; ask again');
    return this.#of(viewer, candidateOfInstance(catalogue, instance));
  }

  ofModel(viewer: Viewer, canonicalId: string): Availability {
    return this.#ofModel(viewer, this.#needs.snapshots.of(viewer.workspaceId), canonicalId);
  }

  /** Circuit of an instance's config and model. */
  circuitOf(viewer: Viewer, instanceId: string): CircuitView | undefined {
    const catalogue = this.#needs.snapshots.of(viewer.workspaceId);
    const instance = catalogue.instances.get(instanceId);
    return instance && this.#needs.circuits.view(candidateOfInstance(catalogue, instance).circuitKey);
  }

  /** Row ids of the instances that are in one of the states. */
  instancesIn(viewer: Viewer, states: readonly AvailabilityState[]): string[] {
    const catalogue = this.#needs.snapshots.of(viewer.workspaceId);
    return [...catalogue.instances.values()]
      .filter((instance) => states.includes(this.#of(viewer, candidateOfInstance(catalogue, instance)).state))
      .map(({ id }) => id);
  }

  /** Row ids of the models that are in one of the states. */
  modelsIn(viewer: Viewer, states: readonly AvailabilityState[]): string[] {
    const catalogue = this.#needs.snapshots.of(viewer.workspaceId);
    return [...catalogue.models.values()]
      .filter(({ canonicalId }) => states.includes(this.#ofModel(viewer, catalogue, canonicalId).state))
      .map(({ id }) => id);
  }

  /** A model is as available as the best candidate that would serve it: one of its instances, or else a config of its provider. */
  #ofModel(viewer: Viewer, catalogue: WorkspaceCatalogue, canonicalId: string): Availability {
    let best: Availability | undefined;
    for (const candidate of candidatesOfModel(catalogue, canonicalId)) {
      const found = this.#of(viewer, candidate);
      if (!best || rankOf(found) < rankOf(best)) best = found;
    }
    const providerKey = canonicalId.split('/', 1)[0] ?? '';
    return best ?? unavailable('NO_CONFIG', `No provider config for "${providerKey}" is there; create one`);
  }

  #of({ allowedModels }: Viewer, candidate: Candidate): Availability {
    const { circuits, speaks, outputs } = this.#needs;
    const refusal = refusalOfState(candidate, speaks);
    if (refusal) return unavailable(refusal.code, refusal.reason);
    if (allowedModels && !mayUse(candidate, allowedModels)) {
      return unavailable(NOT_ALLOWED.code, NOT_ALLOWED.reason);
    }
    const { model, config } = candidate;
    if (model && !outputs.some((modality) => model.outputModalities.includes(modality))) {
      const given = model.outputModalities.join(', ');
      return unavailable('OUTPUT_NOT_TEXT', `It gives ${given}, not ${outputs.join(' or ')}`);
    }
    if (config.health === 'UNHEALTHY' && config.healthFault === 'BAD_CREDENTIAL') {
      return unavailable(
        'BAD_CREDENTIAL',
        `The provider refused the credential of the config "${config.name}"`,
      );
    }
    const circuit = circuits.view(candidate.circuitKey);
    if (circuit.state === 'OPEN') {
      return unavailable(
        'CIRCUIT_OPEN',
        `Its circuit is open for some seconds: ${circuit.reason ?? 'it kept failing'}`,
      );
    }
    if (config.health === 'UNHEALTHY') {
      const why = String(config.healthError?.message ?? 'no reason was given');
      return {
        state: 'DEGRADED',
        code: 'UNHEALTHY',
        reason: `The last health check of "${config.name}" failed: ${why}`,
      };
    }
    if (circuit.state === 'HALF_OPEN') {
      return {
        state: 'DEGRADED',
        code: 'CIRCUIT_HALF_OPEN',
        reason: 'It kept failing; one call at a time sees whether it has recovered',
      };
    }
    if (circuit.quietUntilMs !== null) {
      return { state: 'DEGRADED', code: 'OVER_LIMIT', reason: 'Its provider asked for quiet for a while' };
    }
    return CALLABLE;
  }
}

function unavailable(code: string, reason: string): Availability {
  return { state: 'UNAVAILABLE', code, reason };
}

function rankOf({ state }: Availability): number {
  return AVAILABILITY_STATES.indexOf(state);
}
