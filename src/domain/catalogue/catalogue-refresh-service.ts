// Owns the update of the installation's models and prices from public lists. The built-in data is the base, and a list that cannot be read changes nothing.
import type { Clock } from '../../kernel/clock.ts';
import { GatewayError, ProviderError } from '../../kernel/errors.ts';
import type { NewId } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { UpstreamHttp } from '../../providers/contract/http.ts';
import type { RefreshWritten, UpkeepRepository } from '../../storage/repositories/upkeep.repository.ts';
import { requireScope, type Viewer } from '../identity/viewer.ts';
import {
  CATALOGUE_SOURCES,
  type CatalogueSourceName,
  readCatalogueSource,
  type SourceModel,
  type SourceRates,
} from './catalogue-sources.ts';

export interface CatalogueRefreshDependencies {
  readonly upkeep: UpkeepRepository;
  readonly http: UpstreamHttp;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly logger: Logger;
  readonly refresh: () => Promise<void>;
  /** The address of each list; `undefined` switches the refresh off. */
  readonly urls: Readonly<Record<CatalogueSourceName, string>> | undefined;
}

/** The result of reading one list. */
export interface RefreshOutcome extends RefreshWritten {
  readonly source: CatalogueSourceName;
  readonly url: string;
  /** How many readable models it had. */
  readonly listed: number;
  readonly error: { readonly code: string; readonly message: string } | null;
}

const ANSWER_WITHIN_MS = 30_000;
const CONNECT_WITHIN_MS = 5_000;
const MAX_BYTES = 64 * 1_048_576;
const NANO_PER_DOLLAR = 1e9;

export class CatalogueRefreshService {
  readonly #needs: CatalogueRefreshDependencies;

  constructor(needs: CatalogueRefreshDependencies) {
    this.#needs = needs;
  }

  /** Raises `FORBIDDEN` unless the viewer administers the installation, `BAD_USER_INPUT` if the operator has switched the refresh off. */
  async refresh(viewer: Viewer, sources: readonly CatalogueSourceName[]): Promise<RefreshOutcome[]> {
    requireScope(viewer, 'catalogue');
    if (!viewer.installationAdmin) {
      throw new GatewayError(
        'FORBIDDEN',
        'Only administrators of the installation may refresh its catalogue',
      );
    }
    if (!this.#needs.urls) {
      throw new GatewayError(
        'BAD_USER_INPUT',
        'sources: the operator has switched this off by CATALOGUE_REFRESH',
        {
          path: 'sources',
        },
      );
    }
    return this.run(sources);
  }

  /** Called by the schedule, which has no viewer. */
  async run(sources: readonly CatalogueSourceName[] = CATALOGUE_SOURCES): Promise<RefreshOutcome[]> {
    const outcomes: RefreshOutcome[] = [];
    const { urls } = this.#needs;
    if (!urls) return outcomes;
    for (const source of sources) outcomes.push(await this.#refreshFrom(source, urls[source]));
    await this.#needs.refresh();
    return outcomes;
  }

  async #refreshFrom(source: CatalogueSourceName, url: string): Promise<RefreshOutcome> {
    const { upkeep, clock, newId, logger } = this.#needs;
    try {
      const models = readCatalogueSource(source, await this.#fetch(url));
      if (models.length === 0) {
        throw new ProviderError(
          'PROVIDER_PROTOCOL',
          'The answer is not a list of models; nothing was changed',
        );
      }
      const records = models.map((model) => toListedRecord(model, newId));
      const written = await upkeep.refreshCatalogue(source, records, clock.now());
      const { added, updated, priced } = written;
      logger.info(
        { source, added: added.length, updated: updated.length, priced: priced.length },
        'The catalogue was refreshed',
      );
      return { ...written, source, url, listed: models.length, error: null };
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      logger.warn({ source, url, err: error }, 'The catalogue was not refreshed');
      const { code, message } = error;
      return { source, url, listed: 0, added: [], updated: [], priced: [], error: { code, message } };
    }
  }

  async #fetch(url: string): Promise<string> {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    try {
      const response = await this.#needs.http.send({
        method: 'GET',
        url,
        headers: { accept: 'application/json' },
        signal,
        connectTimeoutMs: CONNECT_WITHIN_MS,
      });
      const text = await response.text(MAX_BYTES);
      if (response.status === 200) return text;
      throw new ProviderError('PROVIDER_UNAVAILABLE', `It answered ${response.status}`, {
        status: response.status,
      });
    } catch (error) {
      if (error instanceof ProviderError || !signal.aborted) throw error;
      throw new ProviderError('PROVIDER_TIMEOUT', `No answer within ${ANSWER_WITHIN_MS / 1_000} seconds`);
    }
  }
}

/** The record of a listed model, with its price. */
function toListedRecord(model: SourceModel, newId: NewId): object {
  const { rates } = model;
  return {
    id: newId(),
    priceId: newId(),
    providerKey: model.providerKey,
    key: model.key,
    displayName: model.displayName,
    contextLength: model.contextLength,
    maxOutputTokens: model.maxOutputTokens,
    inputModalities: model.inputModalities,
    outputModalities: model.outputModalities,
    capabilities: model.capabilities,
    releasedAt: model.releasedAt,
    ...(rates ? toNanoRates(rates) : {}),
    cacheRead: nano(rates?.cacheRead),
    cacheWrite: nano(rates?.cacheWrite),
    tiers: (rates?.tiers ?? []).map(({ above, cacheRead, cacheWrite, ...tier }) => ({
      aboveInputTokens: above,
      ...toNanoRates(tier),
      ...(cacheRead === undefined ? {} : { cacheRead: nano(cacheRead) }),
      ...(cacheWrite === undefined ? {} : { cacheWrite: nano(cacheWrite) }),
    })),
  };
}

function toNanoRates({ input, output }: SourceRates): { input: string | null; output: string | null } {
  return { input: nano(input), output: nano(output) };
}

/** Decimal text of nano-dollars per million tokens. */
function nano(dollars: number | undefined): string | null {
  return dollars === undefined ? null : String(Math.round(dollars * NANO_PER_DOLLAR));
}
