// Owns a run from its committed beginning to its settled end, whether or not a reader follows it.
//
// 1. The run's row is committed; the executor takes it and publishes `started` at once.
// 2. The attempts of the plan are made in turn. No content is shown until an attempt has given its first, so a fault before that is invisible.
// 3. Each read becomes at most one event of a kind in the log; readers of the log cannot slow the run down.
// 4. A fault is tried again or goes on to the next candidate where that can help (`attempt-loop.ts`); content already shown is voided by `rerouted`.
// 5. Stop, fault or finish: the run is settled by one conditional write. Only its winner publishes the terminal event, after the commit.
// 6. While the database is away the end waits, and is tried again until it is written. An end that the database refuses is written without
//    its content instead: every run is settled, and every stream has its terminal event.

import type { EventLog } from '../../coordination/contract.ts';
import { delay } from '../../kernel/async.ts';
import { GatewayError, StorageError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { RunRepository } from '../../storage/repositories/run.repository.ts';
import { ActiveRun } from './active-run.ts';
import { AttemptLoop, type AttemptLoopDependencies } from './attempt-loop.ts';
import type { Kinds } from './kinds.ts';
import { type DecisiveAttempt, endingOf } from './run-ending.ts';
import { type RunEvent, toEndedEvent } from './run-event.ts';
import type { RunRecord } from './run-record.ts';
import { reportEnd } from './run-report.ts';
import type { RunTerms } from './run-terms.ts';
import { endWithoutContent, priceByOwnCount, settledRecord } from './settlement.ts';
import { toRunEnd, toRunRecord } from './stored-run.ts';

export interface ExecutorDependencies extends AttemptLoopDependencies {
  readonly runs: RunRepository;
  readonly logger: Logger;
  readonly log: EventLog<RunEvent>;
  readonly kinds: Kinds;
}

const SETTLE_RETRY_MS = 250;
/** How often to look for the end that another node writes. That node needs moments; this allows far more. */
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

  /** Called when the node shuts down: ends that cannot be written now are left to this node's next start, or to another node. */
  giveUp(): void {
    this.#givenUp.abort(
      new GatewayError('NODE_DRAINING', 'This node shut down before the end of the run could be written', {
        retryAfterMs: 1_000,
      }),
    );
  }

  /** Takes over a run whose row has been committed. */
  start(terms: RunTerms): ActiveRun {
    const run = new ActiveRun(terms, this.#needs.log, this.#needs.clock);
    this.#active.set(run.id, run);
    run.emitStarted();
    void this.#execute(run);
    return run;
  }

  async #execute(run: ActiveRun): Promise<void> {
    try {
      await this.#settle(run, await this.#attempt(run));
    } catch (error) {
      // Another node will end the row and tell the run's readers. An end told from here could differ from that one.
      if (this.#givenUp.signal.aborted) return run.abandon(this.#givenUp.signal.reason);
      this.#needs.logger.error({ err: error, runId: run.id }, 'A run could not be settled');
      // Readers still get a terminal event. The row is ended later by the keeper, which finds it as one that no node runs.
      const unsettled = { ...run.record(), lastSeq: run.seq + 1, endedAt: this.#needs.clock.now() };
      run.end(endWithoutContent(unsettled, run.terms.kind, undefined));
    } finally {
      this.#active.delete(run.id);
    }
  }

  /** A fault of the gateway itself ends the run just as a fault of a provider does. */
  async #attempt(run: ActiveRun): Promise<DecisiveAttempt | undefined> {
    try {
      const result = await new AttemptLoop(this.#needs, run).go();
      return result && { error: result.error, finishReason: result.answer.finishReason };
    } catch (error) {
      this.#needs.logger.error({ err: error, runId: run.id }, 'A run was broken off by an unexpected fault');
      return {
        error: new GatewayError('INTERNAL', 'The run was broken off by a fault of the gateway'),
        finishReason: null,
      };
    }
  }

  async #settle(run: ActiveRun, decisive: DecisiveAttempt | undefined): Promise<void> {
    run.settling = true;
    const { stopKind } = run;
    if (stopKind === 'replaced') {
      await this.#followEnd(run);
      return;
    }
    const record = settledRecord(run, endingOf(stopKind, decisive), this.#needs.clock.now());
    const written = await this.#writeEnd(run, record);
    if (written) {
      run.end(written);
      reportEnd(this.#needs.telemetry, written, 'its node', run.terms.trace);
    } else await this.#followEnd(run);
  }

  /** Another node has ended the run or is about to: readers on this node get that end. */
  async #followEnd(run: ActiveRun): Promise<void> {
    const { runs, log, kinds } = this.#needs;
    for (let look = 0; look < MAX_LOOKS; look += 1) {
      const [row] = await runs.byIds([run.id]).catch(() => []);
      const record = row && toRunRecord(row, kinds);
      const end = record && toEndedEvent(record);
      if (record && end) {
        log.conclude(run.id, [end]);
        run.endedElsewhere(record);
        return;
      }
      await delay(SETTLE_RETRY_MS, this.#givenUp.signal);
    }
    run.abandon(new GatewayError('CONFLICT', 'Another node has taken the run over'));
  }

  /** The record that was committed; `undefined` if another node has ended the run. */
  async #writeEnd(run: ActiveRun, record: RunRecord): Promise<RunRecord | undefined> {
    const { kind } = run.terms;
    const forms = [
      () => record,
      async () => endWithoutContent(record, kind, await this.#ownCountOf(run)),
      // Last resort without a charge, for the case that the database refuses the charge itself.
      () => endWithoutContent(record, kind, undefined),
    ];
    let refusal: unknown;
    for (const form of forms) {
      const written = await form();
      try {
        return (await this.#writeWhenUp(run, written)) ? written : undefined;
      } catch (error) {
        if (this.#givenUp.signal.aborted) throw error;
        refusal = error;
        this.#needs.logger.error(
          { runId: run.id, err: error },
          'The end of a run cannot be stored as it is; less of it is stored',
        );
      }
    }
    throw refusal;
  }

  /** Usage and cost of the kept attempt by the gateway's own count. */
  async #ownCountOf({ terms, current, attempts }: ActiveRun) {
    if (!current || (attempts.at(-1)?.absorbed ?? true)) return undefined;
    return priceByOwnCount(terms, current, this.#needs.clock.now());
  }

  /** Tries as long as the database is away, so that no run is left unsettled while its node works. */
  async #writeWhenUp(run: ActiveRun, record: RunRecord): Promise<boolean> {
    const end = toRunEnd(record, run.terms.kind, run.epoch);
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
