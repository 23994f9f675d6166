// Owns what a node does for its runs each second: progress records, what became of them elsewhere, and the runs that no node carries on.

import type { RunBus } from '../../coordination/contract.ts';
import { delay } from '../../kernel/async.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import { storableText } from '../../kernel/text.ts';
import type { RunRepository } from '../../storage/repositories/run.repository.ts';
import type { RunProgress } from '../../storage/repositories/run.rows.ts';
import { costOf } from '../billing/cost.ts';
import { BYTES_PER_TOKEN_COUNTED, estimateInputTokens } from '../billing/hold.ts';
import { priceInForce } from '../billing/model-price.ts';
import { isFree } from '../routing/candidates.ts';
import type { ActiveRun } from './active-run.ts';
import type { Answer } from './answer.ts';
import type { RunExecutor } from './executor.ts';
import type { NodeLease } from './node-lease.ts';
import type { OrphanRuns } from './orphan-runs.ts';
import type { UnsureBegins } from './unsure-begins.ts';

export interface KeeperDependencies {
  readonly nodeId: string;
  readonly executor: RunExecutor;
  readonly runs: RunRepository;
  readonly lease: NodeLease;
  readonly orphans: OrphanRuns;
  readonly unsure: UnsureBegins;
  readonly bus: RunBus;
  readonly clock: Clock;
  readonly logger: Logger;
  /** On the embedded database nobody else can be alive: every running row at start is an orphan. */
  readonly alone: boolean;
  /** A node that has not renewed its lease for so long is dead. */
  readonly leaseSeconds: number;
}

const MAX_TICK_MS = 1_000;
const CLOSE_WITHIN_MS = 1_000;
const LEASES_PER_TIDYING = 6;
/** A tick that comes after so many did not come in time: the node was held up, and others may have taken it for dead. */
const TICKS_OF_A_PAUSE = 3;
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
  readonly #inputTokens = new WeakMap<ActiveRun, number>();
  readonly #lastDone = new Map<string, number>();
  /** Steps that are under way, by name. */
  readonly #underWay = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #stopHearing = () => {};
  #lastTickMs: number;

  constructor(needs: KeeperDependencies) {
    this.#needs = needs;
    this.#lastTickMs = needs.clock.monotonicMs();
  }

  async start(): Promise<void> {
    const { alone, orphans, bus, executor } = this.#needs;
    if (alone) {
      await orphans.takeFromDead(null);
      await orphans.endTaken();
    }
    this.#timer = setInterval(() => this.#tick(), this.#tickMs);
    this.#stopHearing = bus.onCancel((id) => executor.get(id)?.stop('cancelled'));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopHearing();
    await Promise.race([Promise.all(this.#underWay.values()), delay(CLOSE_WITHIN_MS)]);
  }

  get #tickMs(): number {
    return Math.min(MAX_TICK_MS, this.#needs.lease.renewEveryMs);
  }

  #tick(): void {
    const { alone, leaseSeconds, lease, orphans, runs, unsure, clock } = this.#needs;
    const sinceLastMs = clock.monotonicMs() - this.#lastTickMs;
    this.#lastTickMs = clock.monotonicMs();
    if (!alone && sinceLastMs > this.#tickMs * TICKS_OF_A_PAUSE && !lease.isHeld) this.#doubtOwnership();
    this.#step('progress', () => this.#saveProgress());
    if (!alone) this.#step('watch', () => this.#watch());
    this.#step('unsure', () => unsure.withdraw());
    if (this.#isDue('reap', lease.renewEveryMs)) {
      this.#step('reap', async () => {
        if (!alone && lease.mayDeclareOthersDead) await orphans.takeFromDead(leaseSeconds);
        await orphans.endTaken();
      });
    }
    if (this.#isDue('strays', leaseSeconds * 1_000)) {
      this.#step('strays', () => orphans.takeStrays(this.#activeIds()));
    }
    if (this.#isDue('tidy', leaseSeconds * 1_000 * LEASES_PER_TIDYING)) {
      this.#step('tidy', () => runs.dropExpiredKeys());
    }
  }

  /** No step waits for another, nor fails with it; one that is still under way is not begun again. */
  #step(name: string, work: () => Promise<void>): void {
    if (this.#underWay.has(name)) return;
    const step = work()
      .catch((error: unknown) => {
        this.#needs.logger.warn({ err: error, step: name }, 'A part of keeping runs failed; trying again');
      })
      .finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, step);
  }

  /** A tick is late now and then: what is due within a moment is done now. */
  #isDue(what: string, everyMs: number): boolean {
    const now = this.#needs.clock.monotonicMs();
    const last = this.#lastDone.get(what) ?? 0;
    if (now - last < everyMs * 0.9) return false;
    this.#lastDone.set(what, now);
    return true;
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
      inputTokens: answer.usage?.inputTokens ?? this.#inputTokensOf(run),
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
        cost_nano: isFree(candidate) ? '0' : price ? costOf(usage, price).totalNano.toString() : null,
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

  /** What the database says of this node's runs: another node has taken or ended them, or somebody there has asked to cancel them. */
  async #watch(): Promise<void> {
    const { executor, runs, nodeId } = this.#needs;
    const asked = [...executor.active()].filter(({ settling }) => !settling);
    if (asked.length === 0) return;
    const owned = await runs.ownedBy(
      nodeId,
      asked.map(({ id }) => id),
    );
    for (const run of asked) {
      // Its own end may have been written meanwhile.
      if (executor.get(run.id) !== run || run.settling) continue;
      const row = owned.get(run.id);
      if (!row) run.stop('replaced');
      else if (row.isCancelled) run.stop('cancelled');
    }
  }

  /** Until the database has answered, faults of this node's runs lead to nothing: their providers must not be asked again for another's runs. */
  #doubtOwnership(): void {
    const { executor, lease, logger } = this.#needs;
    const doubted = [...executor.active()];
    const ownership = lease
      .renew()
      .then(() => this.#watch())
      .catch((error: unknown) => {
        logger.warn(
          { err: error },
          'After a pause this node could not find out whether its runs are still its own',
        );
      })
      .finally(() => {
        for (const run of doubted) if (run.ownership === ownership) run.ownership = undefined;
      });
    for (const run of doubted) run.ownership = ownership;
  }

  #activeIds(): string[] {
    return [...this.#needs.executor.active()].map(({ id }) => id);
  }
}
