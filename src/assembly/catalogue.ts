// Owns the putting together of the catalogue: its seed, its services, what the environment sets up, and what keeps it up to date.
import { loadCatalogueData } from '../domain/catalogue/catalogue-data.ts';
import { CatalogueRefreshService } from '../domain/catalogue/catalogue-refresh-service.ts';
import { seedCatalogue } from '../domain/catalogue/catalogue-seed.ts';
import { CatalogueService } from '../domain/catalogue/catalogue-service.ts';
import { setUpFromEnvironment } from '../domain/catalogue/environment-setup.ts';
import { ModelInstanceService } from '../domain/catalogue/model-instance-service.ts';
import { ModelSpecService } from '../domain/catalogue/model-spec-service.ts';
import { ModelSyncService } from '../domain/catalogue/model-sync-service.ts';
import { setUpOllama } from '../domain/catalogue/ollama-setup.ts';
import { PriceService } from '../domain/catalogue/price-service.ts';
import { ProviderCheckService } from '../domain/catalogue/provider-check-service.ts';
import { ProviderConfigService } from '../domain/catalogue/provider-config-service.ts';
import { ProviderSpecService } from '../domain/catalogue/provider-spec-service.ts';
import { ProviderTargets } from '../domain/catalogue/provider-target.ts';
import { UpkeepSchedule } from '../domain/catalogue/upkeep-schedule.ts';
import type { JsonObject } from '../kernel/json.ts';
import { CatalogueRepository } from '../storage/repositories/catalogue.repository.ts';
import { CatalogueWriteRepository } from '../storage/repositories/catalogue-write.repository.ts';
import { SeedRepository } from '../storage/repositories/seed.repository.ts';
import { UpkeepRepository } from '../storage/repositories/upkeep.repository.ts';
import type { Foundation } from './foundation.ts';
import type { AssembledIdentity } from './identity.ts';

export type AssembledCatalogue = Awaited<ReturnType<typeof assembleCatalogue>>;

/** Seeds the catalogue, loads the snapshots, and offers what the environment has credentials for. */
export async function assembleCatalogue(foundation: Foundation, identity: AssembledIdentity) {
  const { config, storage, clock, newId, logger, opened, vault, http, allowAddress, adapters, random } =
    foundation;
  const { refresh, snapshots, watcher, binding, charges } = identity;
  await seed(foundation);
  await watcher.start();
  opened.push(() => watcher.close());

  const reads = new CatalogueRepository(storage);
  const needs = { reads, writes: new CatalogueWriteRepository(storage), clock, newId, refresh };
  const adapterOf = (protocol: string) => adapters.get(protocol);
  const priced = { ...needs, holdsMoney: (workspaceId: string) => charges.holdsMoney(workspaceId) };
  const specNeeds = {
    ...priced,
    binding,
    protocols: () => adapters.protocols(),
    faultsOfQuirks: (protocol: string, quirks: JsonObject) =>
      adapterOf(protocol)?.faultsOfQuirks?.(quirks) ?? [],
  };
  const targets = new ProviderTargets(vault);
  const catalogueOf = (workspaceId: string) => snapshots.of(workspaceId);
  const upkeepNeeds = { ...needs, upkeep: new UpkeepRepository(storage), adapterOf, targets, logger };
  const providerChecks = new ProviderCheckService(upkeepNeeds);
  const modelSyncs = new ModelSyncService(upkeepNeeds);
  const catalogueRefreshes = new CatalogueRefreshService({
    ...upkeepNeeds,
    http,
    urls: config.catalogueUrls,
  });
  await setUpDefaultWorkspace(
    foundation,
    { ...needs, targets, catalogueOf, installationProviders: () => snapshots.installationProviders() },
    await identity.identity.defaultWorkspaceId(),
  );
  const schedule = new UpkeepSchedule({
    ...upkeepNeeds,
    ...config.upkeep,
    checks: providerChecks,
    syncs: modelSyncs,
    refreshes: catalogueRefreshes,
    random,
  });
  opened.push(() => modelSyncs.close());
  schedule.start();
  opened.push(() => schedule.close());
  return {
    targets,
    adapterOf,
    upkeepNeeds,
    services: {
      catalogue: new CatalogueService(reads),
      providerSpecs: new ProviderSpecService(specNeeds),
      providerConfigs: new ProviderConfigService({ ...needs, vault, allowAddress, catalogueOf }),
      modelSpecs: new ModelSpecService(specNeeds),
      modelInstances: new ModelInstanceService(priced),
      prices: new PriceService(priced),
      providerChecks,
      modelSyncs,
      catalogueRefreshes,
    },
  };
}

async function seed({ overrides, storage, clock, newId }: Foundation): Promise<void> {
  const data = overrides.catalogueData === undefined ? await loadCatalogueData() : overrides.catalogueData;
  if (data) await seedCatalogue({ repository: new SeedRepository(storage), clock, newId }, data);
}

type SetupNeeds = Omit<
  Parameters<typeof setUpFromEnvironment>[0] & Parameters<typeof setUpOllama>[0],
  'adapter' | 'environment' | 'sandbox' | 'logger'
>;

/** The sandbox and the environment's credentials at once; an Ollama is looked for while the node is already up. */
async function setUpDefaultWorkspace(
  { config, adapters, logger, opened }: Foundation,
  partial: SetupNeeds,
  workspaceId: string,
): Promise<void> {
  const { environment, sandbox } = config;
  const needs = { ...partial, adapter: adapters.get('ollama'), environment, sandbox, logger };
  await setUpFromEnvironment(needs, workspaceId);
  if (!config.findOllama) return;
  const stop = new AbortController();
  const looked = setUpOllama(needs, workspaceId, stop.signal).catch((error: unknown) =>
    logger.warn({ err: error }, 'The Ollama beside this node could not be set up'),
  );
  opened.push(async () => {
    stop.abort();
    await looked;
  });
}
