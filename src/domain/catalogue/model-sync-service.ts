// Owns model syncs: providers are asked for their models, and the list of each credential becomes rows of its workspace, completely or not at all.
//
// 1. A row marks the sync as running: one for each config at a time, on all nodes.
// 2. The provider is asked. An error, an empty list, or one that has lost more than half of its models changes nothing.
// 3. The list is compared with the catalogue (`listed-models.ts`).
// 4. Additions, changes, withdrawals, what the credential sees and the end of the sync are written in one transaction.

import { delay } from '../../kernel/async.ts';
import type { Clock } from '../../kernel/clock.ts';
import { GatewayError, ProviderError, StorageError } from '../../kernel/errors.ts';
import type { NewId } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Adapter } from '../../providers/contract/adapter.ts';
import type { ListedModel } from '../../providers/contract/models.ts';
import type { ModelSyncEntity } from '../../storage/entities/model-sync.entity.ts';
import type { CatalogueRepository } from '../../storage/repositories/catalogue.repository.ts';
import type { SyncWrites, UpkeepRepository } from '../../storage/repositories/upkeep.repository.ts';
import { requireScope, type Viewer } from '../identity/viewer.ts';
import { compareListed, usableModels } from './listed-models.ts';
import type { ProviderTargets } from './provider-target.ts';
import type { ProviderConfigRow, ProviderSpecRow } from './snapshot.ts';

export type ModelSyncRow = Readonly<ModelSyncEntity>;

export interface ModelSyncDependencies {
  readonly reads: CatalogueRepository;
  readonly upkeep: UpkeepRepository;
  readonly adapterOf: (protocol: string) => Adapter | undefined;
  readonly targets: ProviderTargets;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly logger: Logger;
  readonly refresh: () => Promise<void>;
}

export interface SyncOptions {
  /** True: a list that has lost more than half of its models is accepted. */
  readonly acceptShrunkList: boolean;
  /** False: answers while the syncs still run; `progress` follows them. */
  readonly wait: boolean;
}

const LIST_WITHIN_MS = 30_000;
const POLL_MS = 200;
/** The most syncs that one call runs at the same time. */
const AT_ONCE = 4;
/** A list of fewer models may lose more than half of them without being refused. */
const SUSPECT_FROM = 4;

export class ModelSyncService {
  readonly #needs: ModelSyncDependencies;
  readonly #running = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();

  constructor(needs: ModelSyncDependencies) {
    this.#needs = needs;
  }

  /** Syncs one config, or every enabled one of the workspace, and gives a row for each; a failed sync is such a row too. */
  async sync(viewer: Viewer, configId: string | undefined, options: SyncOptions): Promise<ModelSyncRow[]> {
    requireScope(viewer, 'catalogue');
    const configs = await this.#configsOf(viewer, configId);
    const syncs: ModelSyncRow[] = [];
    const waiting = [...configs];
    const syncWaiting = async () => {
      for (let config = waiting.shift(); config; config = waiting.shift()) {
        const { row, ended } = await this.#begin(config, options.acceptShrunkList);
        syncs.push(options.wait ? await ended : row);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, syncWaiting));
    return syncs;
  }

  /** Called by the schedule, which has no viewer. If another node has begun a sync of the config, that one counts. */
  async syncOf(workspaceId: string, configId: string): Promise<void> {
    const [config] = await this.#needs.reads.byIds('provider_config', workspaceId, [configId]);
    if (!config) return;
    const { ended } = await this.#begin(config, false);
    await ended;
  }

  /** The sync as it is now, then each change of it, up to its end. */
  async progress(viewer: Viewer, syncId: string): Promise<AsyncGenerator<ModelSyncRow, void>> {
    return this.#steps(viewer, await this.#load(viewer, syncId));
  }

  /**
   * The models that each credential saw at its last sync, as canonical ids by config. The caller of this method must have checked that the viewer may
   * see the configs.
   */
  listedModels(configIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    return this.#needs.upkeep.listedModels(configIds);
  }

  find(viewer: Viewer, syncId: string): Promise<ModelSyncRow | null> {
    return this.#needs.upkeep.sync(viewer.workspaceId, syncId);
  }

  async close(): Promise<void> {
    this.#closing.abort(new GatewayError('NODE_DRAINING', 'The node is shutting down'));
    await Promise.allSettled(this.#running);
  }

  async *#steps(viewer: Viewer, first: ModelSyncRow): AsyncGenerator<ModelSyncRow, void> {
    yield first;
    let last = first;
    while (last.status === 'RUNNING') {
      await delay(POLL_MS, this.#closing.signal);
      const next = await this.#load(viewer, first.id);
      if (next.phase !== last.phase || next.status !== last.status) yield next;
      last = next;
    }
  }

  async #load(viewer: Viewer, syncId: string): Promise<ModelSyncRow> {
    const sync = await this.find(viewer, syncId);
    if (!sync) throw new GatewayError('NOT_FOUND', 'There is no model sync with this id', { path: 'id' });
    return sync;
  }

  async #configsOf(viewer: Viewer, configId: string | undefined): Promise<ProviderConfigRow[]> {
    const { reads } = this.#needs;
    if (configId === undefined) return reads.enabledConfigs(viewer.workspaceId);
    const [config] = await reads.byIds('provider_config', viewer.workspaceId, [configId]);
    if (!config) {
      throw new GatewayError('NOT_FOUND', 'There is no provider config with this id', { path: 'configId' });
    }
    if (!config.enabled) {
      throw new GatewayError(
        'BAD_USER_INPUT',
        `configId: the config "${config.name}" is switched off; enable it to sync its models`,
        { path: 'configId' },
      );
    }
    return [config];
  }

  /** The running sync of the config: a new one, or the one that another caller has begun. */
  async #begin(
    config: ProviderConfigRow,
    acceptShrunkList: boolean,
  ): Promise<{ row: ModelSyncRow; ended: Promise<ModelSyncRow> }> {
    const { upkeep, clock, newId } = this.#needs;
    const row: ModelSyncRow = {
      id: newId(),
      workspaceId: config.workspaceId,
      configId: config.id,
      status: 'RUNNING',
      phase: 'LISTING',
      source: null,
      listed: 0,
      added: [],
      updated: [],
      withdrawn: [],
      kept: 0,
      error: null,
      startedAt: clock.now(),
      endedAt: null,
    };
    try {
      await upkeep.beginSync(row);
    } catch (error) {
      if (!(error instanceof StorageError) || error.kind !== 'conflict') throw error;
      const other = await upkeep.runningSync(config.id);
      // The sync that was joined has ended at this moment: the next try begins a new one.
      if (!other) return this.#begin(config, acceptShrunkList);
      return { row: other, ended: this.#endOf(other) };
    }
    const ended = this.#run(config, row, acceptShrunkList);
    this.#running.add(ended);
    void ended.finally(() => this.#running.delete(ended)).catch(() => {});
    return { row, ended };
  }

  async #endOf(running: ModelSyncRow): Promise<ModelSyncRow> {
    for (let sync = running; ; ) {
      if (sync.status !== 'RUNNING') return sync;
      await delay(POLL_MS, this.#closing.signal);
      sync = (await this.#needs.upkeep.sync(running.workspaceId, running.id)) ?? {
        ...running,
        status: 'FAILED',
      };
    }
  }

  async #run(
    config: ProviderConfigRow,
    begun: ModelSyncRow,
    acceptShrunkList: boolean,
  ): Promise<ModelSyncRow> {
    const { upkeep, clock, logger, refresh } = this.#needs;
    try {
      const writes = await this.#compared(config, begun, acceptShrunkList);
      await upkeep.writeSync(writes);
      await refresh();
      const { added, updated, withdrawn, source } = writes.sync;
      logger.info(
        {
          provider: config.providerKey,
          config: config.name,
          source,
          added: added.length,
          updated: updated.length,
          withdrawn: withdrawn.length,
        },
        'Models were synced',
      );
      return writes.sync;
    } catch (error) {
      const told = error instanceof ProviderError || error instanceof GatewayError;
      const failed: ModelSyncRow = {
        ...begun,
        status: 'FAILED',
        phase: 'DONE',
        error: told
          ? { code: error.code, message: error.message }
          : { code: 'INTERNAL', message: 'The sync failed; nothing was changed' },
        endedAt: clock.now(),
      };
      logger.warn(
        { provider: config.providerKey, config: config.name, err: error },
        'Models were not synced',
      );
      await upkeep.saveSync(failed);
      return failed;
    }
  }

  async #compared(
    config: ProviderConfigRow,
    begun: ModelSyncRow,
    acceptShrunkList: boolean,
  ): Promise<SyncWrites> {
    const { reads, upkeep, clock, newId } = this.#needs;
    const { workspaceId, providerKey } = config;
    const rows = await reads.modelsOf(workspaceId, providerKey);
    const listed = await this.#list(config);
    const ended = { ...begun, status: 'FINISHED' as const, phase: 'DONE' as const, endedAt: clock.now() };
    if (!listed) {
      const sync = { ...ended, source: 'CATALOGUE' as const, listed: rows.length, kept: rows.length };
      return { sync, inserts: [], updates: [], withdrawnIds: [] };
    }
    await upkeep.saveSync({ ...begun, phase: 'COMPARING', source: 'PROVIDER', listed: listed.length });
    if (!acceptShrunkList) refuseShrunk(listed.length, await upkeep.lastListed(config.id));
    const changes = compareListed(listed, {
      workspaceId,
      providerKey,
      rows,
      seenByOthers: await upkeep.seenByOthers(workspaceId, providerKey, config.id),
      newId,
      now: clock.now(),
    });
    await upkeep.saveSync({ ...begun, phase: 'WRITING', source: 'PROVIDER', listed: listed.length });
    return {
      sync: {
        ...ended,
        source: 'PROVIDER',
        listed: listed.length,
        added: changes.inserts.map((row) => `${row.providerKey}/${row.key}`),
        updated: changes.updates.map(({ row }) => row.canonicalId),
        withdrawn: changes.withdrawn.map(({ canonicalId }) => canonicalId),
        kept: changes.kept,
      },
      inserts: changes.inserts,
      updates: changes.updates.map(({ row, changes: columns }) => ({ id: row.id, changes: columns })),
      withdrawnIds: changes.withdrawn.map(({ id }) => id),
      seen: listed.map(({ key }) => `${providerKey}/${key}`),
    };
  }

  /** `undefined` if the provider has no call that lists its models. */
  async #list(config: ProviderConfigRow): Promise<ListedModel[] | undefined> {
    const { reads, adapterOf, targets, clock, logger } = this.#needs;
    const [spec]: (ProviderSpecRow | undefined)[] = await reads.byNames('provider_spec', config.workspaceId, [
      config.providerKey,
    ]);
    const adapter = adapterOf(spec?.protocol ?? '');
    if (!spec || !adapter) {
      throw new GatewayError(
        'MODEL_UNAVAILABLE',
        `This node cannot call "${config.providerKey}": it has no adapter for its protocol`,
      );
    }
    if (!adapter.models || spec.hasModelList === false) return undefined;
    const deadline = AbortSignal.timeout(LIST_WITHIN_MS);
    const signal = AbortSignal.any([deadline, this.#closing.signal]);
    const begunMs = clock.monotonicMs();
    const listed = await adapter.models.list(targets.of(config, spec), { signal }).catch((error: unknown) => {
      if (!deadline.aborted || error instanceof ProviderError) throw error;
      throw new ProviderError(
        'PROVIDER_TIMEOUT',
        `No list of models within ${LIST_WITHIN_MS / 1_000} seconds`,
      );
    });
    const ms = Math.round(clock.monotonicMs() - begunMs);
    logger.debug(
      { provider: spec.key, config: config.name, ms, models: listed.length },
      'Models were listed',
    );
    return usableOf(listed);
  }
}

function usableOf(listed: readonly ListedModel[]): ListedModel[] {
  const usable = usableModels(listed);
  if (usable.length === 0) {
    throw new ProviderError('PROVIDER_PROTOCOL', 'The provider listed no models at all; nothing was changed');
  }
  if (usable.length * 2 < listed.length) {
    throw new ProviderError(
      'PROVIDER_PROTOCOL',
      `Only ${usable.length} of ${listed.length} entries of the provider's list can be models; nothing was changed`,
    );
  }
  return usable;
}

function refuseShrunk(count: number, before: number): void {
  if (before < SUSPECT_FROM || count * 2 >= before) return;
  throw new ProviderError(
    'PROVIDER_PROTOCOL',
    `The provider listed ${count} models, ${before} the last time; nothing was changed. Sync with "acceptShrunkList" if that is right`,
  );
}
