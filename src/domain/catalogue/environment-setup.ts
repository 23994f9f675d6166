// Owns what the workspace `default` gets without any request: the sandbox, and a config for each provider whose credential the environment holds.
import type { Clock } from '../../kernel/clock.ts';
import type { NewId } from '../../kernel/ids.ts';
import { canonicalJson, type JsonObject } from '../../kernel/json.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { SealedSecret } from '../../storage/entities/provider-config.entity.ts';
import type { CatalogueWriteRepository } from '../../storage/repositories/catalogue-write.repository.ts';
import { freeSlug, ignoreConflict } from './free-slug.ts';
import { newConfigRow, newInstanceRow } from './new-rows.ts';
import { destinationOf } from './secret-destination.ts';
import type { ModelSpecRow, ProviderConfigRow, ProviderSpecRow, WorkspaceCatalogue } from './snapshot.ts';

export interface EnvironmentSetupDependencies {
  readonly writes: CatalogueWriteRepository;
  readonly catalogueOf: (workspaceId: string) => WorkspaceCatalogue;
  readonly installationProviders: () => ReadonlyMap<string, ProviderSpecRow>;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly logger: Logger;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly sandbox: boolean;
  /** Loads what was just written into this node's snapshots. */
  readonly refresh: () => Promise<void>;
}

interface WantedConfig {
  readonly spec: ProviderSpecRow;
  readonly origin: 'BUILT_IN' | 'ENVIRONMENT';
  readonly secret: SealedSecret | null;
  readonly settings: JsonObject;
  readonly baseUrl: string | null;
}

const SANDBOX = 'sandbox';
/** Lower than every real instance: `auto` uses the sandbox only if there is no other. */
const SANDBOX_PRIORITY = -1_000;
const MAX_INSTANCES = 5;
const DATED = /-(\d{8}|\d{4}-\d{2}-\d{2})$/;

/**
 * Writes only differences. A row that a person has changed (its origin is CUSTOM) is left alone; a config whose credential has left the environment is
 * switched off, not deleted.
 */
export async function setUpFromEnvironment(
  needs: EnvironmentSetupDependencies,
  workspaceId: string,
): Promise<void> {
  const catalogue = needs.catalogueOf(workspaceId);
  const wanted = wantedConfigs(needs, catalogue);
  const taken = new Set(catalogue.instancesBySlug.keys());
  const configsByName = new Map([...catalogue.configs.values()].map((config) => [config.name, config]));
  for (const want of wanted) {
    const existing = configsByName.get(want.spec.key);
    if (existing && existing.origin === 'CUSTOM') continue;
    const configId = existing?.id ?? needs.newId();
    if (existing) await updateConfig(needs, existing, want);
    else {
      await insertConfig(needs, workspaceId, configId, want);
      // Instances are created together with a new config only, so that one that a person has deleted does not come back.
      await addInstances(needs, workspaceId, configId, want, catalogue, taken);
    }
  }
  const names = new Set(wanted.map(({ spec }) => spec.key));
  for (const config of configsByName.values()) {
    if (config.origin === 'CUSTOM' || names.has(config.name) || !config.enabled) continue;
    // A config without a secret was found by asking a local server, not by an environment variable.
    if (config.origin === 'ENVIRONMENT' && !config.secret) continue;
    await needs.writes.update('provider_config', config.id, config.version, {
      enabled: false,
      updatedAt: needs.clock.now(),
    });
  }
  await needs.refresh();
}

function wantedConfigs(needs: EnvironmentSetupDependencies, catalogue: WorkspaceCatalogue): WantedConfig[] {
  const wanted: WantedConfig[] = [];
  // The operator's credentials are given for the installation's own provider rows. They are not sent to an address that a workspace's copy of such a row names.
  for (const spec of needs.installationProviders().values()) {
    if (!spec.enabled || !spec.protocol || !catalogue.providers.get(spec.key)?.enabled) continue;
    if (spec.key === SANDBOX) {
      if (needs.sandbox) wanted.push({ spec, origin: 'BUILT_IN', secret: null, settings: {}, baseUrl: null });
      continue;
    }
    const found = fromEnvironment(needs, spec);
    if (found) wanted.push(found);
  }
  return wanted;
}

function fromEnvironment(
  needs: EnvironmentSetupDependencies,
  spec: ProviderSpecRow,
): WantedConfig | undefined {
  const {
    secret,
    settings: named,
    baseUrl: addresses,
  } = spec.envVars as {
    readonly secret?: readonly string[];
    readonly settings?: Readonly<Record<string, string>>;
    readonly baseUrl?: readonly string[];
  };
  const variable = (name: string) => needs.environment[name]?.trim() || undefined;
  const env = secret?.find((name) => variable(name));
  if (!env) return undefined;
  const settings = Object.fromEntries(
    Object.entries(named ?? {}).flatMap(([setting, name]) => {
      const value = variable(name);
      return value === undefined ? [] : [[setting, value]];
    }),
  );
  const missing = ((spec.settingsSchema.required ?? []) as readonly string[]).filter(
    (name) => !(name in settings),
  );
  const baseUrl = addresses?.map(variable).find((value) => value !== undefined) ?? null;
  if (missing.length > 0 || !(baseUrl ?? spec.baseUrl)) {
    const variables =
      missing.length > 0 ? missing.map((name) => named?.[name] ?? name) : (addresses ?? ['a base URL']);
    needs.logger.warn(
      { provider: spec.key, variable: env, missing: variables },
      'A provider’s credential is in the environment, but not all that its config needs; it is not set up',
    );
    return undefined;
  }
  return { spec, origin: 'ENVIRONMENT', secret: { env }, settings, baseUrl };
}

async function insertConfig(
  { writes, clock }: EnvironmentSetupDependencies,
  workspaceId: string,
  id: string,
  want: WantedConfig,
): Promise<void> {
  const { spec, baseUrl, secret, settings, origin } = want;
  const secretDestination = secret && destinationOfWanted(want);
  const row = newConfigRow(
    { id, workspaceId, providerKey: spec.key, name: spec.key },
    { baseUrl, secret, secretDestination, settings, origin },
    clock.now(),
  );
  await writes.insert('provider_config', row).catch(ignoreConflict);
}

async function updateConfig(
  { writes, clock }: EnvironmentSetupDependencies,
  existing: ProviderConfigRow,
  want: WantedConfig,
): Promise<void> {
  const { secret, settings, baseUrl } = want;
  const same =
    existing.enabled &&
    (existing.baseUrl ?? null) === baseUrl &&
    canonicalJson([existing.secret ?? null, existing.settings]) === canonicalJson([secret, settings]);
  if (same) return;
  const secretDestination = secret && destinationOfWanted(want);
  const changes = { secret, secretDestination, settings, baseUrl, enabled: true, updatedAt: clock.now() };
  await writes.update('provider_config', existing.id, existing.version, changes);
}

function destinationOfWanted({ spec, baseUrl, settings }: WantedConfig) {
  return destinationOf({ name: spec.key, baseUrl, settings }, spec);
}

async function addInstances(
  needs: EnvironmentSetupDependencies,
  workspaceId: string,
  configId: string,
  want: WantedConfig,
  catalogue: WorkspaceCatalogue,
  taken: Set<string>,
): Promise<void> {
  for (const model of modelsToOffer(want.spec, catalogue)) {
    const slug = freeSlug(model, taken);
    taken.add(slug);
    const priority = want.spec.key === SANDBOX ? SANDBOX_PRIORITY : 0;
    const { canonicalId, displayName } = model;
    const row = newInstanceRow(
      { id: needs.newId(), workspaceId, slug, configId, canonicalId },
      { displayName, origin: want.origin, priority },
      needs.clock.now(),
    );
    await needs.writes.insert('model_instance', row).catch(ignoreConflict);
  }
}

/** The provider's default model, then its newest models that can call tools; every other model can be called by its canonical id. */
function modelsToOffer(spec: ProviderSpecRow, catalogue: WorkspaceCatalogue): ModelSpecRow[] {
  const models = [...catalogue.models.values()].filter(
    (model) => model.providerKey === spec.key && model.available && model.outputModalities.includes('text'),
  );
  const useful = models
    .filter((model) => model.capabilities.includes('tools') && !DATED.test(model.key))
    .sort((a, b) => (b.releasedAt ?? '').localeCompare(a.releasedAt ?? '') || a.key.localeCompare(b.key));
  const chosen = models.filter(({ key }) => key === spec.defaultModel);
  // Where the provider has a known default model, a model without a release date is not preferred to it.
  const others =
    chosen.length > 0 && spec.key !== SANDBOX ? useful.filter((model) => model.releasedAt) : useful;
  return [...new Set([...chosen, ...others])].slice(0, MAX_INSTANCES);
}
