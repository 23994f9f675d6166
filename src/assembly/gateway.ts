// Owns the assembly of the gateway behind its doors: every service that a door may call, and whether the node can take work.
import type { Config } from '../configuration/config.ts';
import { AccountService } from '../domain/billing/account-service.ts';
import { UsageService } from '../domain/billing/usage-service.ts';
import type { CatalogueData } from '../domain/catalogue/catalogue-data.ts';
import type { Services } from '../domain/gateway.ts';
import type { Authenticator } from '../domain/identity/authenticator.ts';
import { AvailabilityService } from '../domain/routing/availability.ts';
import { CircuitService } from '../domain/routing/circuit-service.ts';
import { ReportService } from '../domain/routing/report-service.ts';
import type { RunDrain } from '../domain/runs/run-drain.ts';
import { StorageError } from '../kernel/errors.ts';
import { FiguresRepository } from '../storage/repositories/figures.repository.ts';
import { MoneyRepository } from '../storage/repositories/money.repository.ts';
import type { SnapshotRepository } from '../storage/repositories/snapshot.repository.ts';
import { UsageRepository } from '../storage/repositories/usage.repository.ts';
import type { Readiness } from '../transport/http/health.ts';
import type { Basics } from './basics.ts';
import { assembleCatalogue } from './catalogue.ts';
import type { Foundation } from './foundation.ts';
import { assembleIdentity } from './identity.ts';
import { assembleRuns } from './runs.ts';

export interface Gateway {
  readonly services: Services;
  readonly authenticator: Authenticator;
  readonly readiness: Readiness;
}

/** When it resolves, the gateway can run completions. */
export async function assembleGateway(
  config: Config,
  basics: Basics,
  foundation: Foundation,
  { bootstrapKey, catalogueData }: GatewayBeginnings,
): Promise<Gateway> {
  const identity = await assembleIdentity(config, basics, foundation, bootstrapKey);
  const catalogue = await assembleCatalogue(config, basics, foundation, identity, catalogueData);
  const { completions, kinds, drain, circuits } = await assembleRuns(
    config,
    basics,
    foundation,
    identity,
    catalogue,
  );
  const { snapshots, refresh, authenticator } = identity;
  const { storage, snapshotRepository } = foundation;
  const { clock, newId } = basics;
  return {
    authenticator,
    readiness: { check: () => readinessOf(snapshotRepository, drain) },
    services: {
      ...catalogue.services,
      identity: identity.identity,
      apiKeys: identity.apiKeys,
      secrets: identity.secrets,
      audit: identity.audit,
      availability: new AvailabilityService({
        snapshots,
        circuits,
        speaks: (protocol) => catalogue.adapterOf(protocol) !== undefined,
        outputs: kinds.outputs,
      }),
      circuits: new CircuitService(snapshots, circuits),
      reports: new ReportService(new FiguresRepository(storage), clock),
      accounts: new AccountService({
        identity: identity.repository,
        money: new MoneyRepository(storage),
        billing: config.billing,
        clock,
        newId,
        refresh,
      }),
      usage: new UsageService(new UsageRepository(storage), clock),
      completions,
    },
  };
}

interface GatewayBeginnings {
  /** The first administrator's key of the workspace `default`. */
  readonly bootstrapKey: string;
  /** Takes the place of the built-in catalogue; null: the gateway starts with an empty one. */
  readonly catalogueData: CatalogueData | null | undefined;
}

async function readinessOf(snapshots: SnapshotRepository, drain: RunDrain): Promise<Record<string, string>> {
  const problems: Record<string, string> = drain.isDraining ? { node: 'it is shutting down' } : {};
  try {
    await snapshots.revision();
  } catch (error) {
    problems.database = error instanceof StorageError ? error.message : 'it does not answer';
  }
  return problems;
}
