// Owns the binding of stored secrets to where they may be sent, for those that nobody has bound yet, and where an administrator moves a provider.
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
   * Binds what has no destination to the address that its config has now: secrets of a database from before, and rows that somebody
   * wrote by plain SQL.
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
   * An administrator has replaced `before` by `after`: secrets of the workspace that might be sent to the first may be sent to the second.
   * Other keys move no secret; these refuse to be sent until they are given again.
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

/** The environment's secrets are the operator's, whoever administers the workspace. */
export function mayConfirmAddress(viewer: Viewer, stored: object): boolean {
  return 'env' in stored ? viewer.installationAdmin : hasScope(viewer);
}
