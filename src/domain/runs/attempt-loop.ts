// Owns the way down the list of candidates: who is asked, how often, what a fault leads to, and what of it the reader sees.
import { abortable, delay } from '../../kernel/async.ts';
import type { Clock } from '../../kernel/clock.ts';
import { GatewayError, ProviderError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Adapter, StreamPart } from '../../providers/contract/adapter.ts';
import type { ConfigHealthReports } from '../catalogue/config-health-reports.ts';
import type { ProviderTargets } from '../catalogue/provider-target.ts';
import type { Candidate } from '../routing/candidates.ts';
import { type Admission, type CircuitOutcome, type Circuits } from '../routing/circuits.ts';
import { nextStep, ruledOutBy } from '../routing/retry-policy.ts';
import type { ActiveRun } from './active-run.ts';
import { Answer } from './answer.ts';
import { type AttemptResult, runAttempt } from './attempt.ts';
import { translateRequest } from './provider-request.ts';
import { isKept } from './run-ending.ts';
import { attemptRecord, priceAttempt } from './settlement.ts';
import { attemptLimits } from './time-limits.ts';

export interface AttemptLoopDependencies {
  readonly adapterOf: (protocol: string) => Adapter | undefined;
  readonly targets: ProviderTargets;
  readonly circuits: Circuits;
  readonly health: ConfigHealthReports;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Upper bound on one answer. */
  readonly maxAnswerBytes: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Faults that tell of the provider's health; the others tell of the request, or of the credential. */
const AILMENTS = new Set(['PROVIDER_UNAVAILABLE', 'PROVIDER_TIMEOUT', 'PROVIDER_PROTOCOL']);
/** Faults of our own making, which say nothing of what the caller asked for. */
const HOLLOW = new Set(['MODEL_UNAVAILABLE', 'CAPABILITY_MISSING']);

export class AttemptLoop {
  readonly #needs: AttemptLoopDependencies;
  readonly #run: ActiveRun;
  readonly #waiting: Candidate[];
  readonly #startedMs: number;
  #firstFault: AttemptResult | undefined;

  constructor(needs: AttemptLoopDependencies, run: ActiveRun) {
    this.#needs = needs;
    this.#run = run;
    this.#waiting = [...run.run.route.candidates];
    this.#startedMs = needs.clock.monotonicMs();
  }

  /** Goes down the list; gives the result that decides how the run ends. */
  async go(): Promise<AttemptResult | undefined> {
    for (let candidate = this.#waiting.shift(); candidate; candidate = this.#waiting.shift()) {
      if (!(await this.#covers(candidate))) continue;
      const key = candidate.circuitKey;
      const mustTry = this.#waiting.length === 0 && this.#firstFault === undefined;
      const admission = await this.#needs.circuits.admit(key, mustTry);
      if (admission === 'skip') continue;
      const end = await this.#tryCandidate(candidate, key, admission);
      if (end) return end.error && !end.stopped ? (this.#firstFault ?? end) : end;
    }
    return this.#firstFault;
  }

  /** Whether what is held, or can be, pays for a call of the candidate. */
  async #covers(candidate: Candidate): Promise<boolean> {
    const { funds } = this.#run.run;
    if (!funds || (await funds.cover(candidate))) return true;
    const message = `FUNDS: "${candidate.label}" was skipped, since the funds do not cover it`;
    this.#run.warn([{ code: 'FUNDS', message }]);
    return false;
  }

  /** The result that ends the run, or nothing if the next candidate is to be tried. */
  async #tryCandidate(
    candidate: Candidate,
    key: string,
    admission: Admission,
  ): Promise<AttemptResult | undefined> {
    const { circuits, health } = this.#needs;
    const breaks =
      candidate.instance?.retryPolicy.circuitBreaker ?? candidate.config.retryPolicy.circuitBreaker ?? true;
    let last: AttemptResult | undefined;
    try {
      for (let here = 1; ; here += 1) {
        const result = await this.#attempt(candidate);
        last = result;
        if (!result.error || result.stopped) {
          if (!result.error) health.worked(candidate.config);
          await this.#book(candidate, result, false);
          return result;
        }
        this.#ruleOut(candidate, result.error);
        // The first fault that says something is the one that is told; one of our own making says little, and a filter's word is the last.
        if (isTold(result.error, this.#firstFault?.error)) this.#firstFault = result;
        if (result.error.code === 'PROVIDER_AUTHENTICATION') health.refused(candidate.config, result.error);
        const step = nextStep({ ...this.#situation(candidate, result.error), attemptsHere: here });
        await this.#book(candidate, result, step.type !== 'stop');
        if (step.type === 'stop') return result;
        const next = step.type === 'retry' ? candidate : this.#waiting[0];
        if (next) this.#announce(candidate, next, result.error);
        if (step.type === 'next') return undefined;
        if (!(await this.#wait(step.waitMs))) return { ...result, stopped: true };
      }
    } finally {
      circuits.record(key, outcomeOf(last), admission, breaks);
    }
  }

  #situation(candidate: Candidate, error: ProviderError) {
    const { policy } = this.#run.run;
    const own = candidate.instance?.retryPolicy.maxAttempts ?? candidate.config.retryPolicy.maxAttempts;
    return {
      error,
      shown: this.#run.shown,
      onStreamFault: policy.onStreamFault,
      maxHere: policy.maxAttemptsPerInstance ?? own ?? policy.defaultAttemptsPerInstance,
      attemptsLeft: policy.maxAttempts - this.#run.attempts.length - 1,
      anotherWaits: this.#waiting.length > 0,
      patienceMs: policy.patienceMs,
      remainingMs: this.#remainingMs(),
      random: this.#needs.random,
    };
  }

  /** Until the limit that the caller has set on the whole run. */
  #remainingMs(): number {
    const { totalMs } = this.#run.run.policy;
    return totalMs === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(0, totalMs - (this.#needs.clock.monotonicMs() - this.#startedMs));
  }

  #ruleOut(candidate: Candidate, error: ProviderError): void {
    const rule = ruledOutBy(error);
    if (!rule) return;
    const isOut = (other: Candidate): boolean => {
      switch (rule) {
        case 'CONFIG':
          return other.config.id === candidate.config.id;
        case 'MODEL':
          return other.config.id === candidate.config.id && other.canonicalId === candidate.canonicalId;
        case 'SMALLER_CONTEXT':
          return isNoLarger(other, candidate);
      }
    };
    const staying = this.#waiting.filter((other) => !isOut(other));
    this.#waiting.splice(0, this.#waiting.length, ...staying);
  }

  /** Content that was shown is void: whoever reads is told, and starts anew. */
  #announce(from: Candidate, to: Candidate, error: ProviderError): void {
    if (!this.#run.shown) return;
    this.#run.shown = false;
    const reason = `${error.code}: ${error.message}`;
    this.#run.emitRerouted({ type: 'rerouted', from: from.label, to: to.label, reason, discard: true });
  }

  /** False if the run was stopped meanwhile. */
  async #wait(ms: number): Promise<boolean> {
    try {
      await delay(ms, this.#run.stopSignal);
      return true;
    } catch {
      return false;
    }
  }

  async #attempt(candidate: Candidate): Promise<AttemptResult> {
    const { clock } = this.#needs;
    const run = this.#run;
    run.answer = new Answer();
    run.candidate = candidate;
    const call = this.#prepare(candidate);
    if (call instanceof ProviderError) {
      const nothing = { stopped: false, startedAt: clock.now(), firstTokenMs: null, durationMs: 0 };
      return { answer: run.answer, error: call, ...nothing };
    }
    const anotherWaits = this.#waiting.length > 0;
    const limits = attemptLimits(candidate, anotherWaits, this.#remainingMs());
    const held: StreamPart[] = [];
    const { funds, policy } = run.run;
    const outOfFunds = () => run.stop('funds');
    const result = await runAttempt({
      ...call,
      limits,
      clock,
      stop: run.stopSignal,
      wholeSuffices: policy.commit === 'COMPLETE',
      answer: run.answer,
      maxAnswerBytes: this.#needs.maxAnswerBytes,
      onParts: (parts) => {
        // One by one: a read may hold more parts than a call can take arguments.
        if (policy.commit === 'COMPLETE') for (const part of parts) held.push(part);
        else run.emitParts(parts);
        funds?.watch(candidate, run.answer, outOfFunds);
      },
    });
    // Held back until it was whole: it goes out now, at once, or never.
    if (held.length > 0 && (!result.error || run.stopKind === 'funds')) run.emitParts(held);
    this.#log(candidate, result);
    return this.#afterDoubt(result);
  }

  /** Behind a pause of this node: a fault leads to nothing if another node has taken the run meanwhile. */
  async #afterDoubt(result: AttemptResult): Promise<AttemptResult> {
    const { ownership, stopSignal } = this.#run;
    if (!result.error || !ownership) return result;
    await abortable(ownership, stopSignal).catch(() => {});
    return { ...result, stopped: stopSignal.aborted };
  }

  #prepare(candidate: Candidate) {
    const { adapterOf, targets } = this.#needs;
    const run = this.#run;
    const adapter = candidate.protocol === undefined ? undefined : adapterOf(candidate.protocol);
    try {
      if (!adapter || !candidate.spec) {
        throw new GatewayError('MODEL_UNAVAILABLE', `${candidate.label} cannot be called here`);
      }
      const target = targets.of(candidate.config, candidate.spec, candidate.model, candidate.instance);
      const { request, warnings } = translateRequest({ candidate, adapter, target }, run.run.request);
      run.warn(warnings);
      return { adapter, request };
    } catch (error) {
      const message = error instanceof GatewayError ? error.message : 'The request could not be prepared';
      return new ProviderError('MODEL_UNAVAILABLE', message, { cause: error });
    }
  }

  /** `replaced`: another attempt is to take its place. */
  async #book(candidate: Candidate, result: AttemptResult, replaced: boolean): Promise<void> {
    const { request, prices } = this.#run.run;
    const absorbed = !isKept({ whole: !result.error, shown: this.#run.shown, replaced });
    const priced = await priceAttempt(request, candidate, result, prices, this.#needs.clock.now());
    const { attempts } = this.#run;
    attempts.push(attemptRecord(attempts.length + 1, candidate, result, priced, absorbed));
  }

  #log(candidate: Candidate, { error, stopped, firstTokenMs, durationMs }: AttemptResult): void {
    const { logger } = this.#needs;
    const fields = {
      requestId: this.#run.run.requestId,
      runId: this.#run.id,
      provider: candidate.config.providerKey,
      config: candidate.config.name,
      candidate: candidate.label,
      attempt: this.#run.attempts.length + 1,
      firstTokenMs,
      durationMs,
    };
    if (error && !stopped) {
      const { code, status, providerRequestId } = error;
      logger.error({ ...fields, code, status, providerRequestId, err: error }, 'A provider failed');
    } else {
      logger.debug(fields, 'An attempt ended');
    }
  }
}

function isTold(error: ProviderError, before: ProviderError | undefined): boolean {
  if (!before || error.code === 'PROVIDER_CONTENT_FILTERED') return true;
  return HOLLOW.has(before.code) && !HOLLOW.has(error.code);
}

/** A context that has overflown overflows every other that is known to be no larger. */
function isNoLarger(other: Candidate, candidate: Candidate): boolean {
  const size = candidate.model?.contextLength;
  const otherSize = other.model?.contextLength;
  if (other.canonicalId === candidate.canonicalId) return true;
  return size != null && otherSize != null && otherSize <= size;
}

function outcomeOf(result: AttemptResult | undefined): CircuitOutcome {
  if (!result || result.stopped) return { result: 'neutral', firstTokenMs: null };
  const { error, firstTokenMs } = result;
  if (!error) return { result: 'success', firstTokenMs };
  const quiet = error.code === 'PROVIDER_RATE_LIMITED' ? error.retryAfterMs : undefined;
  return {
    result: AILMENTS.has(error.code) ? 'failure' : 'neutral',
    firstTokenMs: null,
    reason: `${error.code}: ${error.message}`.slice(0, 300),
    ...(quiet === undefined ? {} : { quietMs: quiet }),
  };
}
