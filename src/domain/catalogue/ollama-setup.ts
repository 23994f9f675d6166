// Owns the search for an Ollama server near the gateway: if one answers, its models become instances of the workspace `default` without further set-up.
import type { Clock } from '../../kernel/clock.ts';
import type { NewId } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Adapter } from '../../providers/contract/adapter.ts';
import type { ListedModel } from '../../providers/contract/models.ts';
import type { CatalogueWriteRepository } from '../../storage/repositories/catalogue-write.repository.ts';
import { freeSlug, ignoreConflict } from './free-slug.ts';
import { newListedRow } from './listed-models.ts';
import { newConfigRow, newInstanceRow } from './new-rows.ts';
import type { ProviderTargets } from './provider-target.ts';
import type { ProviderConfigRow, ProviderSpecRow, WorkspaceCatalogue } from './snapshot.ts';

export interface OllamaSetupDependencies {
  readonly adapter: Adapter | undefined;
  readonly targets: ProviderTargets;
  readonly writes: CatalogueWriteRepository;
  readonly catalogueOf: (workspaceId: string) => WorkspaceCatalogue;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly logger: Logger;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly refresh: () => Promise<void>;
}

const OLLAMA = 'ollama';
const ANSWER_WITHIN_MS = 1_000;
const DEFAULT_PORT = '11434';

/** Does nothing if no Ollama answers at `OLLAMA_BASE_URL`, `OLLAMA_HOST` or its usual address. */
export async function setUpOllama(
  needs: OllamaSetupDependencies,
  workspaceId: string,
  signal: AbortSignal,
): Promise<void> {
  const catalogue = needs.catalogueOf(workspaceId);
  const spec = catalogue.providers.get(OLLAMA);
  const existing = [...catalogue.configs.values()].find(({ name }) => name === OLLAMA);
  if (!spec?.enabled || !needs.adapter?.models || (existing && existing.origin !== 'ENVIRONMENT')) return;
  const baseUrl = baseUrlOf(needs.environment);
  const now = needs.clock.now();
  const added = newConfigRow(
    { id: needs.newId(), workspaceId, providerKey: OLLAMA, name: OLLAMA },
    { baseUrl, origin: 'ENVIRONMENT', lastSyncAt: now },
    now,
  );
  const config: ProviderConfigRow = existing ? { ...existing, baseUrl } : { ...added, version: 1 };
  const listed = await listModels(needs, needs.adapter, config, spec, signal);
  if (!listed) return;
  if (!existing) await needs.writes.insert('provider_config', added).catch(ignoreConflict);
  else if ((existing.baseUrl ?? null) !== baseUrl) {
    const changes = { baseUrl, updatedAt: needs.clock.now() };
    await needs.writes.update('provider_config', existing.id, existing.version, changes);
  }
  const taken = new Set(catalogue.instancesBySlug.keys());
  const served = new Set([...catalogue.instances.values()].map(({ canonicalId }) => canonicalId));
  for (const model of listed) {
    const canonicalId = `${OLLAMA}/${model.key}`;
    if (served.has(canonicalId)) continue;
    if (!catalogue.models.has(canonicalId)) await insertModel(needs, workspaceId, model);
    if (model.outputModalities && !model.outputModalities.includes('text')) continue;
    const slug = freeSlug({ key: model.key, canonicalId }, taken);
    taken.add(slug);
    const row = newInstanceRow(
      { id: needs.newId(), workspaceId, slug, configId: config.id, canonicalId },
      { displayName: model.displayName ?? model.key, origin: 'ENVIRONMENT' },
      needs.clock.now(),
    );
    await needs.writes.insert('model_instance', row).catch(ignoreConflict);
  }
  await needs.refresh();
  needs.logger.info(
    { models: listed.length, baseUrl: config.baseUrl ?? spec.baseUrl },
    'An Ollama is reachable; its models are set up',
  );
}

async function listModels(
  { targets, logger }: OllamaSetupDependencies,
  adapter: Adapter,
  config: ProviderConfigRow,
  spec: ProviderSpecRow,
  signal: AbortSignal,
): Promise<ListedModel[] | undefined> {
  try {
    const within = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]);
    return await adapter.models?.list(targets.of(config, spec), { signal: within });
  } catch (error) {
    logger.debug({ err: error }, 'No Ollama answers');
    return undefined;
  }
}

/** `OLLAMA_HOST` may be just a host name, as Ollama itself accepts it. */
function baseUrlOf(environment: Readonly<Record<string, string | undefined>>): string | null {
  const named = environment.OLLAMA_BASE_URL?.trim() || environment.OLLAMA_HOST?.trim();
  if (!named) return null;
  const url = URL.parse(named.includes('://') ? named : `http://${named}`);
  if (!url) return null;
  if (!named.includes('://') && url.port === '') url.port = DEFAULT_PORT;
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  return url.href.replace(/\/+$/, '');
}

async function insertModel(
  { writes, clock, newId }: OllamaSetupDependencies,
  workspaceId: string,
  model: ListedModel,
): Promise<void> {
  const row = newListedRow(model, {
    workspaceId,
    providerKey: OLLAMA,
    newId,
    now: clock.now(),
  });
  await writes.insert('model_spec', row).catch(ignoreConflict);
}
