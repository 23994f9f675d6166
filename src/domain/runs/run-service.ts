// Owns what a caller can do with runs of one kind; every door uses it. A run does not depend on the connection that began it; readers follow its log.
import type { RunBus } from '../../coordination/contract.ts';
import { nextTurn } from '../../kernel/async.ts';
import { GatewayError } from '../../kernel/errors.ts';
import { InputCheck } from '../../kernel/input-check.ts';
import type { Telemetry } from '../../kernel/telemetry.ts';
import type { RunRepository } from '../../storage/repositories/run.repository.ts';
import type { RunListFilter, RunListPage } from '../../storage/repositories/run.rows.ts';
import { hasScope, requireScope, type Viewer } from '../identity/viewer.ts';
import type { RoutePlan } from '../routing/route-plan.ts';
import type { RunExecutor } from './executor.ts';
import type { Kind } from './kind.ts';
import type { Kinds } from './kinds.ts';
import { loadRun, runNotFound } from './load-run.ts';
import type { RunDrain } from './run-drain.ts';
import type { ContentEvent, RunEvent } from './run-event.ts';
import type { RunFollower } from './run-follower.ts';
import type { RunAttempt, RunRecord } from './run-record.ts';
import type { RunRequest } from './run-request.ts';
import type { CallContext, RunStarter } from './run-starter.ts';
import type { RunPolicy } from './run-terms.ts';
import { toRunAttempt, toRunRecord } from './stored-run.ts';

export interface RunServiceDependencies {
  readonly starter: RunStarter;
  readonly executor: RunExecutor;
  readonly runs: RunRepository;
  readonly follower: RunFollower;
  readonly bus: RunBus;
  readonly drain: RunDrain;
  readonly kinds: Kinds;
  readonly telemetry: Telemetry;
}

export interface CancelResult<Result = unknown> {
  readonly run: RunRecord<Result>;
  /** False if the end could not be committed in time; it will be written later. */
  readonly settled: boolean;
}

export type RunFilter = Omit<RunListFilter, 'workspaceId' | 'caller' | 'kind'>;

const CANCEL_WAIT_MS = 1_500;

/** `Content` is the type of the events that the kind makes of content. */
export class RunService<Request extends RunRequest, Result, Content extends ContentEvent> {
  readonly #needs: RunServiceDependencies;
  readonly #kind: Kind<Request, unknown, Result>;

  constructor(kind: Kind<Request, unknown, Result>, needs: RunServiceDependencies) {
    this.#kind = kind;
    this.#needs = needs;
  }

  /** The plan that a request would have, without a run. */
  routePlan(viewer: Viewer, request: Request): RoutePlan {
    return this.#needs.starter.plan(viewer, this.#kind, request);
  }

  /** Runs to the end and gives the finished run. Otherwise it raises the run's error, with `completionId`. */
  async complete(viewer: Viewer, request: Request, context: CallContext): Promise<RunRecord<Result>> {
    // The caller gets the answer when it is whole, so a fault at any time can be hidden by another attempt.
    const runId = await this.#begin(viewer, request, context, 'COMPLETE');
    const run = this.#own(await this.#needs.follower.ended(runId, context.gone));
    if (run.status === 'FINISHED') return run;
    throw endedBadly(run);
  }

  /** Begins a run and answers without waiting for it. */
  async start(viewer: Viewer, request: Request, context: CallContext): Promise<RunRecord<Result>> {
    const runId = await this.#begin(viewer, request, context);
    return this.#own(this.#needs.executor.get(runId)?.record() ?? (await this.#load(runId)));
  }

  /** Begins a run, or joins the one that the idempotency key names, and follows it from the start. */
  async stream(
    viewer: Viewer,
    request: Request,
    context: CallContext,
  ): Promise<AsyncIterableIterator<RunEvent<Content, Result>>> {
    const runId = await this.#begin(viewer, request, context);
    // The events are read one turn of the event loop later, so that the provider's request, which takes much longer, is sent before.
    await nextTurn();
    return this.#follow(runId, 0);
  }

  /** The events with `seq > after` that are stored, then new ones as they come. */
  async events(
    viewer: Viewer,
    runId: string,
    after: number,
  ): Promise<AsyncIterableIterator<RunEvent<Content, Result>>> {
    if (!Number.isSafeInteger(after) || after < 0) {
      throw new GatewayError('BAD_USER_INPUT', 'after: must be a whole number from 0 on', { path: 'after' });
    }
    const run = await this.get(viewer, runId);
    const { executor, telemetry } = this.#needs;
    if (after > 0) {
      const local = executor.get(run.id) !== undefined;
      telemetry.emit({ type: 'stream-resumed', runId: run.id, after, local });
    }
    return this.#follow(run.id, after);
  }

  /** Stops the run and answers, after the commit, with what it has used. A run that has ended is returned unchanged. */
  async cancel(viewer: Viewer, runId: string): Promise<CancelResult<Result>> {
    const run = await this.get(viewer, runId);
    if (run.caller !== viewer.caller) requireScope(viewer, 'admin');
    const active = this.#needs.executor.get(runId);
    if (run.status !== 'RUNNING') return { run, settled: true };
    active?.stop('cancelled');
    if (!active) {
      // The message reaches the run's node at once. If it is lost, that node finds the mark on the row within a second.
      this.#needs.bus.cancel(runId);
      await this.#needs.runs.requestCancel(runId);
    }
    try {
      const inTime = AbortSignal.timeout(CANCEL_WAIT_MS);
      return { run: this.#own(await this.#needs.follower.ended(runId, inTime)), settled: true };
    } catch {
      return { run: this.#own(active?.record() ?? (await this.#load(runId))), settled: false };
    }
  }

  /** A run that the viewer may see; `NOT_FOUND` otherwise. */
  async get(viewer: Viewer, runId: string): Promise<RunRecord<Result>> {
    const active = this.#needs.executor.get(runId);
    const run = active?.record() ?? (await this.#load(runId).catch(rethrowUnlessNotFound));
    if (!run || !this.#mayBeSeen(viewer, run)) throw runNotFound();
    return run;
  }

  /** The runs of `runIds` that the viewer may see, by id. */
  async byIds(viewer: Viewer, runIds: readonly string[]): Promise<ReadonlyMap<string, RunRecord<Result>>> {
    const { runs, kinds, executor } = this.#needs;
    const rows = (await runs.byIds(runIds)).filter(({ kind }) => kind === this.#kind.name);
    const found = rows.map((row) => executor.get(row.id)?.record() ?? toRunRecord(row, kinds));
    const seen = found.filter((run) => this.#mayBeSeen(viewer, run));
    return new Map(seen.map((run) => [run.id, this.#own(run)]));
  }

  /** Newest first: the workspace's runs with scope `read`, else the caller's own. */
  async list(viewer: Viewer, filter: RunFilter, page: RunListPage): Promise<RunRecord<Result>[]> {
    const rows = await this.#needs.runs.list(this.#listFilter(viewer, filter), page);
    return rows.map((row) => this.#own(toRunRecord(row, this.#needs.kinds)));
  }

  async count(viewer: Viewer, filter: RunFilter): Promise<number> {
    return this.#needs.runs.count(this.#listFilter(viewer, filter));
  }

  /** Attempts by run id; the caller of this method must have checked that the viewer may see the runs. */
  async attemptsOf(runIds: readonly string[]): Promise<ReadonlyMap<string, readonly RunAttempt[]>> {
    const rows = await this.#needs.runs.attemptsOf(runIds);
    return Map.groupBy(
      rows.map((row) => ({ runId: row.runId, ...toRunAttempt(row) })),
      ({ runId }) => runId,
    );
  }

  async #begin(
    viewer: Viewer,
    request: Request,
    context: CallContext,
    commit: RunPolicy['commit'] = 'FIRST_TOKEN',
  ): Promise<string> {
    requireScope(viewer, 'run');
    // The caller has left before it was told of a run, so no run begins: its answer could not be read.
    context.gone?.throwIfAborted();
    const { drain, starter } = this.#needs;
    return drain.begin(() => starter.begin(viewer, this.#kind, request, context, commit));
  }

  #listFilter(viewer: Viewer, filter: RunFilter): RunListFilter {
    requireScope(viewer, 'run', 'read');
    const check = new InputCheck();
    check.filter('filter', filter);
    check.raise();
    const ownOnly = hasScope(viewer, 'read') ? {} : { caller: viewer.caller };
    return { ...filter, ...ownOnly, workspaceId: viewer.workspaceId, kind: this.#kind.name };
  }

  async #follow(runId: string, after: number): Promise<AsyncIterableIterator<RunEvent<Content, Result>>> {
    const events: AsyncIterableIterator<RunEvent> = await this.#needs.follower.follow(runId, after);
    return events as AsyncIterableIterator<RunEvent<Content, Result>>;
  }

  #load(runId: string): Promise<RunRecord> {
    return loadRun(this.#needs.runs, this.#needs.kinds, runId);
  }

  #mayBeSeen(viewer: Viewer, run: RunRecord): run is RunRecord<Result> {
    if (run.kind !== this.#kind.name || run.workspaceId !== viewer.workspaceId) return false;
    return run.caller === viewer.caller || hasScope(viewer, 'read');
  }

  /** A run that this service has begun or listed, so its result has this kind's type. */
  #own(run: RunRecord): RunRecord<Result> {
    return run as RunRecord<Result>;
  }
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
