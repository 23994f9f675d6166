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
    providers: data.providers.map((provider) => toProviderRow(provider, newId())),
    models: data.models.map((model) => toModelRow(model, newId())),
    prices: data.models.flatMap((model) => toPriceRows(model, newId)),
  };
  return repository.seed(seed, clock.now());
}

function toProviderRow(provider: CatalogueProvider, id: string): object {
  return {
    id,
    key: provider.key,
    display_name: provider.displayName,
    description: provider.description,
    category: provider.category,
    protocol: provider.protocol,
    unservable_reason: provider.unservableReason,
    base_url: provider.baseUrl,
    auth: provider.auth,
    settings_schema: provider.settingsSchema,
    quirks: provider.quirks,
    env_vars: provider.envVars,
    docs_url: provider.docsUrl,
    has_model_list: provider.modelsEndpoint,
    free: provider.free,
    default_model: provider.defaultModel,
    sources: provider.sources,
  };
}

function toModelRow(model: CatalogueModel, id: string): object {
  return {
    id,
    provider_key: model.provider,
    key: model.key,
    display_name: model.displayName,
    description: model.description,
    context_length: model.contextLength,
    max_output_tokens: model.maxOutputTokens,
    input_modalities: model.inputModalities,
    output_modalities: model.outputModalities,
    capabilities: model.capabilities,
    tags: model.tags,
    strengths: model.strengths,
    weaknesses: model.weaknesses,
    protocol: model.protocol,
    quirks: model.quirks,
    available: true,
    released_at: model.releasedAt,
  };
}

function toPriceRows(model: CatalogueModel, newId: NewId): object[] {
  if (!model.prices) return [];
  const { input, output, cacheRead, cacheWrite, tiers } = model.prices;
  return [
    {
      id: newId(),
      canonical_id: `${model.provider}/${model.key}`,
      input,
      output,
      cache_read: cacheRead ?? null,
      cache_write: cacheWrite ?? null,
      tiers: tiers ?? [],
    },
  ];
}
