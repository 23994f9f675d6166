// Owns the way down the list of candidates: which one is called, how often, what a fault leads to, and which output the reader sees.
import { abortable, delay } from '../../kernel/async.ts';
import type { Clock } from '../../kernel/clock.ts';
import { GatewayError, ProviderError } from '../../kernel/errors.ts';
import type { Telemetry } from '../../kernel/telemetry.ts';
import type { Adapter } from '../../providers/contract/adapter.ts';
import type { ConfigHealthReports } from '../catalogue/config-health-reports.ts';
import type { ProviderTargets } from '../catalogue/provider-target.ts';
import type { Candidate } from '../routing/candidates.ts';
import { type Admission, breaksCircuit, type Circuits } from '../routing/circuits.ts';
import { isMoreTelling } from '../routing/fault-meanings.ts';
import { type FaultSituation, nextStep, waitBeforeRetry } from '../routing/retry-policy.ts';
import type { ActiveRun } from './active-run.ts';
import { type AttemptResult, runAttempt } from './attempt.ts';
import { outcomeOfAttempt } from './circuit-outcome.ts';
import type { CircuitProbes } from './circuit-probes.ts';
import type { PreparedCall } from './kind.ts';
import { isKept } from './run-ending.ts';
import { attemptRecord, priceAttempt } from './settlement.ts';
import { attemptLimits } from './time-limits.ts';
import { type Turn, Turns } from './turns.ts';

export interface AttemptLoopDependencies {
  readonly adapterOf: (protocol: string) => Adapter | undefined;
  readonly targets: ProviderTargets;
  readonly circuits: Circuits;
  readonly probes: CircuitProbes;
  readonly health: ConfigHealthReports;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** The largest answer that is taken, in bytes. */
  readonly maxAnswerBytes: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** A candidate to call next, and on what terms its circuit allows the call. */
interface Admitted {
  readonly turn: Turn;
  readonly admission: Admission;
  /** True: it is called once and not retried, because its circuit is not closed. */
  readonly once: boolean;
}

type Step =
  | { readonly type: 'stop' }
  /** `to` is the same candidate again, or the next one. */
  | { readonly type: 'call'; readonly to: Admitted; readonly waitMs: number };

export class AttemptLoop {
  readonly #needs: AttemptLoopDependencies;
  readonly #run: ActiveRun;
  readonly #turns: Turns;
  readonly #startedMs: number;
  /** Circuits in which this run has counted a failure already: each run counts at most once in each. */
  readonly #counted = new Set<string>();
  #firstFault: AttemptResult | undefined;

  constructor(needs: AttemptLoopDependencies, run: ActiveRun) {
    this.#needs = needs;
    this.#run = run;
    this.#turns = new Turns(run.terms.route);
    this.#startedMs = needs.clock.monotonicMs();
  }

  /** Calls the candidates in turn; gives the result that decides how the run ends. */
  async go(): Promise<AttemptResult | undefined> {
    let now = (await this.#admitNext()) ?? (await this.#admitAnyway());
    let result: AttemptResult | undefined;
    try {
      while (now) {
        const { candidate } = now.turn;
        result = await this.#call(now.turn);
        if (!result.error || result.stopped) {
          await this.#book(candidate, result, false);
          if (!result.error) this.#succeeded(candidate);
          return result;
        }
        const fault: AttemptResult = result;
        const step = await this.#stepAfter(now, result.error);
        await this.#book(candidate, result, step.type !== 'stop');
        if (step.type === 'stop') return this.#firstFault;
        this.#announce(candidate, step.to.turn.candidate, result.error);
        if (step.to !== now) {
          this.#record(now, result);
          [now, result] = [step.to, undefined];
        }
        if (step.waitMs > 0 && !(await this.#wait(step.waitMs))) return { ...fault, stopped: true };
      }
      return this.#firstFault;
    } finally {
      if (now) this.#record(now, result);
    }
  }

  #succeeded(candidate: Candidate): void {
    const { health, probes } = this.#needs;
    health.worked(candidate.config);
    const { kind, route } = this.#run.terms;
    probes.start(kind, route.halfOpen);
  }

  /** The next candidate whose circuit allows a call and whose price the funds cover. */
  async #admitNext(): Promise<Admitted | undefined> {
    const { circuits } = this.#needs;
    for (const turn of this.#turns.all()) {
      const { candidate } = turn;
      const admission = await circuits.admit(candidate.circuitKey, false);
      // The candidate stays in the list: its circuit may have closed by the time of the next fault.
      if (admission === 'skip') continue;
      this.#turns.take(turn);
      if (await this.#covers(candidate)) return { turn, admission, once: admission === 'probe' };
      circuits.record(candidate.circuitKey, outcomeOfAttempt(undefined), admission, false);
    }
    return undefined;
  }

  /** If no candidate was called because every circuit is open, the best one is called once nevertheless. */
  async #admitAnyway(): Promise<Admitted | undefined> {
    for (const turn of this.#turns.all()) {
      this.#turns.take(turn);
      if (await this.#covers(turn.candidate)) return { turn, admission: 'go', once: true };
    }
    return undefined;
  }

  /** Whether the hold, raised if need be, covers a call of the candidate. */
  async #covers(candidate: Candidate): Promise<boolean> {
    const { funds } = this.#run.terms;
    if (!funds || (await funds.cover(candidate))) return true;
    const message = `FUNDS: "${candidate.label}" was skipped, since the funds do not cover it`;
    this.#run.warn([{ code: 'FUNDS', message }]);
    return false;
  }

  async #call(turn: Turn): Promise<AttemptResult> {
    const { candidate } = turn;
    const result = await this.#attempt(candidate);
    turn.calls += 1;
    const { error, stopped } = result;
    if (!error || stopped) return result;
    this.#turns.ruleOut(candidate, error);
    if (isMoreTelling(error, this.#firstFault?.error)) this.#firstFault = result;
    if (error.code === 'PROVIDER_AUTHENTICATION') this.#needs.health.refused(candidate.config, error);
    return result;
  }

  /** Before a fault may lead to another candidate, one is looked for that can be called now; if there is none, the fault is decided as if none waited. */
  async #stepAfter(now: Admitted, error: ProviderError): Promise<Step> {
    const situation = this.#situation(now, error);
    const step = nextStep(situation);
    if (step.type === 'stop') return step;
    if (step.type === 'retry') return { type: 'call', to: now, waitMs: step.waitMs };
    const next = await this.#admitNext();
    const backInMs = waitBeforeRetry(situation);
    if (!next) return backInMs === undefined ? { type: 'stop' } : { type: 'call', to: now, waitMs: backInMs };
    const nowMs = this.#needs.clock.monotonicMs();
    if (backInMs !== undefined) this.#turns.comeBack(now.turn, nowMs + backInMs);
    return { type: 'call', to: next, waitMs: next.turn.readyAtMs - nowMs };
  }

  #situation({ turn, once }: Admitted, error: ProviderError): FaultSituation {
    const { policy } = this.#run.terms;
    const { candidate, calls } = turn;
    const own = candidate.instance?.retryPolicy.maxAttempts ?? candidate.config.retryPolicy.maxAttempts;
    return {
      error,
      shown: this.#run.shown,
      onStreamFault: policy.onStreamFault,
      attemptsHere: calls,
      maxHere: once ? 1 : (policy.maxAttemptsPerInstance ?? own ?? policy.defaultAttemptsPerInstance),
      attemptsLeft: policy.maxAttempts - this.#run.attempts.length - 1,
      waiting: this.#turns.waiting.length,
      waitingPeers: this.#turns.peersOf(turn),
      returning: this.#turns.returning.length,
      patienceMs: policy.patienceMs,
      remainingMs: this.#remainingMs(),
      random: this.#needs.random,
    };
  }

  /** Milliseconds until the time limit that the caller has set for the whole run. */
  #remainingMs(): number {
    const { totalMs } = this.#run.terms.policy;
    return totalMs === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(0, totalMs - (this.#needs.clock.monotonicMs() - this.#startedMs));
  }

  #announce(from: Candidate, to: Candidate, error: ProviderError): void {
    if (!this.#run.shown) return;
    const reason = `${error.code}: ${error.message}`;
    this.#run.emitRerouted({ from: from.label, to: to.label, reason });
  }

  /** False if the run was stopped during the wait. */
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
    const { kind, funds, policy } = run.terms;
    const answer = kind.newAnswer(this.#needs.maxAnswerBytes);
    run.beginAttempt({ candidate, answer });
    const call = this.#prepare(candidate);
    if (call instanceof ProviderError) {
      const nothing = { stopped: false, startedAt: clock.now(), firstTokenMs: null, durationMs: 0 };
      return { answer, error: call, ...nothing };
    }
    // A slow candidate is given up early only if another one with a closed circuit waits, which is sure to be called.
    const anotherWaits = this.#turns.waiting.some((turn) => this.#isClosed(turn.candidate));
    const limits = attemptLimits(candidate, anotherWaits, this.#remainingMs());
    const held: unknown[] = [];
    const outOfFunds = () => run.stop('funds');
    const result = await runAttempt({
      call,
      limits,
      clock,
      stop: run.stopSignal,
      wholeSuffices: policy.commit === 'COMPLETE',
      answer,
      onParts: (parts) => {
        // Pushed one by one: a read may hold more parts than JavaScript allows arguments in one call.
        if (policy.commit === 'COMPLETE') for (const part of parts) held.push(part);
        else run.emitParts(parts);
        funds?.watch(candidate, answer, outOfFunds);
      },
    });
    // With commit COMPLETE the parts were held back until the answer was whole. They are shown now; those of a failed answer never are.
    if (held.length > 0 && (!result.error || run.stopKind === 'funds')) run.emitParts(held);
    this.#tell(candidate, result);
    return this.#afterDoubt(result);
  }

  /** After a pause of this process another node may have taken the run over. If it has, a fault leads to no further call. */
  async #afterDoubt(result: AttemptResult): Promise<AttemptResult> {
    const { ownership, stopSignal } = this.#run;
    if (!result.error || !ownership) return result;
    await abortable(ownership, stopSignal).catch(() => {});
    return { ...result, stopped: stopSignal.aborted };
  }

  #prepare(candidate: Candidate): PreparedCall<unknown> | ProviderError {
    const { adapterOf, targets } = this.#needs;
    const { kind, request } = this.#run.terms;
    const adapter = candidate.protocol === undefined ? undefined : adapterOf(candidate.protocol);
    try {
      if (!adapter || !candidate.spec || !kind.isOfferedBy(adapter)) {
        throw new GatewayError('MODEL_UNAVAILABLE', `${candidate.label} cannot be called here`);
      }
      const target = targets.of(candidate.config, candidate.spec, candidate.model, candidate.instance);
      const call = kind.prepare({ candidate, adapter, target }, request);
      this.#run.warn(call.warnings);
      return call;
    } catch (error) {
      const message = error instanceof GatewayError ? error.message : 'The request could not be prepared';
      return new ProviderError('MODEL_UNAVAILABLE', message, { cause: error });
    }
  }

  /** Records the attempt. `replaced`: another attempt is to take its place. */
  async #book(candidate: Candidate, result: AttemptResult, replaced: boolean): Promise<void> {
    const absorbed = !isKept({ whole: !result.error, shown: this.#run.shown, replaced });
    const priced = await priceAttempt(this.#run.terms, candidate, result, this.#needs.clock.now());
    const { attempts } = this.#run;
    attempts.push(attemptRecord(attempts.length + 1, candidate, result, priced, absorbed));
  }

  #isClosed({ circuitKey }: Candidate): boolean {
    return this.#needs.circuits.view(circuitKey).state === 'CLOSED';
  }

  #record({ turn, admission }: Admitted, result: AttemptResult | undefined): void {
    const { circuitKey } = turn.candidate;
    let outcome = outcomeOfAttempt(result);
    if (outcome.result === 'failure' && admission === 'go') {
      if (this.#counted.has(circuitKey)) outcome = { ...outcome, result: 'neutral' };
      this.#counted.add(circuitKey);
    }
    this.#needs.circuits.record(circuitKey, outcome, admission, breaksCircuit(turn.candidate));
  }

  #tell(candidate: Candidate, result: AttemptResult): void {
    const { telemetry } = this.#needs;
    if (!telemetry.isHeard) return;
    const { requestId, trace, workspaceId } = this.#run.terms;
    const { error, stopped, startedAt, firstTokenMs, durationMs } = result;
    telemetry.emit({
      type: 'attempt-ended',
      requestId,
      trace,
      workspaceId,
      runId: this.#run.id,
      attempt: this.#run.attempts.length + 1,
      provider: candidate.config.providerKey,
      config: candidate.config.name,
      candidate: candidate.label,
      canonicalId: candidate.canonicalId,
      startedAt,
      firstTokenMs,
      durationMs,
      stopped,
      fault: error && {
        code: error.code,
        status: error.status,
        providerRequestId: error.providerRequestId,
        error,
      },
    });
  }
}
