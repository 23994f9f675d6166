// Owns a run from its committed beginning to its settled end, whoever listens.
//
// 1. The run's row is committed; the executor takes it and publishes `started` at once.
// 2. The attempts of the plan are made in turn. No content is shown until an attempt has given its first, so a fault before that is invisible.
// 3. Each read becomes at most one event of a kind in the log; nobody who reads the log can slow it.
// 4. A fault goes on to the next candidate where that can help; content already shown is voided by `rerouted` with `discard`.
// 5. Stop, fault or finish: the run is settled by one conditional write. Only its winner publishes the terminal event, after the commit.
// 6. While the database is away the end waits, and is tried again until it is written.

import type { EventLog } from '../../coordination/contract.ts';
import { delay } from '../../kernel/async.ts';
import type { Clock } from '../../kernel/clock.ts';
import { GatewayError, ProviderError, StorageError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Adapter } from '../../providers/contract.ts';
import type { RunRepository } from '../../storage/repositories/run.repository.ts';
import type { ProviderTargets } from '../catalog/provider-target.ts';
import type { Candidate } from '../routing/candidates.ts';
import { ActiveRun, type NewRun, type StopKind } from './active-run.ts';
import { Answer } from './answer.ts';
import { type AttemptResult, runAttempt } from './attempt.ts';
import type { CompletionEvent } from './completion-event.ts';
import { translateRequest } from './provider-request.ts';
import { attemptRecord, priceAttempt, settledRecord, toRunEnd } from './settlement.ts';
import type { AttemptLimits } from './time-guard.ts';
import { attemptLimits } from './time-limits.ts';

export interface ExecutorDependencies {
  readonly adapterOf: (protocol: string) => Adapter | undefined;
  readonly targets: ProviderTargets;
  readonly runs: RunRepository;
  readonly log: EventLog<CompletionEvent>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const MAX_ATTEMPTS = 6;
const SETTLE_RETRY_MS = 250;
/** Faults that the same request would meet anywhere, or that must be told as they are. */
const FINAL_FAULTS = new Set(['PROVIDER_INVALID_REQUEST', 'PROVIDER_CONTENT_FILTERED', 'CANCELLED']);

const STATUS_OF_STOP = { cancelled: 'CANCELLED', interrupted: 'INTERRUPTED' } as const;
const EVENT_OF_STATUS = {
  FINISHED: 'finished',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  INTERRUPTED: 'interrupted',
} as const;

export class RunExecutor {
  readonly #needs: ExecutorDependencies;
  readonly #active = new Map<string, ActiveRun>();

  constructor(needs: ExecutorDependencies) {
    this.#needs = needs;
  }

  get(runId: string): ActiveRun | undefined {
    return this.#active.get(runId);
  }

  active(): Iterable<ActiveRun> {
    return this.#active.values();
  }

  get activeCount(): number {
    return this.#active.size;
  }

  /** Takes a run whose row has been committed. */
  start(newRun: NewRun): ActiveRun {
    const run = new ActiveRun(newRun, this.#needs.log, this.#needs.clock);
    this.#active.set(run.id, run);
    run.emitStarted();
    void this.#execute(run);
    return run;
  }

  async #execute(run: ActiveRun): Promise<void> {
    try {
      const last = await this.#attempts(run);
      await this.#settle(run, last);
    } catch (error) {
      this.#needs.logger.error({ err: error, runId: run.id }, 'A run could not be settled');
      run.abandon(new GatewayError('INTERNAL', 'The run could not be settled', { cause: error }));
    } finally {
      this.#active.delete(run.id);
    }
  }

  /** Goes down the list; gives the result that decides how the run ends. */
  async #attempts(run: ActiveRun): Promise<AttemptResult | undefined> {
    const { candidates } = run.run.route;
    let firstFault: AttemptResult | undefined;
    for (const [index, candidate] of candidates.slice(0, MAX_ATTEMPTS).entries()) {
      const next = index + 1 < MAX_ATTEMPTS ? candidates[index + 1] : undefined;
      const result = await this.#attempt(run, candidate, next !== undefined);
      const goesOn =
        result.error && !result.stopped && next !== undefined && !FINAL_FAULTS.has(result.error.code);
      await this.#book(run, candidate, result, goesOn === true);
      if (!result.error || result.stopped) return result;
      firstFault ??= result;
      if (!goesOn) break;
      if (result.answer.hasContent) {
        const reason = `${result.error.code}: ${result.error.message}`;
        run.emitRerouted({ type: 'rerouted', from: candidate.label, to: next.label, reason, discard: true });
      }
    }
    return firstFault;
  }

  async #attempt(run: ActiveRun, candidate: Candidate, anotherWaits: boolean): Promise<AttemptResult> {
    const { clock, logger } = this.#needs;
    run.answer = new Answer();
    run.candidate = candidate;
    const call = this.#prepare(run, candidate);
    if (call instanceof ProviderError) {
      return {
        answer: run.answer,
        error: call,
        stopped: false,
        startedAt: clock.now(),
        firstTokenMs: null,
        durationMs: 0,
      };
    }
    const limits: AttemptLimits = attemptLimits(candidate, anotherWaits);
    const result = await runAttempt({
      ...call,
      limits,
      clock,
      stop: run.stopSignal,
      answer: run.answer,
      onParts: (parts) => run.emitParts(parts),
    });
    const { error, firstTokenMs, durationMs } = result;
    const fields = {
      requestId: run.run.requestId,
      runId: run.id,
      provider: candidate.config.providerKey,
      config: candidate.config.name,
      candidate: candidate.label,
      attempt: run.attempts.length + 1,
      firstTokenMs,
      durationMs,
    };
    if (error && !result.stopped) {
      const { code, status, providerRequestId } = error;
      logger.error({ ...fields, code, status, providerRequestId, err: error }, 'A provider failed');
    } else {
      logger.debug(fields, 'An attempt ended');
    }
    return result;
  }

  #prepare(run: ActiveRun, candidate: Candidate) {
    const adapter = candidate.protocol === undefined ? undefined : this.#needs.adapterOf(candidate.protocol);
    try {
      if (!adapter || !candidate.spec)
        throw new GatewayError('MODEL_UNAVAILABLE', `${candidate.label} cannot be called here`);
      const target = this.#needs.targets.of(candidate.config, candidate.spec, candidate.model);
      const { request, warnings } = translateRequest({ candidate, adapter, target }, run.run.request);
      run.warnings.push(...warnings);
      return { adapter, request };
    } catch (error) {
      const message = error instanceof GatewayError ? error.message : 'The request could not be prepared';
      return new ProviderError('MODEL_UNAVAILABLE', message, { cause: error });
    }
  }

  async #book(run: ActiveRun, candidate: Candidate, result: AttemptResult, absorbed: boolean): Promise<void> {
    const priced = await priceAttempt(
      run.run.request,
      candidate,
      result,
      run.run.prices,
      this.#needs.clock.now(),
    );
    run.attempts.push(attemptRecord(run.attempts.length + 1, candidate, result, priced, absorbed));
  }

  async #settle(run: ActiveRun, decisive: AttemptResult | undefined): Promise<void> {
    run.settling = true;
    const stopKind: StopKind | undefined = decisive?.error || !decisive ? run.stopKind : undefined;
    if (stopKind === 'replaced') {
      run.abandon(new GatewayError('CONFLICT', 'Another node has taken the run over'));
      return;
    }
    const status = stopKind ? STATUS_OF_STOP[stopKind] : decisive && !decisive.error ? 'FINISHED' : 'FAILED';
    const record = settledRecord(run, status, decisive, this.#needs.clock.now());
    const won = await this.#writeEnd(run, record);
    if (won) {
      run.end(EVENT_OF_STATUS[status], record);
      this.#tell(record);
    } else run.abandon(new GatewayError('CONFLICT', 'The run had been ended by another node'));
  }

  /** One line a run, without a word of its content. */
  #tell(record: ReturnType<typeof settledRecord>): void {
    const { id, requestId, status, model, canonicalId, usage, costNano, createdAt, endedAt, error } = record;
    this.#needs.logger.info(
      {
        requestId,
        runId: id,
        status,
        model,
        canonicalId,
        usage,
        costNano: costNano?.toString() ?? null,
        durationMs: (endedAt?.getTime() ?? createdAt.getTime()) - createdAt.getTime(),
        ...(error ? { code: error.code } : {}),
      },
      'A completion ended',
    );
  }

  /** Waits for as long as the database is away: a run is never left unsettled while its node lives. */
  async #writeEnd(run: ActiveRun, record: ReturnType<typeof settledRecord>): Promise<boolean> {
    const end = toRunEnd(record, run.epoch);
    for (;;) {
      try {
        return await this.#needs.runs.end(end);
      } catch (error) {
        if (!(error instanceof StorageError) || error.kind !== 'unavailable') throw error;
        this.#needs.logger.warn({ runId: run.id, err: error }, 'The end of a run waits for the database');
        await delay(SETTLE_RETRY_MS);
      }
    }
  }
}
