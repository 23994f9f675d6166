// Owns the periodic work on configs: health checks, model syncs, and the refresh of the catalogue. One node does each piece of it.
import type { Logger } from '../../kernel/logger.ts';
import type { UpkeepRepository } from '../../storage/repositories/upkeep.repository.ts';
import type { CatalogueRefreshService } from './catalogue-refresh-service.ts';
import type { ModelSyncService } from './model-sync-service.ts';
import type { ProviderCheckService } from './provider-check-service.ts';

export interface UpkeepScheduleDependencies {
  readonly upkeep: UpkeepRepository;
  readonly checks: ProviderCheckService;
  readonly syncs: ModelSyncService;
  readonly refreshes: CatalogueRefreshService;
  readonly logger: Logger;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** How old a result may become; 0: that work is done on demand only. */
  readonly healthCheckSeconds: number;
  readonly modelSyncSeconds: number;
  readonly catalogueRefreshSeconds: number;
}

/** Time between two looks for due work. Each node looks at its own moments, so that nodes do not call providers together. */
const LOOK_EVERY_MS = 15_000;

export class UpkeepSchedule {
  readonly #needs: UpkeepScheduleDependencies;
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(needs: UpkeepScheduleDependencies) {
    this.#needs = needs;
  }

  start(): void {
    const { healthCheckSeconds, modelSyncSeconds, catalogueRefreshSeconds } = this.#needs;
    if (healthCheckSeconds + modelSyncSeconds + catalogueRefreshSeconds > 0) this.#lookLater();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#work;
  }

  #lookLater(): void {
    if (this.#closed) return;
    const ms = LOOK_EVERY_MS * (0.5 + this.#needs.random());
    this.#timer = setTimeout(() => {
      this.#work = this.#look().finally(() => this.#lookLater());
    }, ms);
  }

  async #look(): Promise<void> {
    try {
      await this.#checkDue();
      await this.#syncDue();
      await this.#refreshDue();
    } catch (error) {
      this.#needs.logger.warn({ err: error }, 'Upkeep of the catalogue failed; it is tried again');
    }
  }

  async #checkDue(): Promise<void> {
    const { upkeep, checks, healthCheckSeconds, random } = this.#needs;
    if (healthCheckSeconds === 0) return;
    // Each wait varies by a fifth, so that configs that were created together are not all checked at the same moment.
    const due = await upkeep.claimChecks(Math.round(healthCheckSeconds * (0.8 + 0.4 * random())));
    await Promise.all(due.map(({ id, workspaceId }) => this.#guarded(checks.checkOf(workspaceId, id))));
  }

  async #syncDue(): Promise<void> {
    const { upkeep, syncs, modelSyncSeconds } = this.#needs;
    if (modelSyncSeconds === 0) return;
    for (const { id, workspaceId } of await upkeep.dueSyncs(modelSyncSeconds)) {
      if (!this.#closed) await this.#guarded(syncs.syncOf(workspaceId, id));
    }
  }

  async #refreshDue(): Promise<void> {
    const { upkeep, refreshes, catalogueRefreshSeconds } = this.#needs;
    if (catalogueRefreshSeconds === 0 || this.#closed) return;
    if (await upkeep.claimRefresh(catalogueRefreshSeconds)) await this.#guarded(refreshes.run());
  }

  /** A failure for one config does not keep the others from being looked after. */
  async #guarded(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#needs.logger.warn({ err: error }, 'Upkeep of one part of the catalogue failed');
    }
  }
}
