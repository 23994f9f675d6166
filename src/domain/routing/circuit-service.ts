// Owns the closing of circuits by hand.
import { GatewayError } from '../../kernel/errors.ts';
import type { CatalogSnapshots } from '../catalog/snapshot.ts';
import { requireScope, type Viewer } from '../identity/viewer.ts';
import { candidateOfInstance } from './candidates.ts';
import type { Circuits } from './circuits.ts';

export class CircuitService {
  readonly #snapshots: CatalogSnapshots;
  readonly #circuits: Circuits;

  constructor(snapshots: CatalogSnapshots, circuits: Circuits) {
    this.#snapshots = snapshots;
    this.#circuits = circuits;
  }

  /** Closes the circuit of the instance's config and model, on all nodes. */
  reset(viewer: Viewer, instanceId: string): void {
    requireScope(viewer, 'catalogue');
    const catalog = this.#snapshots.of(viewer.workspaceId);
    const instance = catalog.instances.get(instanceId);
    if (!instance)
      throw new GatewayError('NOT_FOUND', 'There is no model instance with this id', { path: 'id' });
    this.#circuits.reset(candidateOfInstance(catalog, instance).circuitKey);
  }
}
