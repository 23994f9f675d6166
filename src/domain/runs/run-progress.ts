// Owns the progress records of a node's runs: what each has come to, written once a second, so that another node can settle it after a crash.
import type { Clock } from '../../kernel/clock.ts';
import { StorageError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { RunRepository } from '../../storage/repositories/run.repository.ts';
import type { RunProgress } from '../../storage/run-columns.ts';
import { costOf } from '../billing/cost.ts';
import { BYTES_PER_TOKEN_COUNTED, estimateInputTokens } from '../billing/hold.ts';
import { priceInForce } from '../billing/model-price.ts';
import type { Usage } from '../billing/usage.ts';
import { type Candidate, isFree } from '../routing/candidates.ts';
import type { ActiveRun } from './active-run.ts';
import type { Answer } from './answer.ts';
import type { RunExecutor } from './executor.ts';

export interface ProgressDependencies {
  readonly executor: Pick<RunExecutor, 'active' | 'get'>;
  readonly runs: Pick<RunRepository, 'saveProgress'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Rough tokens of a text whose provider has not counted yet; the settlement counts properly. */
const CHARACTERS_PER_TOKEN = 4;

interface Recorded {
  readonly answer: Answer;
  readonly textLength: number;
  readonly reasoningLength: number;
  /** Of all that came, shown or held back. */
  readonly answerLength: number;
}

export class RunProgressRecords {
  readonly #needs: ProgressDependencies;
  /** What is known to be stored. */
  readonly #recorded = new WeakMap<ActiveRun, Recorded>();
  readonly #inputTokens = new WeakMap<ActiveRun, number>();
  /** Answers that the database refuses: they are not offered again each second. */
  readonly #refused = new WeakSet<Answer>();

  constructor(needs: ProgressDependencies) {
    this.#needs = needs;
  }

  /** Never raises: a run whose record fails keeps nobody else's from being written. */
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
      // It may have been stored although the answer was lost: the next record replaces the texts, so that no piece is stored twice.
      this.#recorded.delete(run);
      if (error instanceof StorageError && error.kind === 'invalid') this.#refused.add(recorded.answer);
      logger.warn({ err: error, runId: run.id }, 'The progress of a run could not be recorded');
    }
  }

  #progressOf(run: ActiveRun): ReturnType<typeof progressRow> | undefined {
    const { answer, candidate } = run;
    if (run.settling || !candidate || this.#refused.has(answer)) return undefined;
    const before = this.#recorded.get(run);
    const from = before?.answer === answer ? before : undefined;
    if (from && answer.text.length + answer.reasoning.length === from.answerLength) return undefined;
    const usage = usageSoFar(answer, () => this.#inputTokensOf(run));
    const price = priceInForce(run.run.prices, candidate.canonicalId, this.#needs.clock.now());
    const cost = isFree(candidate) ? 0n : price && costOf(usage, price).totalNano;
    return progressRow(run, candidate, from, usage, { cost, priceVersionId: price?.id ?? null });
  }

  /** Most providers tell only at the end what the input came to; whoever settles a crash needs it before. */
  #inputTokensOf(run: ActiveRun): number {
    let tokens = this.#inputTokens.get(run);
    if (tokens === undefined) {
      const { messages, tools } = run.run.request;
      tokens = estimateInputTokens(messages, tools, BYTES_PER_TOKEN_COUNTED);
      this.#inputTokens.set(run, tokens);
    }
    return tokens;
  }
}

function usageSoFar({ usage, text, reasoning }: Answer, inputTokens: () => number): Usage {
  return {
    inputTokens: usage?.inputTokens ?? inputTokens(),
    cacheReadTokens: usage?.cacheReadTokens ?? 0,
    cacheWriteTokens: usage?.cacheWriteTokens ?? 0,
    outputTokens: Math.max(usage?.outputTokens ?? 0, Math.ceil(text.length / CHARACTERS_PER_TOKEN)),
    reasoningTokens: Math.max(
      usage?.reasoningTokens ?? 0,
      Math.ceil(reasoning.length / CHARACTERS_PER_TOKEN),
    ),
    estimated: true,
  };
}

/** The texts that came since `from`; all of them where nothing of this answer is known to be stored. */
function progressRow(
  run: ActiveRun,
  candidate: Candidate,
  from: Recorded | undefined,
  usage: Usage,
  charge: { readonly cost: bigint | undefined; readonly priceVersionId: string | null },
): { progress: RunProgress; recorded: Recorded } {
  const { answer, shown } = run;
  // What is held back is counted, but neither stored nor charged: if this node dies, the client never gets it.
  const text = shown ? answer.text : '';
  const reasoning = shown ? answer.reasoning : '';
  return {
    progress: {
      id: run.id,
      epoch: run.epoch,
      instanceId: candidate.instance?.id ?? null,
      canonicalId: candidate.canonicalId,
      restarted: from === undefined,
      text: text.slice(from?.textLength ?? 0),
      reasoning: reasoning.slice(from?.reasoningLength ?? 0),
      usage,
      costNano: shown ? (charge.cost ?? null) : null,
      priceVersionId: shown ? charge.priceVersionId : null,
      progressSeq: run.seq,
    },
    recorded: {
      answer,
      textLength: text.length,
      reasoningLength: reasoning.length,
      answerLength: answer.text.length + answer.reasoning.length,
    },
  };
}
