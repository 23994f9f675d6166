// Owns the progress records of a node's runs: the output so far of each, written once a second, so that another node can settle the run after a crash.
import type { Clock } from '../../kernel/clock.ts';
import { StorageError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { RunRepository } from '../../storage/repositories/run.repository.ts';
import { NO_GROWTH, type RunProgress } from '../../storage/run-columns.ts';
import { costOf } from '../billing/cost.ts';
import { priceInForce } from '../billing/model-price.ts';
import type { Usage } from '../billing/usage.ts';
import { isFree } from '../routing/candidates.ts';
import type { ActiveRun, CurrentAttempt } from './active-run.ts';
import type { RunExecutor } from './executor.ts';
import type { Answer } from './kind.ts';

export interface ProgressDependencies {
  readonly executor: Pick<RunExecutor, 'active' | 'get'>;
  readonly runs: Pick<RunRepository, 'saveProgress'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Recorded {
  readonly answer: Answer;
  /** The mark of the content that was shown, as `Answer.since` gave it; `undefined` if none was. */
  readonly mark: unknown;
  /** The size of all content that has come, shown or held back. */
  readonly size: number;
}

export class RunProgressRecords {
  readonly #needs: ProgressDependencies;
  /** What is known to be stored of each run. */
  readonly #recorded = new WeakMap<ActiveRun, Recorded>();
  /** Answers that the database refuses to store: they are not sent to it again each second. */
  readonly #refused = new WeakSet<Answer>();

  constructor(needs: ProgressDependencies) {
    this.#needs = needs;
  }

  /** Never raises: if the record of one run fails, those of other runs are written nevertheless. */
  async save(): Promise<void> {
    const saves: Promise<void>[] = [];
    for (const run of this.#needs.executor.active()) {
      const change = this.#progressOf(run);
      if (change) saves.push(this.#saveOne(run, change));
    }
    await Promise.all(saves);
  }

  async #saveOne(run: ActiveRun, { progress, recorded }: ReturnType<typeof progressRow>): Promise<void> {
    const { executor, runs, logger } = this.#needs;
    try {
      if (await runs.saveProgress(progress)) this.#recorded.set(run, recorded);
      else if (executor.get(run.id) && !run.settling) run.stop('replaced');
    } catch (error) {
      // The record may be stored although the database's answer was lost. The next one replaces the texts, so that no piece is stored twice.
      this.#recorded.delete(run);
      if (error instanceof StorageError && error.kind === 'invalid') this.#refused.add(recorded.answer);
      logger.warn({ err: error, runId: run.id }, 'The progress of a run could not be recorded');
    }
  }

  #progressOf(run: ActiveRun): ReturnType<typeof progressRow> | undefined {
    const { current, terms } = run;
    if (terms.kind.keeping === 'light' || run.settling || !current) return undefined;
    const { answer, candidate } = current;
    if (this.#refused.has(answer)) return undefined;
    const before = this.#recorded.get(run);
    const from = before?.answer === answer ? before : undefined;
    if (from && answer.size === from.size) return undefined;
    const usage = { ...answer.roughUsage(terms.measured), estimated: true };
    const price = priceInForce(terms.prices, candidate.canonicalId, this.#needs.clock.now());
    const cost = isFree(candidate) ? 0n : price && costOf(usage, price).totalNano;
    return progressRow(run, current, from, usage, { cost, priceVersionId: price?.id ?? null });
  }
}

/** The content that came after `from`; all content if none of this answer is known to be stored. */
function progressRow(
  run: ActiveRun,
  { answer, candidate }: CurrentAttempt,
  from: Recorded | undefined,
  usage: Usage,
  charge: { readonly cost: bigint | undefined; readonly priceVersionId: string | null },
): { progress: RunProgress; recorded: Recorded } {
  const { shown } = run;
  // Content that is held back is counted, but neither stored nor charged: if this node dies, no reader ever gets it.
  const growth = shown ? answer.since(from?.mark) : undefined;
  return {
    progress: {
      id: run.id,
      epoch: run.epoch,
      instanceId: candidate.instance?.id ?? null,
      canonicalId: candidate.canonicalId,
      restarted: from === undefined,
      ...(growth?.stored ?? NO_GROWTH),
      usage,
      costNano: shown ? (charge.cost ?? null) : null,
      priceVersionId: shown ? charge.priceVersionId : null,
      progressSeq: run.seq,
    },
    recorded: { answer, mark: growth?.mark, size: answer.size },
  };
}
