// Owns the telemetry port: the events by which the gateway reports its own work, as one closed union, and the hub that gives each event to every listener.
import type { ErrorCode } from './errors.ts';
import type { Logger } from './logger.ts';
import type { TraceContext } from './trace-context.ts';

export type TelemetryEvent =
  | AttemptEnded
  | RunEnded
  | UpstreamAnswered
  | GroupCommitted
  | RedisMissed
  | RedisReturned
  | CircuitTurned
  | LimitRefused
  | StreamResumed;

/** The caller's request that an event belongs to, and the workspace that it came from. `requestId` is null for work that no request asked for. */
export interface OfRequest {
  readonly requestId: string | null;
  /** The trace context that the caller sent; absent if it sent none. */
  readonly trace?: TraceContext | undefined;
  readonly workspaceId: string;
}

/**
 * One call of one candidate has ended: with an answer, by a fault, or because the run was stopped. Sent once for each attempt, also for attempts that
 * are not charged.
 */
export interface AttemptEnded extends OfRequest {
  readonly type: 'attempt-ended';
  readonly runId: string;
  /** Number of the attempt within its run, counted from 1. */
  readonly attempt: number;
  /** Key of the provider, e.g. `openai`. */
  readonly provider: string;
  /** Name of the provider config. */
  readonly config: string;
  /** Label of the candidate, as in the route plan: an instance's slug, or model and config where there is no instance. */
  readonly candidate: string;
  readonly canonicalId: string | null;
  readonly startedAt: Date;
  /** Milliseconds from the start of the attempt to its first content; `null` where no content came. */
  readonly firstTokenMs: number | null;
  readonly durationMs: number;
  /** True if the run was stopped during the attempt. A fault then tells nothing about the provider, and should not count as one of its failures. */
  readonly stopped: boolean;
  readonly fault?: AttemptFault | undefined;
}

export interface AttemptFault {
  readonly code: ErrorCode;
  /** HTTP status of the provider's answer, if there was one. */
  readonly status: number | undefined;
  readonly providerRequestId: string | undefined;
  readonly error: Error;
}

/** This node has ended a run, and its end is committed. Sent once for each run, by the node that has written the end. */
export interface RunEnded extends OfRequest {
  readonly type: 'run-ended';
  /** The node that ended it: the one that ran it, or another one after that node was lost. */
  readonly by: 'its node' | 'another node';
  readonly runId: string;
  /** Name of its kind: `completion`. */
  readonly kind: string;
  readonly status: string;
  /** The name that the caller asked for: a slug, a canonical id, `tag:<name>` or `auto`. */
  readonly model: string;
  /** Canonical id of the model that answered, or that was to answer; `null` where none was called. */
  readonly canonicalId: string | null;
  readonly usage: TokensUsed;
  readonly costNano: bigint | null;
  readonly attempts: number;
  /** What happened in the run, in a few sentences that hold nothing of the prompt or the answer. */
  readonly explanation: string;
  readonly durationMs: number;
  readonly code?: ErrorCode | undefined;
}

export interface TokensUsed {
  readonly inputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  /** True if the gateway has counted the tokens itself, because the provider sent no count. */
  readonly estimated: boolean;
}

/**
 * The headers of a provider's answer have come, or a fault of the connection in their place. Sent for each HTTP request to a provider, also for lists of
 * models and health checks.
 */
export interface UpstreamAnswered {
  readonly type: 'upstream-answered';
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly ms: number;
  /** The HTTP status of the answer, or the name of the fault where there was no answer. */
  readonly outcome: { readonly status: number } | { readonly fault: string };
}

/** A group of writes that share one transaction is committed. `items` is the number of writes, `ms` the time that the transaction took. */
export interface GroupCommitted {
  readonly type: 'group-committed';
  /** Which writes: beginnings of runs, ends of runs, raised holds, or progress records. */
  readonly group: 'begins' | 'ends' | 'hold-raises' | 'progress';
  readonly items: number;
  readonly ms: number;
}

/** Redis failed a command that a request waits for, or did not answer it in time. */
export interface RedisMissed {
  readonly type: 'redis-missed';
  readonly error: unknown;
  /** Set only for the miss after which the node stops using Redis until it answers again: the reason. */
  readonly leftOut: 'takes no writes' | 'does not answer' | undefined;
}

/** The node uses Redis again after it had stopped doing so. */
export interface RedisReturned {
  readonly type: 'redis-returned';
}

/** This node has opened or closed a circuit. Circuits that another node has turned are not reported here. */
export interface CircuitTurned {
  readonly type: 'circuit-turned';
  readonly circuit: string;
  readonly to: 'OPEN' | 'CLOSED';
  /** Why it opened, for people; `null` when it closed. */
  readonly reason: string | null;
}

/** A limit of the caller or of its workspace refused a run before it began. */
export interface LimitRefused extends OfRequest {
  readonly type: 'limit-refused';
  readonly scope: 'CALLER' | 'WORKSPACE';
  /** Name of the limit, e.g. `tokensPerMinute`. */
  readonly limit: string;
}

/** A reader asked for the events of a run from a place beyond its beginning, as one does that reconnects. */
export interface StreamResumed {
  readonly type: 'stream-resumed';
  readonly runId: string;
  readonly after: number;
  /** True if this node runs the run; false if its events are read from the shared log. */
  readonly local: boolean;
}

/** The port as the code that reports events sees it. */
export interface Telemetry {
  /** False where there is no listener: code may then skip making an event that is costly to make. */
  readonly isHeard: boolean;
  /** Gives the event to every listener before it returns; never raises. No event is sent for each token, so this is not on the token path. */
  emit(event: TelemetryEvent): void;
}

/** A listener is called within the work that it is told of, so it must return quickly and wait for nothing. What it throws is caught by the hub. */
export type TelemetryListener = (event: TelemetryEvent) => void;

export const silentTelemetry: Telemetry = { isHeard: false, emit() {} };

interface Heard {
  readonly name: string;
  readonly listener: TelemetryListener;
  faults: number;
}

/** Gives each event to every listener. A failure of a listener is counted, and the first one is logged; it affects neither the work nor the other listeners. */
export class TelemetryHub implements Telemetry {
  readonly #listeners: readonly Heard[];
  readonly #logger: Logger;

  constructor(logger: Logger, listeners: Readonly<Record<string, TelemetryListener>>) {
    this.#logger = logger;
    this.#listeners = Object.entries(listeners).map(([name, listener]) => ({ name, listener, faults: 0 }));
  }

  get isHeard(): boolean {
    return this.#listeners.length > 0;
  }

  /** How many times each listener has failed, by its name. */
  get faults(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#listeners.map(({ name, faults }) => [name, faults]));
  }

  emit(event: TelemetryEvent): void {
    for (const heard of this.#listeners) {
      try {
        const result: unknown = heard.listener(event);
        if (result instanceof Promise) result.catch((error: unknown) => this.#failed(heard, event, error));
      } catch (error) {
        this.#failed(heard, event, error);
      }
    }
  }

  #failed(heard: Heard, { type }: TelemetryEvent, error: unknown): void {
    heard.faults += 1;
    if (heard.faults > 1) return;
    this.#logger.error(
      { err: error, listener: heard.name, event: type },
      'A listener of telemetry failed; further faults of it are counted only',
    );
  }
}
