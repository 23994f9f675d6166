// Owns what runs report of a config: a refused credential marks it unhealthy at once, a call that succeeds removes the mark.
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

/** A refusal with any other status is not about the credential itself but about the account, a region or a model. */
const UNAUTHORIZED = 401;

export class ConfigHealthReports {
  readonly #needs: ConfigHealthReportsDependencies;
  /** Snapshot rows that were reported on, so that each is reported once. */
  readonly #reported = new WeakSet<ProviderConfigRow>();

  constructor(needs: ConfigHealthReportsDependencies) {
    this.#needs = needs;
  }

  /** Called when the provider has refused the config's credential. */
  refused(config: ProviderConfigRow, error: ProviderError): void {
    if ((error.status ?? UNAUTHORIZED) !== UNAUTHORIZED || config.health === 'UNHEALTHY') return;
    this.#save(config, {
      health: 'UNHEALTHY',
      fault: 'BAD_CREDENTIAL',
      error: { code: error.code, message: error.message },
    });
  }

  /** Called when a call has succeeded. */
  worked(config: ProviderConfigRow): void {
    if (config.health !== 'UNHEALTHY') return;
    this.#save(config, { health: 'HEALTHY', fault: null, error: null });
  }

  /** Saves in the background: no run waits for it or fails because of it. */
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
