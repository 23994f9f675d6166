// Owns the check of a config's address and credentials, on demand and on schedule.
import type { Clock } from '../../kernel/clock.ts';
import { GatewayError, ProviderError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Adapter } from '../../providers/contract/adapter.ts';
import type { CatalogueRepository } from '../../storage/repositories/catalogue.repository.ts';
import type { UpkeepRepository } from '../../storage/repositories/upkeep.repository.ts';
import { requireScope, type Viewer } from '../identity/viewer.ts';
import type { ProviderTargets } from './provider-target.ts';
import type { ProviderConfigRow } from './snapshot.ts';

/** The kinds of fault, so that people know what to correct. */
export const HEALTH_FAULTS = [
  'BAD_CREDENTIAL',
  'UNREACHABLE',
  'BAD_CERTIFICATE',
  'TIMEOUT',
  'RATE_LIMITED',
  'BAD_SETTINGS',
  'OTHER',
] as const;
export type HealthFault = (typeof HEALTH_FAULTS)[number];

export interface ProviderCheckDependencies {
  readonly reads: CatalogueRepository;
  readonly upkeep: UpkeepRepository;
  readonly adapterOf: (protocol: string) => Adapter | undefined;
  readonly targets: ProviderTargets;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly refresh: () => Promise<void>;
}

const CHECK_WITHIN_MS = 10_000;

export class ProviderCheckService {
  readonly #needs: ProviderCheckDependencies;

  constructor(needs: ProviderCheckDependencies) {
    this.#needs = needs;
  }

  /** The config with the result; a failed check is a result, not an error. */
  async check(viewer: Viewer, configId: string): Promise<ProviderConfigRow> {
    requireScope(viewer, 'catalogue');
    await this.checkOf(viewer.workspaceId, configId);
    await this.#needs.refresh();
    return this.#load(viewer.workspaceId, configId);
  }

  /** Called by the schedule, which has no viewer. */
  async checkOf(workspaceId: string, configId: string): Promise<void> {
    const { reads, upkeep, clock, logger } = this.#needs;
    const config = await this.#load(workspaceId, configId);
    const [spec] = await reads.byNames('provider_spec', workspaceId, [config.providerKey]);
    const begun = clock.monotonicMs();
    const fault = await this.#faultOf(config, spec);
    const latencyMs = Math.round(clock.monotonicMs() - begun);
    logger.debug(
      { config: config.name, provider: config.providerKey, ms: latencyMs, fault: fault?.code ?? null },
      'A config was checked',
    );
    await upkeep.saveHealth(configId, {
      health: fault ? 'UNHEALTHY' : 'HEALTHY',
      fault: fault ? kindOf(fault) : null,
      error: fault ? { code: fault.code, message: fault.message } : null,
      latencyMs,
      checkedAt: clock.now(),
    });
  }

  async #faultOf(
    config: ProviderConfigRow,
    spec: Parameters<ProviderTargets['of']>[1] | undefined,
  ): Promise<ProviderError | GatewayError | undefined> {
    const { adapterOf, targets } = this.#needs;
    const adapter = adapterOf(spec?.protocol ?? '');
    if (!spec || !adapter) {
      const protocol = spec?.protocol ?? 'no protocol';
      return new GatewayError(
        'MODEL_UNAVAILABLE',
        `This node cannot call "${config.providerKey}" (${protocol})`,
      );
    }
    try {
      await adapter.health.check(targets.of(config, spec), { signal: AbortSignal.timeout(CHECK_WITHIN_MS) });
      return undefined;
    } catch (error) {
      if (error instanceof ProviderError || error instanceof GatewayError) return error;
      if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')) {
        return new ProviderError('PROVIDER_TIMEOUT', `No answer within ${CHECK_WITHIN_MS / 1000} seconds`);
      }
      throw error;
    }
  }

  async #load(workspaceId: string, configId: string): Promise<ProviderConfigRow> {
    const [config] = await this.#needs.reads.byIds('provider_config', workspaceId, [configId]);
    if (!config)
      throw new GatewayError('NOT_FOUND', 'There is no provider config with this id', { path: 'id' });
    return config;
  }
}

function kindOf(error: ProviderError | GatewayError): HealthFault {
  if (error instanceof GatewayError) return 'BAD_SETTINGS';
  if (error.transport === 'certificate') return 'BAD_CERTIFICATE';
  if (error.code === 'PROVIDER_AUTHENTICATION') return 'BAD_CREDENTIAL';
  if (error.code === 'PROVIDER_TIMEOUT') return 'TIMEOUT';
  if (error.code === 'PROVIDER_RATE_LIMITED') return 'RATE_LIMITED';
  return error.code === 'PROVIDER_UNAVAILABLE' ? 'UNREACHABLE' : 'OTHER';
}
