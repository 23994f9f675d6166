// Owns a run while it is alive on this node: its events' order, who attends it, and the switch that stops it.

import type { EventLog } from '../../coordination/contract.ts';
import { deferred } from '../../kernel/async.ts';
import type { Clock } from '../../kernel/clock.ts';
import { GatewayError } from '../../kernel/errors.ts';
import type { TraceContext } from '../../kernel/trace-context.ts';
import { unreachable } from '../../kernel/unreachable.ts';
import type { StreamPart } from '../../providers/contract/adapter.ts';
import { NO_USAGE, type Usage } from '../billing/usage.ts';
import type { WorkspaceCatalogue } from '../catalogue/snapshot.ts';
import type { Candidate } from '../routing/candidates.ts';
import type { Route } from '../routing/planner.ts';
import { Answer } from './answer.ts';
import {
  type CompletionEvent,
  type DeltaEvent,
  type ReroutedEvent,
  toEndedEvent,
} from './completion-event.ts';
import type { CompletionRequest } from './completion-request.ts';
import type { StopKind } from './run-ending.ts';
import type { RunFunds } from './run-funds.ts';
import type { RunAttempt, RunRecord, RunWarning } from './run-record.ts';

export interface NewRun {
  readonly id: string;
  readonly workspaceId: string;
  readonly caller: string;
  readonly requestId: string | null;
  /** The trace of the caller's request, if it belongs to one. */
  readonly trace?: TraceContext | undefined;
  readonly request: CompletionRequest;
  readonly route: Route;
  /** The price versions of the snapshot that the run began with. */
  readonly prices: WorkspaceCatalogue['prices'];
  readonly policy: RunPolicy;
  /** Absent where nothing is held for it. */
  readonly funds?: RunFunds;
  readonly createdAt: Date;
}

/** How far the run goes to hide faults. */
export interface RunPolicy {
  /** Calls in all. */
  readonly maxAttempts: number;
  /** Calls of one instance, where the caller bounds them; otherwise the instance, its config or the default does. */
  readonly maxAttemptsPerInstance: number | undefined;
  readonly defaultAttemptsPerInstance: number;
  /** How long a provider may make the caller wait. */
  readonly patienceMs: number;
  /** Bound on the whole run, attempts and waits together. */
  readonly totalMs: number | undefined;
  /** `COMPLETE` shows nothing until the answer is whole. */
  readonly commit: 'FIRST_TOKEN' | 'COMPLETE';
  readonly onStreamFault: 'RESTART' | 'FAIL';
}

/** Often enough to notice every reader on another node: this share of the time for which one is known. */
const LOOK_ELSEWHERE_SHARE = 0.75;
/** The least between two looks. */
const LOOK_AGAIN_MS = 100;

type Unsequenced<Event> = Event extends CompletionEvent
  ? Omit<Event, 'seq' | 'fromSeq' | 'runId' | 'atMs'>
  : never;

export class ActiveRun {
  readonly id: string;
  readonly epoch = 1;
  readonly attempts: RunAttempt[] = [];
  readonly warnings: RunWarning[] = [];
  readonly #stop = new AbortController();
  readonly #ended = deferred<RunRecord>();
  readonly #log: EventLog<CompletionEvent>;
  readonly #clock: Clock;
  /** What the current attempt has given. */
  answer = new Answer();
  candidate: Candidate | undefined;
  stopKind: StopKind | undefined;
  /** Content of the current attempt has been shown. */
  shown = false;
  /** Its attempts are over; what remains is the write that ends it. */
  settling = false;
  seq = 0;
  /** Set while it is not sure whether another node has taken the run: settles once it is, when the run goes on or has been stopped. */
  ownership: Promise<void> | undefined;
  #attendants = 0;
  /** By the monotonic clock; of readers on all nodes. */
  #lastAttendedMs: number;
  #detachTimer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(
    readonly run: NewRun,
    log: EventLog<CompletionEvent>,
    clock: Clock,
  ) {
    this.id = run.id;
    this.#log = log;
    this.#clock = clock;
    // Nobody may be waiting when the run ends badly; that is not a fault of the process.
    this.#ended.promise.catch(() => {});
    this.#lastAttendedMs = clock.monotonicMs();
    this.#armDetachTimer();
  }

  get stopSignal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Resolves with the settled run, after the commit. */
  get ended(): Promise<RunRecord> {
    return this.#ended.promise;
  }

  /** Stops the upstream request; the first reason counts. */
  stop(kind: StopKind): void {
    if (this.#stop.signal.aborted) return;
    this.stopKind = kind;
    this.#stop.abort(new GatewayError('CANCELLED', `The run was ${kind}`));
  }

  /** Somebody follows the run until the returned function is called. */
  attend(): () => void {
    this.#attendants += 1;
    clearTimeout(this.#detachTimer);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#attendants -= 1;
      this.#lastAttendedMs = this.#clock.monotonicMs();
      this.#armDetachTimer();
    };
  }

  emitStarted(): void {
    this.#emit({ type: 'started', plan: this.run.route.plan });
  }

  emitRerouted(event: Unsequenced<ReroutedEvent>): void {
    this.#emit(event);
  }

  /** One event for each run of parts of one kind; a read of one kind is one event. */
  emitParts(parts: readonly StreamPart[]): void {
    const events: DeltaEvent[] = [];
    let last: { type: string; index?: number; text?: string; argumentsText?: string } | undefined;
    for (const part of parts) {
      switch (part.type) {
        case 'text-delta':
        case 'reasoning-delta':
          if (part.text === '') break;
          if (last?.type === part.type) {
            last.text += part.text;
          } else {
            const event = { ...this.#nextBase(), type: part.type, text: part.text };
            events.push(event);
            last = event;
          }
          break;
        case 'tool-call-delta':
          if (last?.type === part.type && last.index === part.index) {
            last.argumentsText += part.argumentsText;
          } else {
            const { index, callId, name, argumentsText } = part;
            const event = { ...this.#nextBase(), type: part.type, index, callId, name, argumentsText };
            events.push(event);
            last = event;
          }
          break;
        // What is told of an answer beside its content is told with the end.
        case 'response-start':
        case 'usage':
        case 'warning':
        case 'finish':
          break;
        default:
          unreachable(part);
      }
    }
    const [first] = events;
    if (!first || this.stopKind === 'replaced') return;
    // The first content of an attempt tells whose it is; the events behind it do not repeat that.
    if (!this.shown && this.candidate) events[0] = { ...first, servedBy: this.candidate.label };
    this.shown = true;
    this.#log.append(this.id, events);
  }

  /** Takes in what was done differently from what was asked; trying again says nothing new. */
  warn(warnings: readonly RunWarning[]): void {
    for (const warning of warnings) {
      const known = this.warnings.some(
        ({ code, message }) => code === warning.code && message === warning.message,
      );
      if (!known) this.warnings.push(warning);
    }
  }

  /** The settled end: publishes it and closes the log. */
  end(record: RunRecord): void {
    const event = toEndedEvent(record);
    if (event) this.#log.append(this.id, [event]);
    this.#finish();
    this.#ended.resolve(record);
  }

  /** Another node has ended the run: its readers here get that end, and nothing more is published from here. */
  endedElsewhere(record: RunRecord): void {
    this.#over = true;
    clearTimeout(this.#detachTimer);
    this.#ended.resolve(record);
  }

  /** What became of the run cannot be found out: nothing more is published from here. */
  abandon(error: GatewayError): void {
    this.#finish();
    this.#ended.reject(error);
  }

  /** The run as it stands now, not settled. */
  record(): RunRecord {
    const { run, answer } = this;
    return {
      id: this.id,
      workspaceId: run.workspaceId,
      caller: run.caller,
      requestId: run.requestId,
      status: 'RUNNING',
      model: run.request.model,
      plan: run.route.plan,
      metadata: run.request.metadata,
      instanceId: this.candidate?.instance?.id ?? null,
      canonicalId: this.candidate?.canonicalId ?? null,
      text: this.shown ? answer.text : '',
      reasoning: this.shown ? answer.reasoning : '',
      toolCalls: this.shown ? answer.toolCalls() : [],
      finishReason: null,
      providerFinishReason: null,
      usage: this.#usageSoFar(),
      costNano: null,
      costLines: [],
      priceVersionId: null,
      warnings: this.warnings,
      error: null,
      continuation: null,
      attempts: this.attempts,
      lastSeq: null,
      createdAt: run.createdAt,
      endedAt: null,
      contentRemovedAt: null,
    };
  }

  #usageSoFar(): Usage {
    return { ...(this.answer.usage ?? NO_USAGE), estimated: true };
  }

  #nextBase() {
    this.seq += 1;
    return { seq: this.seq, fromSeq: this.seq, runId: this.id, atMs: this.#clock.now().getTime() };
  }

  #emit(event: Unsequenced<CompletionEvent>): void {
    if (this.stopKind === 'replaced') return;
    this.#log.append(this.id, [{ ...this.#nextBase(), ...event } as CompletionEvent]);
  }

  #finish(): void {
    this.#over = true;
    clearTimeout(this.#detachTimer);
    this.#log.close(this.id);
  }

  /** Readers on other nodes count as well: they are looked for often enough that none is missed. */
  async #stopIfAlone(): Promise<void> {
    const askedMs = this.#clock.monotonicMs();
    const followedMsAgo = await this.#log.lastFollowedElsewhere(this.id);
    if (this.#attendants > 0 || this.#over) return;
    if (followedMsAgo !== undefined) {
      this.#lastAttendedMs = Math.max(this.#lastAttendedMs, askedMs - followedMsAgo);
    }
    if (followedMsAgo === 0 || this.#graceLeftMs() > 0) this.#armDetachTimer(LOOK_AGAIN_MS);
    else this.stop('cancelled');
  }

  #graceLeftMs(): number {
    return this.#lastAttendedMs + this.run.request.detachGraceMs - this.#clock.monotonicMs();
  }

  #armDetachTimer(atLeastMs = 0): void {
    clearTimeout(this.#detachTimer);
    if (this.run.request.onDetach !== 'CANCEL' || this.#attendants > 0 || this.#over) return;
    const waitMs = Math.max(
      atLeastMs,
      Math.min(this.#graceLeftMs(), this.#log.followerKnownMs * LOOK_ELSEWHERE_SHARE),
    );
    this.#detachTimer = setTimeout(() => void this.#stopIfAlone(), Math.ceil(waitMs));
  }
}
