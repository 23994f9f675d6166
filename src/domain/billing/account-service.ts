// Owns what administrators can do with accounts and budgets: read them, credit and adjust accounts, and set budgets.
import type { Clock } from '../../kernel/clock.ts';
import { GatewayError } from '../../kernel/errors.ts';
import type { NewId } from '../../kernel/ids.ts';
import { InputCheck } from '../../kernel/input-check.ts';
import type { Nano } from '../../kernel/money.ts';
import type { IdentityRepository } from '../../storage/repositories/identity.repository.ts';
import type {
  BudgetPeriod,
  BudgetState,
  EntryPage,
  LedgerEntryRow,
  MoneyRepository,
} from '../../storage/repositories/money.repository.ts';
import { requireInstallationAdmin, requireScope, type Viewer } from '../identity/viewer.ts';

export type { BudgetPeriod, BudgetState, LedgerEntryRow };

export interface AccountServiceDependencies {
  readonly money: MoneyRepository;
  readonly identity: IdentityRepository;
  readonly clock: Clock;
  readonly newId: NewId;
  /** True if completions are charged to accounts. */
  readonly billing: boolean;
  /** Loads what was just written into this node's snapshots. */
  readonly refresh: () => Promise<void>;
}

export interface AccountState {
  readonly workspaceId: string;
  readonly balanceNano: Nano;
  /** The sum of the holds of completions under way. */
  readonly reservedNano: Nano;
}

export interface Booking {
  /** Default: the viewer's own. */
  readonly workspaceId?: string;
  readonly amountNano: Nano;
  readonly description: string;
  readonly idempotencyKey: string;
}

export interface BudgetFields {
  /** The API key or the JWT subject whose budget is set; with neither, the budget of the whole workspace. */
  readonly apiKeyId?: string;
  readonly subject?: string;
  readonly period: BudgetPeriod;
  /** `null` removes the budget. */
  readonly limitNano: Nano | null;
}

/** A larger amount in one booking is taken for a typing mistake. */
const MAX_AMOUNT: Nano = 1_000_000n * 1_000_000_000n;

export class AccountService {
  readonly #needs: AccountServiceDependencies;

  constructor(needs: AccountServiceDependencies) {
    this.#needs = needs;
  }

  get billing(): boolean {
    return this.#needs.billing;
  }

  /** Only administrators of the installation may read another workspace's account. */
  async account(viewer: Viewer, workspaceId = viewer.workspaceId): Promise<AccountState> {
    requireScope(viewer, 'read');
    await this.#requireWorkspace(viewer, workspaceId);
    const account = await this.#needs.money.account(workspaceId);
    const { balanceNano = 0n, reservedNano = 0n } = account ?? {};
    return { workspaceId, balanceNano, reservedNano };
  }

  /** Newest first. */
  async entries(viewer: Viewer, workspaceId: string, page: EntryPage): Promise<LedgerEntryRow[]> {
    requireScope(viewer, 'read');
    await this.#requireWorkspace(viewer, workspaceId);
    return this.#needs.money.entries(workspaceId, page);
  }

  async countEntries(viewer: Viewer, workspaceId: string): Promise<number> {
    requireScope(viewer, 'read');
    await this.#requireWorkspace(viewer, workspaceId);
    return this.#needs.money.countEntries(workspaceId);
  }

  async budgets(viewer: Viewer, workspaceId: string): Promise<BudgetState[]> {
    requireScope(viewer, 'read');
    await this.#requireWorkspace(viewer, workspaceId);
    return this.#needs.money.budgets(workspaceId);
  }

  credit(viewer: Viewer, booking: Booking): Promise<LedgerEntryRow> {
    return this.#book(viewer, 'CREDIT', booking);
  }

  /** The amount may be negative. */
  adjust(viewer: Viewer, booking: Booking): Promise<LedgerEntryRow> {
    return this.#book(viewer, 'ADJUSTMENT', booking);
  }

  async setBudget(viewer: Viewer, fields: BudgetFields): Promise<BudgetState | null> {
    requireScope(viewer, 'admin');
    const { money, clock, newId, refresh } = this.#needs;
    const { period, limitNano } = fields;
    const { workspaceId } = viewer;
    const caller = await this.#callerOf(viewer, fields);
    if (limitNano === null) {
      if (!(await money.removeBudget({ workspaceId, caller, period }, viewer))) {
        throw new GatewayError('NOT_FOUND', 'There is no such budget');
      }
      await refresh();
      return null;
    }
    const now = clock.now();
    const row = { id: newId(), workspaceId, caller, period, limitNano, createdAt: now, updatedAt: now };
    const { id } = await money.setBudget(row, viewer);
    await refresh();
    return (await money.budgets(workspaceId)).find(({ budget }) => budget.id === id) ?? null;
  }

  async #book(viewer: Viewer, kind: 'CREDIT' | 'ADJUSTMENT', booking: Booking): Promise<LedgerEntryRow> {
    requireInstallationAdmin(viewer);
    const { workspaceId = viewer.workspaceId, amountNano, description, idempotencyKey } = booking;
    const check = new InputCheck();
    const lowest = kind === 'CREDIT' ? 1n : -MAX_AMOUNT;
    if (amountNano < lowest || amountNano > MAX_AMOUNT || amountNano === 0n) {
      const range = kind === 'CREDIT' ? 'more than 0 and' : 'other than 0 and, up or down,';
      check.add('amount', `must be ${range} at most 1000000 dollars`);
    }
    check.text('description', description, 500);
    check.text('idempotencyKey', idempotencyKey, 200);
    check.raise();
    await this.#requireWorkspace(viewer, workspaceId);
    const { outcome, entry } = await this.#needs.money.book({
      workspaceId,
      kind,
      amountNano,
      description,
      idempotencyKey,
      createdBy: viewer.caller,
    });
    if (outcome === 'conflict') {
      throw new GatewayError('CONFLICT', 'idempotencyKey: was used for another entry; take a new one', {
        path: 'idempotencyKey',
      });
    }
    return entry;
  }

  async #callerOf(viewer: Viewer, { apiKeyId, subject, limitNano }: BudgetFields): Promise<string | null> {
    const check = new InputCheck();
    if (apiKeyId !== undefined && subject !== undefined)
      check.add('subject', 'give either "apiKeyId" or "subject"');
    check.text('subject', subject, 255);
    if (limitNano !== null && (limitNano < 0n || limitNano > MAX_AMOUNT * 1_000n)) {
      check.add('limit', 'must be from 0 to 1000000000 dollars');
    }
    check.raise();
    if (subject !== undefined) return `sub:${subject}`;
    if (apiKeyId === undefined) return null;
    const keys = await this.#needs.identity.apiKeys(viewer.workspaceId);
    if (!keys.some(({ id }) => id === apiKeyId)) {
      throw new GatewayError('NOT_FOUND', 'There is no such API key', { path: 'apiKeyId' });
    }
    return `key:${apiKeyId}`;
  }

  async #requireWorkspace(viewer: Viewer, workspaceId: string): Promise<void> {
    if (workspaceId === viewer.workspaceId) return;
    const known = viewer.installationAdmin && (await this.#needs.identity.workspace({ id: workspaceId }));
    if (!known) throw new GatewayError('NOT_FOUND', 'There is no such workspace', { path: 'workspaceId' });
  }
}
