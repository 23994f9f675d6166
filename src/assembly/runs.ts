// Owns the assembly of runs: planning, limits and holds, execution, the event log, and the keeper that settles runs of dead nodes.
import type { Config } from '../configuration/config.ts';
import { memoryRunBus } from '../coordination/memory/run-bus.ts';
import { ConfigHealthReports } from '../domain/catalogue/config-health-reports.ts';
import { type CompletionService, createCompletionKind } from '../domain/completions/completion-kind.ts';
import { Circuits } from '../domain/routing/circuits.ts';
import { CircuitProbes } from '../domain/runs/circuit-probes.ts';
import { ContentRetention } from '../domain/runs/content-retention.ts';
import { RunExecutor } from '../domain/runs/executor.ts';
import { Kinds } from '../domain/runs/kinds.ts';
import { NodeLease } from '../domain/runs/node-lease.ts';
import { OrphanRuns } from '../domain/runs/orphan-runs.ts';
import { RunDrain } from '../domain/runs/run-drain.ts';
import { RunFollower } from '../domain/runs/run-follower.ts';
import { RunKeeper } from '../domain/runs/run-keeper.ts';
import { RunLimits } from '../domain/runs/run-limits.ts';
import { RunPlanner } from '../domain/runs/run-planner.ts';
import { RunService } from '../domain/runs/run-service.ts';
import { RunStarter } from '../domain/runs/run-starter.ts';
import { UnsureBegins } from '../domain/runs/unsure-begins.ts';
import { ContentRepository } from '../storage/repositories/content.repository.ts';
import { RunRepository } from '../storage/repositories/run.repository.ts';
import type { Basics } from './basics.ts';
import type { AssembledCatalogue } from './catalogue.ts';
import type { Foundation } from './foundation.ts';
import type { AssembledIdentity } from './identity.ts';
import { openCircuitStore, openEventLog, openLimiter } from './shared-state.ts';

type RunsConfig = Pick<
  Config,
  | 'eventRetentionMs'
  | 'eventLogMaxBytes'
  | 'strictEvents'
  | 'database'
  | 'circuits'
  | 'maxAnswerBytes'
  | 'leaseSeconds'
  | 'retries'
  | 'requestBounds'
  | 'contentSweepSeconds'
  | 'drainGraceMs'
>;

/** When it resolves, the node holds a lease and has ended the runs that its earlier process left running. */
export async function assembleRuns(
  config: RunsConfig,
  basics: Basics,
  { storage, shared }: Pick<Foundation, 'storage' | 'shared'>,
  { snapshots, charges }: AssembledIdentity,
  { adapterOf, targets, upkeepNeeds }: AssembledCatalogue,
) {
  const { clock, newId, logger, telemetry, random, parts } = basics;
  const nodeId = newId();
  const completionKind = createCompletionKind({
    bounds: config.requestBounds,
    optionRulesOf: (protocol) => adapterOf(protocol)?.completions?.optionRules,
  });
  const kinds = new Kinds([completionKind]);
  const log = openEventLog(config, basics, shared, kinds);
  parts.add('run state', () => log.dispose());
  const bus = shared?.bus ?? memoryRunBus;
  const repository = new RunRepository(storage, config.database.acquireTimeoutMs, telemetry);
  const circuits = new Circuits({
    store: openCircuitStore(basics, shared),
    clock,
    telemetry,
    settings: config.circuits,
  });
  parts.add('run state', () => circuits.close());
  const common = { adapterOf, targets, circuits, clock, random };
  const probes = new CircuitProbes({ ...common, logger });
  parts.add('run state', () => probes.close());
  const executor = new RunExecutor({
    ...common,
    probes,
    health: new ConfigHealthReports(upkeepNeeds),
    runs: repository,
    kinds,
    log,
    logger,
    telemetry,
    maxAnswerBytes: config.maxAnswerBytes,
  });
  const { leaseSeconds } = config;
  const node = { nodeId, runs: repository, clock, logger };
  const lease = new NodeLease({ ...node, leaseSeconds });
  const unsure = new UnsureBegins(node);
  const limiter = openLimiter(shared, clock, () => lease.liveNodes);
  parts.add('run state', () => limiter.dispose());
  const starter = new RunStarter({
    nodeId,
    planner: new RunPlanner({ ...common, snapshots, retries: config.retries }),
    executor,
    runs: repository,
    unsure,
    charges,
    limits: new RunLimits(limiter),
    telemetry,
    clock,
    newId,
  });
  const follower = new RunFollower({ executor, runs: repository, kinds, log, clock });
  const drain = new RunDrain(executor);
  const completions: CompletionService = new RunService(completionKind, {
    starter,
    executor,
    runs: repository,
    follower,
    bus,
    drain,
    kinds,
    telemetry,
  });
  const keeper = new RunKeeper({
    ...node,
    executor,
    lease,
    orphans: new OrphanRuns({ ...node, kinds, log, telemetry }),
    unsure,
    bus,
    alone: storage.kind === 'embedded',
    leaseSeconds,
  });
  const retention = new ContentRetention({
    content: new ContentRepository(storage),
    logger,
    sweepEverySeconds: config.contentSweepSeconds,
    replaySeconds: config.eventRetentionMs / 1_000,
  });
  retention.start();
  parts.add('keeping', () => retention.close());
  await lease.start();
  parts.add('keeping', () => lease.close());
  await keeper.start();
  parts.add('keeping', () => keeper.close());
  parts.add('runs', async () => {
    const left = await drain.drain(config.drainGraceMs);
    if (left > 0)
      logger.warn({ runs: left }, 'Runs could not be ended; the next start or another node ends them');
  });
  return { completions, kinds, drain, circuits };
}
