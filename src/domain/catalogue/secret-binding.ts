// Owns the binding of stored secrets to the addresses that they may be sent to: for secrets without one, and when an administrator moves a provider.
import type { SecretDestination } from '../../storage/entities/provider-config.entity.ts';
import type { BindingRow, SecretRepository } from '../../storage/repositories/secret.repository.ts';
import type { SnapshotTable } from '../../storage/repositories/snapshot.repository.ts';
import { hasScope, type Viewer } from '../identity/viewer.ts';
import { type BoundSpec, destinationOf, mayBeSent } from './secret-destination.ts';
import type { WorkspaceCatalogue } from './snapshot.ts';

export interface SecretBindingDependencies {
  readonly secrets: SecretRepository;
  readonly catalogueOf: (workspaceId: string) => WorkspaceCatalogue;
}

export class SecretBinding {
  readonly #needs: SecretBindingDependencies;

  constructor(needs: SecretBindingDependencies) {
    this.#needs = needs;
  }

  /**
   * Binds secrets that have no destination to the present address of their config: those of a database from an earlier version, and rows written by
   * plain SQL.
   */
  async bindUnbound(changed: ReadonlySet<SnapshotTable>): Promise<void> {
    if (!changed.has('provider_config')) return;
    const { secrets, catalogueOf } = this.#needs;
    for (const row of await secrets.unbound()) {
      const spec = catalogueOf(row.workspaceId).providers.get(row.providerKey);
      const now = destinationOf(row, spec);
      await secrets.bind(row, {
        secret: row.secret && (row.secretDestination ?? now),
        headers: row.headers && (row.headersDestination ?? now),
      });
    }
  }

  /**
   * Called when the viewer has replaced `before` by `after`. If the viewer is an administrator, secrets of the workspace that may be sent to the first
   * address may be sent to the second one. Otherwise they are not sent until they are given again.
   */
  async follow(viewer: Viewer, key: string, before: BoundSpec | undefined, after: BoundSpec | undefined) {
    if (!hasScope(viewer) || !after) return;
    for (const row of await this.#needs.secrets.bindings(viewer.workspaceId, key)) {
      const [then, now] = [destinationOf(row, before), destinationOf(row, after)];
      const moved = (stored: BindingRow['secret'], bound: SecretDestination | null) => {
        if (!stored || mayBeSent(bound, now) || !mayBeSent(bound, then)) return bound;
        return mayConfirmAddress(viewer, stored) ? now : bound;
      };
      const next = {
        secret: moved(row.secret, row.secretDestination),
        headers: moved(row.headers, row.headersDestination),
      };
      const same = next.secret === row.secretDestination && next.headers === row.headersDestination;
      if (!same) await this.#needs.secrets.bind(row, next, viewer);
    }
  }
}

/** Secrets from the environment belong to the operator, so an administrator of a workspace may not move them. */
export function mayConfirmAddress(viewer: Viewer, stored: object): boolean {
  return 'env' in stored ? viewer.installationAdmin : hasScope(viewer);
}
