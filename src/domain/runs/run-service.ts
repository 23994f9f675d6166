// Owns what a caller can do with completions; every door goes through here. A run is detached from whoever asked; readers follow its log.
import type { RunBus } from '../../coordination/contract.ts';
import { nextTurn } from '../../kernel/async.ts';
import { GatewayError } from '../../kernel/errors.ts';
import { InputCheck } from '../../kernel/input-check.ts';
import type { Telemetry } from '../../kernel/telemetry.ts';
import type { RunRepository } from '../../storage/repositories/run.repository.ts';
import type { RunListFilter, RunListPage } from '../../storage/repositories/run.rows.ts';
import { hasScope, requireScope, type Viewer } from '../identity/viewer.ts';
import type { RoutePlan } from '../routing/route-plan.ts';
import type { RunPolicy } from './active-run.ts';
import type { CompletionEvent } from './completion-event.ts';
import type { CompletionRequest } from './completion-request.ts';
import type { RunExecutor } from './executor.ts';
import { loadRun, runNotFound } from './load-run.ts';
import { RunDrain } from './run-drain.ts';
import type { RunFollower } from './run-follower.ts';
import { type RunAttempt, type RunRecord, toRunAttempt, toRunRecord } from './run-record.ts';
import type { CallContext, RunStarter } from './run-starter.ts';

export interface RunServiceDependencies {
  readonly starter: RunStarter;
  readonly executor: RunExecutor;
  readonly runs: RunRepository;
  readonly follower: RunFollower;
  readonly bus: RunBus;
  readonly telemetry: Telemetry;
}

export interface CancelResult {
  readonly run: RunRecord;
  /** False if the end could not be committed in time; it will be. */
  readonly settled: boolean;
}

export type RunFilter = Omit<RunListFilter, 'workspaceId' | 'caller'>;

const CANCEL_WAIT_MS = 1_500;

export class RunService {
  readonly #needs: RunServiceDependencies;
  readonly #drain: RunDrain;

  constructor(needs: RunServiceDependencies) {
    this.#needs = needs;
    this.#drain = new RunDrain(needs.executor);
  }

  get draining(): boolean {
    return this.#drain.isDraining;
  }

  /** The plan that a request would run by, without running it. */
  routePlan(viewer: Viewer, request: CompletionRequest): RoutePlan {
    return this.#needs.starter.plan(viewer, request);
  }

  /** Runs to the end; raises the run's error, with `completionId`, unless it finished. */
  async complete(viewer: Viewer, request: CompletionRequest, context: CallContext): Promise<RunRecord> {
    // Nobody sees it grow, so any fault at any time can be hidden.
    const runId = await this.#begin(viewer, request, context, 'COMPLETE');
    const run = await this.#needs.follower.ended(runId, context.gone);
    if (run.status === 'FINISHED') return run;
    throw endedBadly(run);
  }

  /** Begins a run and answers at once. */
  async start(viewer: Viewer, request: CompletionRequest, context: CallContext): Promise<RunRecord> {
    const runId = await this.#begin(viewer, request, context);
    return this.#needs.executor.get(runId)?.record() ?? loadRun(this.#needs.runs, runId);
  }

  /** Begins a run, or joins the one that its key names, and follows it from the start. */
  async stream(
    viewer: Viewer,
    request: CompletionRequest,
    context: CallContext,
  ): Promise<AsyncIterableIterator<CompletionEvent>> {
    const runId = await this.#begin(viewer, request, context);
    // The provider's request goes out first: the reader's first event waits for nothing that comes sooner.
    await nextTurn();
    return this.#needs.follower.follow(runId, 0);
  }

  /** The events with `seq > after`, then the live ones. */
  async events(
    viewer: Viewer,
    runId: string,
    after: number,
  ): Promise<AsyncIterableIterator<CompletionEvent>> {
    if (!Number.isSafeInteger(after) || after < 0) {
      throw new GatewayError('BAD_USER_INPUT', 'after: must be a whole number from 0 on', { path: 'after' });
    }
    const run = await this.get(viewer, runId);
    const { follower, executor, telemetry } = this.#needs;
    if (after > 0) {
      const local = executor.get(run.id) !== undefined;
      telemetry.emit({ type: 'stream-resumed', runId: run.id, after, local });
    }
    return follower.follow(run.id, after);
  }

  /** Stops the run and answers with what it used, after the commit. An ended run is answered as it is. */
  async cancel(viewer: Viewer, runId: string): Promise<CancelResult> {
    const run = await this.get(viewer, runId);
    if (run.caller !== viewer.caller) requireScope(viewer, 'admin');
    const active = this.#needs.executor.get(runId);
    if (run.status !== 'RUNNING') return { run, settled: true };
    active?.stop('cancelled');
    if (!active) {
      // The word reaches its node at once; the mark on the row, if the word is lost.
      this.#needs.bus.cancel(runId);
      await this.#needs.runs.requestCancel(runId);
    }
    try {
      const inTime = AbortSignal.timeout(CANCEL_WAIT_MS);
      return { run: await this.#needs.follower.ended(runId, inTime), settled: true };
    } catch {
      return { run: active?.record() ?? (await loadRun(this.#needs.runs, runId)), settled: false };
    }
  }

  /** A run that the viewer may see; `NOT_FOUND` otherwise. */
  async get(viewer: Viewer, runId: string): Promise<RunRecord> {
    const { executor, runs } = this.#needs;
    const run = executor.get(runId)?.record() ?? (await loadRun(runs, runId).catch(rethrowUnlessNotFound));
    if (!run || !mayBeSeen(viewer, run)) throw runNotFound();
    return run;
  }

  /** Those of `runIds` that the viewer may see, by id. */
  async byIds(viewer: Viewer, runIds: readonly string[]): Promise<ReadonlyMap<string, RunRecord>> {
    const rows = await this.#needs.runs.byIds(runIds);
    const seen = rows.map(toRunRecord).filter((run) => mayBeSeen(viewer, run));
    return new Map(seen.map((run) => [run.id, this.#needs.executor.get(run.id)?.record() ?? run]));
  }

  /** Newest first: the workspace's runs with scope `read`, else the caller's own. */
  async list(viewer: Viewer, filter: RunFilter, page: RunListPage): Promise<RunRecord[]> {
    const rows = await this.#needs.runs.list(this.#listFilter(viewer, filter), page);
    return rows.map(toRunRecord);
  }

  async count(viewer: Viewer, filter: RunFilter): Promise<number> {
    return this.#needs.runs.count(this.#listFilter(viewer, filter));
  }

  /** Attempts by run id; the viewer must have seen the runs. */
  async attemptsOf(runIds: readonly string[]): Promise<ReadonlyMap<string, readonly RunAttempt[]>> {
    const rows = await this.#needs.runs.attemptsOf(runIds);
    return Map.groupBy(
      rows.map((row) => ({ runId: row.runId, ...toRunAttempt(row) })),
      ({ runId }) => runId,
    );
  }

  /** Takes no new runs; gives the running ones `graceMs`, then ends the rest as interrupted. Gives the number of those that could not be ended. */
  drain(graceMs: number): Promise<number> {
    return this.#drain.drain(graceMs);
  }

  async #begin(
    viewer: Viewer,
    request: CompletionRequest,
    context: CallContext,
    commit: RunPolicy['commit'] = 'FIRST_TOKEN',
  ): Promise<string> {
    requireScope(viewer, 'run');
    // Nobody would get the answer, and nobody has been told of the run.
    context.gone?.throwIfAborted();
    return this.#drain.begin(() => this.#needs.starter.begin(viewer, request, context, commit));
  }

  #listFilter(viewer: Viewer, filter: RunFilter): RunListFilter {
    requireScope(viewer, 'run', 'read');
    const check = new InputCheck();
    check.filter('filter', filter);
    check.raise();
    const ownOnly = hasScope(viewer, 'read') ? {} : { caller: viewer.caller };
    return { ...filter, ...ownOnly, workspaceId: viewer.workspaceId };
  }
}

function mayBeSeen(viewer: Viewer, run: RunRecord): boolean {
  if (run.workspaceId !== viewer.workspaceId) return false;
  return run.caller === viewer.caller || hasScope(viewer, 'read');
}

function rethrowUnlessNotFound(error: unknown): undefined {
  if (error instanceof GatewayError && error.code === 'NOT_FOUND') return undefined;
  throw error;
}

function endedBadly(run: RunRecord): GatewayError {
  const error = run.error ?? {
    code: 'INTERNAL' as const,
    message: 'The completion did not finish',
    retryAfterMs: null,
  };
  return new GatewayError(error.code, error.message, {
    ...(error.retryAfterMs === null ? {} : { retryAfterMs: error.retryAfterMs }),
    extensions: {
      completionId: run.id,
      attempts: (run.attempts ?? []).map(({ canonicalId, outcome, error: fault, durationMs }) => ({
        canonicalId,
        outcome,
        durationMs,
        ...(fault ? { code: fault.code, message: fault.message, status: fault.status } : {}),
      })),
    },
  });
}
