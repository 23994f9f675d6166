// Owns a run from its committed beginning to its settled end, whoever listens.
//
// 1. The run's row is committed; the executor takes it and publishes `started` at once.
// 2. The attempts of the plan are made in turn. No content is shown until an attempt has given its first, so a fault before that is invisible.
// 3. Each read becomes at most one event of a kind in the log; nobody who reads the log can slow it.
// 4. A fault is tried again or goes on to the next candidate where that can help (`attempt-loop.ts`); content already shown is voided by `rerouted`.
// 5. Stop, fault or finish: the run is settled by one conditional write. Only its winner publishes the terminal event, after the commit.
// 6. While the database is away the end waits, and is tried again until it is written.

import type { EventLog } from '../../coordination/contract.ts';
import { delay } from '../../kernel/async.ts';
import { GatewayError, StorageError } from '../../kernel/errors.ts';
import type { RunRepository } from '../../storage/repositories/run.repository.ts';
import { ActiveRun, type NewRun, type StopKind } from './active-run.ts';
import type { AttemptResult } from './attempt.ts';
import { AttemptLoop, type AttemptLoopDependencies } from './attempt-loop.ts';
import { type CompletionEvent, toEndedEvent } from './completion-event.ts';
import { explainRun } from './explanation.ts';
import { toRunRecord } from './run-record.ts';
import { settledRecord, toRunEnd } from './settlement.ts';

export interface ExecutorDependencies extends AttemptLoopDependencies {
  readonly runs: RunRepository;
  readonly log: EventLog<CompletionEvent>;
}

const SETTLE_RETRY_MS = 250;

const STATUS_OF_STOP = { cancelled: 'CANCELLED', interrupted: 'INTERRUPTED', funds: 'FINISHED' } as const;
/** Another node ends what it has taken over within moments; this is far beyond. */
const MAX_LOOKS = 240;

export class RunExecutor {
  readonly #needs: ExecutorDependencies;
  readonly #active = new Map<string, ActiveRun>();
  readonly #givenUp = new AbortController();

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

  /** The node goes away: ends that cannot be written now are left to the next start, or to another node. */
  giveUp(): void {
    this.#givenUp.abort(new GatewayError('NODE_DRAINING', 'This node shut down before the end was written'));
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
      const last = await new AttemptLoop(this.#needs, run).go();
      await this.#settle(run, last);
    } catch (error) {
      this.#needs.logger.error({ err: error, runId: run.id }, 'A run could not be settled');
      run.abandon(new GatewayError('INTERNAL', 'The run could not be settled', { cause: error }));
    } finally {
      this.#active.delete(run.id);
    }
  }

  async #settle(run: ActiveRun, decisive: AttemptResult | undefined): Promise<void> {
    run.settling = true;
    const stopKind: StopKind | undefined = decisive?.error || !decisive ? run.stopKind : undefined;
    if (stopKind === 'replaced') {
      await this.#followEnd(run);
      return;
    }
    const status = stopKind ? STATUS_OF_STOP[stopKind] : decisive && !decisive.error ? 'FINISHED' : 'FAILED';
    const record = settledRecord(run, status, decisive, this.#needs.clock.now());
    const won = await this.#writeEnd(run, record);
    if (won) {
      run.end(record);
      this.#tell(record);
    } else await this.#followEnd(run);
  }

  /** Another node has ended the run, or is about to: whoever reads here gets that end. */
  async #followEnd(run: ActiveRun): Promise<void> {
    const { runs, log } = this.#needs;
    for (let look = 0; look < MAX_LOOKS; look += 1) {
      const [row] = await runs.byIds([run.id]).catch(() => []);
      const record = row && toRunRecord(row);
      const end = record && toEndedEvent(record);
      if (record && end) {
        await log.conclude(run.id, [end]).catch(() => {});
        run.endedElsewhere(record);
        return;
      }
      await delay(SETTLE_RETRY_MS, this.#givenUp.signal);
    }
    run.abandon(new GatewayError('CONFLICT', 'Another node has taken the run over'));
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
        attempts: record.attempts?.length ?? 0,
        explanation: explainRun(record, record.attempts ?? []),
        durationMs: (endedAt?.getTime() ?? createdAt.getTime()) - createdAt.getTime(),
        ...(error ? { code: error.code } : {}),
      },
      'A completion ended',
    );
  }

  /** Waits for as long as the database is away: a run is never left unsettled while its node works. */
  async #writeEnd(run: ActiveRun, record: ReturnType<typeof settledRecord>): Promise<boolean> {
    const end = toRunEnd(record, run.epoch);
    for (;;) {
      try {
        return await this.#needs.runs.end(end);
      } catch (error) {
        if (!(error instanceof StorageError) || error.kind !== 'unavailable') throw error;
        this.#needs.logger.warn({ runId: run.id, err: error }, 'The end of a run waits for the database');
        await delay(SETTLE_RETRY_MS, this.#givenUp.signal);
      }
    }
  }
}
