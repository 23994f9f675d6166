// Owns bringing the installation's rows up to date with the built-in data: it adds and corrects rows, and leaves alone those that a person edited.
import type { Clock } from '../../kernel/clock.ts';
import type { NewId } from '../../kernel/ids.ts';
import type { SeedRepository } from '../../storage/repositories/seed.repository.ts';
import type { CatalogueData, CatalogueModel, CatalogueProvider } from './catalogue-data.ts';

export interface CatalogueSeedDependencies {
  readonly repository: SeedRepository;
  readonly clock: Clock;
  readonly newId: NewId;
}

/** True if anything was written. Models that the data no longer has become unavailable; changed prices get new versions. */
export async function seedCatalogue(needs: CatalogueSeedDependencies, data: CatalogueData): Promise<boolean> {
  const { repository, clock, newId } = needs;
  if (await repository.isUpToDate(data.hash)) return false;
  const seed = {
    hash: data.hash,
    version: data.version,
    providers: data.providers.map((provider) => toProviderRecord(provider, newId())),
    models: data.models.map((model) => toModelRecord(model, newId())),
    prices: data.models.flatMap((model) => toPriceRecords(model, newId)),
  };
  return repository.seed(seed, clock.now());
}

function toProviderRecord(provider: CatalogueProvider, id: string): object {
  return {
    id,
    key: provider.key,
    displayName: provider.displayName,
    description: provider.description,
    category: provider.category,
    protocol: provider.protocol,
    unservableReason: provider.unservableReason,
    baseUrl: provider.baseUrl,
    auth: provider.auth,
    settingsSchema: provider.settingsSchema,
    quirks: provider.quirks,
    envVars: provider.envVars,
    docsUrl: provider.docsUrl,
    hasModelList: provider.modelsEndpoint,
    free: provider.free,
    defaultModel: provider.defaultModel,
    sources: provider.sources,
  };
}

function toModelRecord(model: CatalogueModel, id: string): object {
  return {
    id,
    providerKey: model.provider,
    key: model.key,
    displayName: model.displayName,
    description: model.description,
    contextLength: model.contextLength,
    maxOutputTokens: model.maxOutputTokens,
    inputModalities: model.inputModalities,
    outputModalities: model.outputModalities,
    capabilities: model.capabilities,
    tags: model.tags,
    strengths: model.strengths,
    weaknesses: model.weaknesses,
    protocol: model.protocol,
    quirks: model.quirks,
    available: true,
    releasedAt: model.releasedAt,
  };
}

function toPriceRecords(model: CatalogueModel, newId: NewId): object[] {
  if (!model.prices) return [];
  const { input, output, cacheRead, cacheWrite, tiers } = model.prices;
  return [
    {
      id: newId(),
      canonicalId: `${model.provider}/${model.key}`,
      input,
      output,
      cacheRead: cacheRead ?? null,
      cacheWrite: cacheWrite ?? null,
      tiers: tiers ?? [],
    },
  ];
}
