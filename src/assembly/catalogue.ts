// Owns the assembly of the catalogue: its seed, its services, the rows that the environment asks for, and the schedule that keeps it up to date.
import type { Config } from '../configuration/config.ts';
import { type CatalogueData, loadCatalogueData } from '../domain/catalogue/catalogue-data.ts';
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
import type { Basics } from './basics.ts';
import type { Foundation } from './foundation.ts';
import type { AssembledIdentity } from './identity.ts';

type CatalogueConfig = Pick<Config, 'catalogueUrls' | 'upkeep' | 'environment' | 'sandbox' | 'findOllama'>;
type CatalogueFoundation = Pick<Foundation, 'storage' | 'vault' | 'http' | 'allowAddress' | 'adapters'>;

export type AssembledCatalogue = Awaited<ReturnType<typeof assembleCatalogue>>;

/** Seeds the catalogue, loads the snapshots, and makes a config for each provider whose credentials the environment holds. */
export async function assembleCatalogue(
  config: CatalogueConfig,
  basics: Basics,
  { storage, vault, http, allowAddress, adapters }: CatalogueFoundation,
  identity: AssembledIdentity,
  catalogueData: CatalogueData | null | undefined,
) {
  const { clock, newId, logger, random, parts } = basics;
  const { refresh, snapshots, watcher, binding, charges } = identity;
  const data = catalogueData === undefined ? await loadCatalogueData() : catalogueData;
  if (data) await seedCatalogue({ repository: new SeedRepository(storage), clock, newId }, data);
  await watcher.start();
  parts.add('identity', () => watcher.close());

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
    config,
    basics,
    {
      ...needs,
      adapter: adapters.get('ollama'),
      targets,
      catalogueOf,
      installationProviders: () => snapshots.installationProviders(),
    },
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
  parts.add('keeping', () => modelSyncs.close());
  schedule.start();
  parts.add('keeping', () => schedule.close());
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

type SetupNeeds = Omit<
  Parameters<typeof setUpFromEnvironment>[0] & Parameters<typeof setUpOllama>[0],
  'environment' | 'sandbox' | 'logger'
>;

/** Sets up the sandbox and the environment's credentials before it resolves; an Ollama is looked for in the background, so the node does not wait for it. */
async function setUpDefaultWorkspace(
  { environment, sandbox, findOllama }: CatalogueConfig,
  { logger, parts }: Basics,
  partial: SetupNeeds,
  workspaceId: string,
): Promise<void> {
  const needs = { ...partial, environment, sandbox, logger };
  await setUpFromEnvironment(needs, workspaceId);
  if (!findOllama) return;
  const stop = new AbortController();
  const looked = setUpOllama(needs, workspaceId, stop.signal).catch((error: unknown) =>
    logger.warn({ err: error }, 'The Ollama beside this node could not be set up'),
  );
  parts.add('keeping', async () => {
    stop.abort();
    await looked;
  });
}
