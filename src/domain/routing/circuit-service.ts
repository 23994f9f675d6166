// Owns the closing of circuits by an administrator.
import { GatewayError } from '../../kernel/errors.ts';
import type { CatalogueSnapshots } from '../catalogue/snapshot.ts';
import { requireScope, type Viewer } from '../identity/viewer.ts';
import { candidateOfInstance } from './candidates.ts';
import type { Circuits } from './circuits.ts';

export class CircuitService {
  readonly #snapshots: CatalogueSnapshots;
  readonly #circuits: Circuits;

  constructor(snapshots: CatalogueSnapshots, circuits: Circuits) {
    this.#snapshots = snapshots;
    this.#circuits = circuits;
  }

  /** Closes the circuit of the instance's config and model, on all nodes. */
  reset(viewer: Viewer, instanceId: string): void {
    requireScope(viewer, 'catalogue');
    const catalogue = this.#snapshots.of(viewer.workspaceId);
    const instance = catalogue.instances.get(instanceId);
    if (!instance)
      throw new GatewayError('NOT_FOUND', 'There is no model instance with this id', { path: 'id' });
    this.#circuits.reset(candidateOfInstance(catalogue, instance).circuitKey);
  }
}
