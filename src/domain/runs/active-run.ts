// Owns a run while this node runs it: the order of its events, its current attempt, and the signal that stops it.

import type { EventLog } from '../../coordination/contract.ts';
import { deferred } from '../../kernel/async.ts';
import type { Clock } from '../../kernel/clock.ts';
import { GatewayError } from '../../kernel/errors.ts';
import { NO_USAGE, type Usage } from '../billing/usage.ts';
import type { Candidate } from '../routing/candidates.ts';
import type { Answer } from './kind.ts';
import { RunAttendance } from './run-attendance.ts';
import type { StopKind } from './run-ending.ts';
import { type EventBase, type ReroutedEvent, type RunEvent, toEndedEvent } from './run-event.ts';
import type { RunAttempt, RunRecord, RunWarning } from './run-record.ts';
import type { RunTerms } from './run-terms.ts';

/** The current attempt of a run; the next attempt replaces the whole object. */
export interface CurrentAttempt {
  readonly candidate: Candidate;
  /** The output of the attempt so far. */
  readonly answer: Answer;
}

export class ActiveRun {
  readonly id: string;
  readonly epoch = 1;
  readonly attempts: RunAttempt[] = [];
  readonly warnings: RunWarning[] = [];
  readonly #stop = new AbortController();
  readonly #ended = deferred<RunRecord>();
  readonly #log: EventLog<RunEvent>;
  readonly #clock: Clock;
  readonly #attendance: RunAttendance;
  /** False for a light run: it has no events, and its caller waits for its end. */
  readonly #isLogged: boolean;
  #current: CurrentAttempt | undefined;
  #shown = false;
  #stopKind: StopKind | undefined;
  #seq = 0;
  /** True after the last attempt, while the end is being written. */
  settling = false;
  /** Set while it is not known whether another node has taken the run; settles when that is known, and the run then goes on or has been stopped. */
  ownership: Promise<void> | undefined;

  constructor(
    readonly terms: RunTerms,
    log: EventLog<RunEvent>,
    clock: Clock,
  ) {
    this.id = terms.id;
    this.#log = log;
    this.#clock = clock;
    this.#isLogged = terms.kind.keeping === 'durable';
    this.#attendance = new RunAttendance({
      runId: terms.id,
      request: terms.request,
      log,
      clock,
      onDesert: () => this.stop('cancelled'),
    });
    // If nothing waits for the run, its rejection must not count as an unhandled one, which would be logged as a fault of the process.
    this.#ended.promise.catch(() => {});
  }

  get stopSignal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Why the run was stopped; `undefined` if it was not. */
  get stopKind(): StopKind | undefined {
    return this.#stopKind;
  }

  /** `undefined` before the first attempt. */
  get current(): CurrentAttempt | undefined {
    return this.#current;
  }

  /** True if content of the current attempt stands in the run's events. */
  get shown(): boolean {
    return this.#shown;
  }

  /** Place of the last event. */
  get seq(): number {
    return this.#seq;
  }

  /** Resolves with the settled run, after the commit. */
  get ended(): Promise<RunRecord> {
    return this.#ended.promise;
  }

  /** Stops the provider's request; if it is called again, the first reason counts. */
  stop(kind: StopKind): void {
    if (this.#stop.signal.aborted) return;
    this.#stopKind = kind;
    this.#stop.abort(new GatewayError('CANCELLED', `The run was ${kind}`));
  }

  /** Marks the run as followed by one more reader, until the returned function is called. */
  attend(): () => void {
    return this.#attendance.attend();
  }

  beginAttempt(attempt: CurrentAttempt): void {
    this.#current = attempt;
  }

  emitStarted(): void {
    this.#emit({ ...this.#nextBase(), type: 'started', plan: this.terms.route.plan });
  }

  /** Tells readers that another candidate takes over and that the content shown so far is void. */
  emitRerouted(event: Omit<ReroutedEvent, keyof EventBase | 'type' | 'discard'>): void {
    this.#shown = false;
    this.#emit({ ...this.#nextBase(), type: 'rerouted', ...event, discard: true });
  }

  /** Makes one event of each sequence of parts of one type, so a read of one type becomes one event. */
  emitParts(parts: readonly unknown[]): void {
    if (this.#stopKind === 'replaced') return;
    const events = this.terms.kind.eventsOf(parts, () => this.#nextBase());
    const [first] = events;
    if (!first) return;
    // Only the first event of an attempt's content names the candidate that gives the answer.
    if (!this.#shown && this.#current) events[0] = { ...first, servedBy: this.#current.candidate.label };
    this.#shown = true;
    if (this.#isLogged) this.#log.append(this.id, events);
  }

  /** Adds warnings about differences from the request; a warning that an earlier attempt has given is not repeated. */
  warn(warnings: readonly RunWarning[]): void {
    for (const warning of warnings) {
      const known = this.warnings.some(
        ({ code, message }) => code === warning.code && message === warning.message,
      );
      if (!known) this.warnings.push(warning);
    }
  }

  /** Called with the settled run: publishes its end and closes the log. */
  end(record: RunRecord): void {
    const event = toEndedEvent(record);
    if (event && this.#isLogged) this.#log.append(this.id, [event]);
    this.#finish();
    this.#ended.resolve(record);
  }

  /** Called if another node has ended the run: this node's readers get that end, and this node publishes nothing more. */
  endedElsewhere(record: RunRecord): void {
    this.#attendance.close();
    this.#ended.resolve(record);
  }

  /** Called if the fate of the run cannot be found out: readers get the error, and this node publishes nothing more. */
  abandon(error: GatewayError): void {
    this.#finish();
    this.#ended.reject(error);
  }

  /** The record of the run as it is now, not settled. */
  record(): RunRecord {
    const { terms, current } = this;
    const { kind, request, route } = terms;
    return {
      id: this.id,
      kind: kind.name,
      workspaceId: terms.workspaceId,
      caller: terms.caller,
      requestId: terms.requestId,
      status: 'RUNNING',
      model: request.model,
      plan: route.plan,
      metadata: request.metadata,
      instanceId: current?.candidate.instance?.id ?? null,
      canonicalId: current?.candidate.canonicalId ?? null,
      result: this.#shown && current ? current.answer.result() : kind.noResult,
      finishReason: null,
      providerFinishReason: null,
      usage: this.#usageSoFar(),
      costNano: null,
      costLines: [],
      priceVersionId: null,
      warnings: this.warnings,
      error: null,
      attempts: this.attempts,
      lastSeq: null,
      createdAt: terms.createdAt,
      endedAt: null,
      contentRemovedAt: null,
    };
  }

  #usageSoFar(): Usage {
    return { ...(this.#current?.answer.usage ?? NO_USAGE), estimated: true };
  }

  #nextBase(): EventBase {
    this.#seq += 1;
    return { seq: this.#seq, fromSeq: this.#seq, runId: this.id, atMs: this.#clock.now().getTime() };
  }

  #emit(event: RunEvent): void {
    if (this.#stopKind === 'replaced' || !this.#isLogged) return;
    this.#log.append(this.id, [event]);
  }

  #finish(): void {
    this.#attendance.close();
    if (this.#isLogged) this.#log.close(this.id);
  }
}
