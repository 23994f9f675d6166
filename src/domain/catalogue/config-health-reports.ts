// Owns what runs find out about a config: a credential that is refused marks it unhealthy at once, one that works again takes the mark away.
import type { Clock } from '../../kernel/clock.ts';
import type { ProviderError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { HealthResult, UpkeepRepository } from '../../storage/repositories/upkeep.repository.ts';
import type { ProviderConfigRow } from './snapshot.ts';

export interface ConfigHealthReportsDependencies {
  readonly upkeep: UpkeepRepository;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly refresh: () => Promise<void>;
}

/** Refused for another reason than the credential itself: the account, a region, a model. */
const UNAUTHORIZED = 401;

export class ConfigHealthReports {
  readonly #needs: ConfigHealthReportsDependencies;
  /** Rows that have been reported on: a snapshot's row is reported once. */
  readonly #reported = new WeakSet<ProviderConfigRow>();

  constructor(needs: ConfigHealthReportsDependencies) {
    this.#needs = needs;
  }

  /** The provider refused the config's credential. */
  refused(config: ProviderConfigRow, error: ProviderError): void {
    if ((error.status ?? UNAUTHORIZED) !== UNAUTHORIZED || config.health === 'UNHEALTHY') return;
    this.#save(config, {
      health: 'UNHEALTHY',
      fault: 'BAD_CREDENTIAL',
      error: { code: error.code, message: error.message },
    });
  }

  /** A call went through. */
  worked(config: ProviderConfigRow): void {
    if (config.health !== 'UNHEALTHY') return;
    this.#save(config, { health: 'HEALTHY', fault: null, error: null });
  }

  /** No run waits for it, and none fails by it. */
  #save(config: ProviderConfigRow, found: Omit<HealthResult, 'latencyMs' | 'checkedAt'>): void {
    if (this.#reported.has(config)) return;
    this.#reported.add(config);
    const { upkeep, clock, logger, refresh } = this.#needs;
    upkeep
      .saveHealth(config.id, { ...found, latencyMs: null, checkedAt: clock.now() })
      .then(refresh)
      .catch((error: unknown) =>
        logger.warn({ err: error, config: config.name }, 'A config’s health could not be stored'),
      );
  }
}
