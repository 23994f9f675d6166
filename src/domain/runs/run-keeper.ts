// Owns what a node does for its runs each second: progress records, cancels asked for elsewhere, its lease, and the runs of dead nodes.

import type { EventLog } from '../../coordination/contract.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import { storableText } from '../../kernel/text.ts';
import type { CompletionRunEntity } from '../../storage/entities/completion-run.entity.ts';
import type { RunProgress, RunRepository } from '../../storage/repositories/run.repository.ts';
import { costOf } from '../billing/cost.ts';
import { priceInForce } from '../billing/model-price.ts';
import type { ActiveRun } from './active-run.ts';
import type { Answer } from './answer.ts';
import type { CompletionEvent } from './completion-event.ts';
import type { RunExecutor } from './executor.ts';
import { toRunRecord } from './run-record.ts';
import { toRunEnd } from './settlement.ts';

export interface KeeperDependencies {
  readonly nodeId: string;
  readonly executor: RunExecutor;
  readonly runs: RunRepository;
  readonly log: EventLog<CompletionEvent>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** On the embedded database nobody else can be alive: every running row at start is an orphan. */
  readonly alone: boolean;
}

const TICK_MS = 1_000;
const LEASE_SECONDS = 10;
const RENEW_EVERY_TICKS = 2;
const REAP_EVERY_TICKS = 5;
const DROP_KEYS_EVERY_TICKS = 60;
/** An end that another node writes lies far beyond whatever the dead owner may have shown. */
export const TAKEN_OVER_SEQ_STEP = 1_000_000;
/** Rough tokens of a text whose provider has not counted yet; the settlement counts properly. */
const CHARACTERS_PER_TOKEN = 4;

interface Recorded {
  answer: Answer;
  textLength: number;
  reasoningLength: number;
  /** Of all that came, shown or held back. */
  answerLength: number;
}

export class RunKeeper {
  readonly #needs: KeeperDependencies;
  readonly #recorded = new WeakMap<ActiveRun, Recorded>();
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;
  #busy = false;
  #lastRenewalMs = Number.NEGATIVE_INFINITY;
  #renewedSinceMs = Number.POSITIVE_INFINITY;

  constructor(needs: KeeperDependencies) {
    this.#needs = needs;
  }

  async start(): Promise<void> {
    await this.#renewLease();
    if (this.#needs.alone) await this.#endOrphans(0);
    this.#timer = setInterval(() => void this.#tick(), TICK_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#needs.runs.dropLease(this.#needs.nodeId).catch(() => {});
  }

  async #tick(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    this.#ticks += 1;
    const due = (every: number) => this.#ticks % every === 0;
    try {
      if (due(RENEW_EVERY_TICKS)) await this.#renewLease();
      await this.#saveProgress();
      await this.#obeyCancels();
      if (due(REAP_EVERY_TICKS) && !this.#needs.alone && this.#mayDeclareOthersDead())
        await this.#endOrphans(LEASE_SECONDS);
      if (due(DROP_KEYS_EVERY_TICKS)) await this.#needs.runs.dropExpiredKeys();
    } catch (error) {
      this.#needs.logger.warn({ err: error }, 'Runs could not be kept this second; trying again');
    } finally {
      this.#busy = false;
    }
  }

  async #renewLease(): Promise<void> {
    await this.#needs.runs.renewLease(this.#needs.nodeId);
    const now = this.#needs.clock.monotonicMs();
    const missed = now - this.#lastRenewalMs > RENEW_EVERY_TICKS * TICK_MS * 2;
    if (missed) this.#renewedSinceMs = now;
    this.#lastRenewalMs = now;
  }

  /** A node that was itself away for a while cannot tell who else was. */
  #mayDeclareOthersDead(): boolean {
    return this.#needs.clock.monotonicMs() - this.#renewedSinceMs >= LEASE_SECONDS * 1_000;
  }

  async #saveProgress(): Promise<void> {
    const changed: { run: ActiveRun; progress: RunProgress; recorded: Recorded }[] = [];
    for (const run of this.#needs.executor.active()) {
      const change = this.#progressOf(run);
      if (change) changed.push({ run, ...change });
    }
    if (changed.length === 0) return;
    const mine = await this.#needs.runs.saveProgress(changed.map(({ progress }) => progress));
    for (const { run, recorded } of changed) {
      if (mine.has(run.id)) this.#recorded.set(run, recorded);
      else if (this.#needs.executor.get(run.id) && !run.settling) run.stop('replaced');
    }
  }

  #progressOf(run: ActiveRun): { progress: RunProgress; recorded: Recorded } | undefined {
    const { answer, candidate } = run;
    if (run.settling || !candidate) return undefined;
    const before = this.#recorded.get(run);
    const restarted = before?.answer !== answer;
    const from = restarted ? { textLength: 0, reasoningLength: 0, answerLength: -1 } : before;
    const answerLength = answer.text.length + answer.reasoning.length;
    if (answerLength === from.answerLength) return undefined;
    // What is held back is counted and never kept: after a crash nobody is to see it.
    const shownText = run.shown ? answer.text : '';
    const shownReasoning = run.shown ? answer.reasoning : '';
    const text = shownText.slice(from.textLength);
    const reasoning = shownReasoning.slice(from.reasoningLength);
    const usage = {
      inputTokens: answer.usage?.inputTokens ?? 0,
      cacheReadTokens: answer.usage?.cacheReadTokens ?? 0,
      cacheWriteTokens: answer.usage?.cacheWriteTokens ?? 0,
      outputTokens: Math.max(
        answer.usage?.outputTokens ?? 0,
        Math.ceil(answer.text.length / CHARACTERS_PER_TOKEN),
      ),
      reasoningTokens: Math.max(
        answer.usage?.reasoningTokens ?? 0,
        Math.ceil(answer.reasoning.length / CHARACTERS_PER_TOKEN),
      ),
      estimated: true,
    };
    const price = priceInForce(run.run.prices, candidate.canonicalId, this.#needs.clock.now());
    return {
      progress: {
        id: run.id,
        epoch: run.epoch,
        instance_id: candidate.instance?.id ?? null,
        canonical_id: candidate.canonicalId,
        restarted,
        text: storableText(text),
        reasoning: storableText(reasoning),
        input_tokens: usage.inputTokens,
        cache_read_tokens: usage.cacheReadTokens,
        cache_write_tokens: usage.cacheWriteTokens,
        output_tokens: usage.outputTokens,
        reasoning_tokens: usage.reasoningTokens,
        cost_nano: price ? costOf(usage, price).totalNano.toString() : null,
        price_version_id: price?.id ?? null,
        progress_seq: run.seq,
      },
      recorded: {
        answer,
        textLength: shownText.length,
        reasoningLength: shownReasoning.length,
        answerLength,
      },
    };
  }

  async #obeyCancels(): Promise<void> {
    if (this.#needs.alone || this.#needs.executor.activeCount === 0) return;
    for (const id of await this.#needs.runs.cancelRequested(this.#needs.nodeId)) {
      this.#needs.executor.get(id)?.stop('cancelled');
    }
  }

  /** Ends the runs of nodes that are gone, with what their last progress record holds. */
  async #endOrphans(leaseSeconds: number): Promise<void> {
    const orphans = await this.#needs.runs.takeOrphans(this.#needs.nodeId, leaseSeconds);
    for (const row of orphans) await this.#endOrphan(row);
  }

  async #endOrphan(row: CompletionRunEntity): Promise<void> {
    const { clock, runs, log, logger } = this.#needs;
    const endedAt = clock.now();
    const seq = row.progressSeq + TAKEN_OVER_SEQ_STEP;
    const record = {
      ...toRunRecord(row),
      status: 'INTERRUPTED' as const,
      error: {
        code: 'NODE_DRAINING' as const,
        message: 'The node that ran this completion stopped; this is what it had recorded',
        retryAfterMs: null,
      },
      attempts: [],
      lastSeq: seq,
      endedAt,
    };
    const won = await runs.end(toRunEnd(record, row.epoch));
    if (!won) return;
    logger.warn({ runId: row.id }, 'A run of a node that is gone was ended as interrupted');
    log.append(row.id, [
      { type: 'interrupted', seq, fromSeq: seq, runId: row.id, atMs: endedAt.getTime(), run: record },
    ]);
    log.close(row.id);
  }
}
