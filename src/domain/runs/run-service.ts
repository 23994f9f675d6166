// Owns what a caller can do with completions; every door goes through here. A run is detached from whoever asked; readers follow its log.
import type { EventLog, RunBus } from '../../coordination/contract.ts';
import { abortable, delay, nextTurn } from '../../kernel/async.ts';
import { GatewayError } from '../../kernel/errors.ts';
import { InputCheck } from '../../kernel/input-check.ts';
import type { RunRepository } from '../../storage/repositories/run.repository.ts';
import type { RunListFilter, RunListPage } from '../../storage/repositories/run.rows.ts';
import { hasScope, requireScope, type Viewer } from '../identity/viewer.ts';
import type { RoutePlan } from '../routing/route-plan.ts';
import type { ActiveRun, RunPolicy } from './active-run.ts';
import { type CompletionEvent, toEndedEvent } from './completion-event.ts';
import type { CompletionRequest } from './completion-request.ts';
import { readEvents, unreadable } from './event-reader.ts';
import type { RunExecutor } from './executor.ts';
import { lackingEvents } from './log-mending.ts';
import { type RunAttempt, type RunRecord, toRunAttempt, toRunRecord } from './run-record.ts';
import type { CallContext, RunStarter } from './run-starter.ts';

export interface RunServiceDependencies {
  readonly starter: RunStarter;
  readonly executor: RunExecutor;
  readonly runs: RunRepository;
  readonly log: EventLog<CompletionEvent>;
  readonly bus: RunBus;
  /** A node that has not renewed its lease for so long is dead. */
  readonly leaseSeconds: number;
}

export interface CancelResult {
  readonly run: RunRecord;
  /** False if the end could not be committed in time; it will be. */
  readonly settled: boolean;
}

export type RunFilter = Omit<RunListFilter, 'workspaceId' | 'caller'>;

const CANCEL_WAIT_MS = 1_500;
const POLL_MS = 200;

export class RunService {
  readonly #needs: RunServiceDependencies;
  #draining = false;

  constructor(needs: RunServiceDependencies) {
    this.#needs = needs;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** The plan that a request would run by, without running it. */
  routePlan(viewer: Viewer, request: CompletionRequest): RoutePlan {
    return this.#needs.starter.plan(viewer, request);
  }

  /** Runs to the end; raises the run's error, with `completionId`, unless it finished. */
  async complete(viewer: Viewer, request: CompletionRequest, context: CallContext): Promise<RunRecord> {
    // Nobody sees it grow, so any fault at any time can be hidden.
    const runId = await this.#begin(viewer, request, context, 'COMPLETE');
    const active = this.#needs.executor.get(runId);
    const leave = active?.attend();
    try {
      const ended = active ? active.ended : this.#endedElsewhere(runId);
      const run = await (context.gone ? abortable(ended, context.gone) : ended);
      if (run.status === 'FINISHED') return run;
      throw endedBadly(run);
    } finally {
      leave?.();
    }
  }

  /** Begins a run and answers at once. */
  async start(viewer: Viewer, request: CompletionRequest, context: CallContext): Promise<RunRecord> {
    const runId = await this.#begin(viewer, request, context);
    return this.#needs.executor.get(runId)?.record() ?? this.#load(runId);
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
    return this.#follow(runId, 0);
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
    return this.#follow(run.id, after);
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
    const ended = active ? active.ended : this.#endedElsewhere(runId);
    try {
      return { run: await abortable(ended, AbortSignal.timeout(CANCEL_WAIT_MS)), settled: true };
    } catch {
      return { run: active?.record() ?? (await this.#load(runId)), settled: false };
    }
  }

  /** A run that the viewer may see; `NOT_FOUND` otherwise. */
  async get(viewer: Viewer, runId: string): Promise<RunRecord> {
    const run =
      this.#needs.executor.get(runId)?.record() ?? (await this.#load(runId).catch(rethrowUnlessNotFound));
    if (!run || !mayBeSeen(viewer, run)) throw notFound();
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

  /** Takes no new runs; gives the running ones `graceMs`, then ends the rest as interrupted. */
  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    const running = [...this.#needs.executor.active()];
    const allEnded = Promise.allSettled(running.map((run) => run.ended));
    const inTime = await Promise.race([allEnded.then(() => true), delay(graceMs).then(() => false)]);
    if (inTime) return;
    for (const run of running) run.stop('interrupted');
    await allEnded;
  }

  async #begin(
    viewer: Viewer,
    request: CompletionRequest,
    context: CallContext,
    commit: RunPolicy['commit'] = 'FIRST_TOKEN',
  ): Promise<string> {
    requireScope(viewer, 'run');
    if (this.#draining) {
      throw new GatewayError('NODE_DRAINING', 'This node is shutting down; ask again', {
        retryAfterMs: 1_000,
      });
    }
    return this.#needs.starter.begin(viewer, request, context, commit);
  }

  async #follow(runId: string, after: number): Promise<AsyncIterableIterator<CompletionEvent>> {
    const { executor, log } = this.#needs;
    const active: ActiveRun | undefined = executor.get(runId);
    if (active) return readEvents({ log, runId, after, onLeave: active.attend() });
    const replay = await this.#replayOfEnded(runId, after);
    if (replay) return replay;
    const elsewhere = {
      isRunning: async () => (await this.#load(runId)).status === 'RUNNING',
      mendEnd: async () => this.#mendLog(await this.#load(runId)),
    };
    return readEvents({ log, runId, after, elsewhere });
  }

  /** For an ended run whose log is not kept: nothing beyond the end, or the end alone where that is all there is. */
  async #replayOfEnded(
    runId: string,
    after: number,
  ): Promise<AsyncIterableIterator<CompletionEvent> | undefined> {
    const { log } = this.#needs;
    const slice = await Promise.resolve(log.read(runId, after, 1)).catch((error: unknown) => {
      throw unreadable(error);
    });
    if (slice.state === 'closed' || slice.events.length > 0) return undefined;
    const run = await this.#load(runId);
    const end = toEndedEvent(run);
    if (!end) return undefined;
    if (after >= end.seq) return onlyEvents([]);
    if (slice.state === 'open') {
      await this.#mendLog(run);
      return undefined;
    }
    return end.type === 'interrupted' ? onlyEvents([end]) : undefined;
  }

  /** An ended row whose log lacks its end gets it from whoever notices, unless its owner is there to write it. */
  async #mendLog(run: RunRecord): Promise<void> {
    const { log, runs } = this.#needs;
    try {
      if (run.status === 'RUNNING' || (await runs.hasLiveOwner(run.id, this.#needs.leaseSeconds))) return;
      const { events } = await log.read(run.id, 0, Number.MAX_SAFE_INTEGER);
      await log.conclude(run.id, lackingEvents(events, run));
    } catch {
      // Whoever looks next tries again.
    }
  }

  async #load(runId: string): Promise<RunRecord> {
    const [row] = await this.#needs.runs.byIds([runId]);
    if (!row) throw notFound();
    const attempts = await this.attemptsOf([runId]);
    return { ...toRunRecord(row), attempts: attempts.get(runId) ?? [] };
  }

  /** Waits for a run that another node (or an earlier life of this one) has, and attends it meanwhile. */
  async #endedElsewhere(runId: string): Promise<RunRecord> {
    const leave = this.#needs.log.follow(runId, () => {});
    try {
      for (;;) {
        const run = await this.#load(runId);
        if (run.status !== 'RUNNING') return run;
        await delay(POLL_MS);
      }
    } finally {
      leave();
    }
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

function notFound(): GatewayError {
  return new GatewayError('NOT_FOUND', 'There is no such completion');
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

async function* onlyEvents(events: readonly CompletionEvent[]): AsyncIterableIterator<CompletionEvent> {
  yield* events;
}
