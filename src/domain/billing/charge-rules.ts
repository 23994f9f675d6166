// Owns who pays for a completion: the workspace's account where billing is on, and every budget that is set for its caller or workspace.
import type {
  SnapshotRepository,
  SnapshotRow,
  SnapshotTable,
} from '../../storage/repositories/snapshot.repository.ts';
import type { Viewer } from '../identity/viewer.ts';

/** What is held and charged for a run. */
export interface Charge {
  readonly onAccount: boolean;
  readonly budgetIds: readonly string[];
}

export class ChargeRules {
  readonly #repository: SnapshotRepository;
  readonly #billing: boolean;
  #budgets = new Map<string, SnapshotRow<'budget'>[]>();

  constructor(repository: SnapshotRepository, billing: boolean) {
    this.#repository = repository;
    this.#billing = billing;
  }

  async reload(changed: ReadonlySet<SnapshotTable>): Promise<void> {
    if (!changed.has('budget')) return;
    this.#budgets = Map.groupBy(await this.#repository.rows('budget'), ({ workspaceId }) => workspaceId);
  }

  /** True if the account or a budget of the workspace pays for its completions. */
  holdsMoney(workspaceId: string): boolean {
    return this.#billing || this.#budgets.has(workspaceId);
  }

  /** `undefined` if neither an account nor a budget pays. */
  chargeFor({ workspaceId, caller }: Viewer): Charge | undefined {
    const budgets = this.#budgets.get(workspaceId);
    if (!budgets) return this.#billing ? ACCOUNT_ALONE : undefined;
    const budgetIds = budgets.filter((budget) => (budget.caller ?? caller) === caller).map(({ id }) => id);
    return this.#billing || budgetIds.length > 0 ? { onAccount: this.#billing, budgetIds } : undefined;
  }
}

const ACCOUNT_ALONE: Charge = { onAccount: true, budgetIds: [] };
