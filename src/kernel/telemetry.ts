// Owns the telemetry port: what the gateway tells of its own work, as one closed union of events, and the hub that hands each to whoever listens.
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

/** Which request of a caller an event belongs to. */
export interface OfRequest {
  readonly requestId: string | null;
  /** The caller's own trace, if it sent one. */
  readonly trace?: TraceContext | undefined;
  readonly workspaceId: string;
}

/** One call of one candidate has ended, whichever way. */
export interface AttemptEnded extends OfRequest {
  readonly type: 'attempt-ended';
  readonly runId: string;
  /** From 1 on. */
  readonly attempt: number;
  /** Key of the provider, e.g. `openai`. */
  readonly provider: string;
  /** Name of the provider config. */
  readonly config: string;
  /** What people know it by: an instance's slug, or config and model. */
  readonly candidate: string;
  readonly canonicalId: string | null;
  readonly startedAt: Date;
  /** From the start to the first content; `null` where none came. */
  readonly firstTokenMs: number | null;
  readonly durationMs: number;
  /** The run was stopped meanwhile: a fault says nothing of the provider. */
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

/** This node has ended a run, and the end is committed. */
export interface RunEnded extends OfRequest {
  readonly type: 'run-ended';
  /** Who ended it: the node that ran it, or another one after that node was lost. */
  readonly by: 'its node' | 'another node';
  readonly runId: string;
  /** Name of its kind: `completion`. */
  readonly kind: string;
  readonly status: string;
  /** The name that the caller asked for. */
  readonly model: string;
  /** The model that served, or was to. */
  readonly canonicalId: string | null;
  readonly usage: TokensUsed;
  readonly costNano: bigint | null;
  readonly attempts: number;
  /** In one sentence, without a word of the content. */
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
  /** Counted here, since the provider sent no count. */
  readonly estimated: boolean;
}

/** The headers of a provider's answer have come, or a fault instead. */
export interface UpstreamAnswered {
  readonly type: 'upstream-answered';
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly ms: number;
  /** A status of HTTP, or the name of the fault. */
  readonly outcome: { readonly status: number } | { readonly fault: string };
}

/** A group of writes that share one transaction is committed. */
export interface GroupCommitted {
  readonly type: 'group-committed';
  /** What was written. */
  readonly group: 'begins' | 'ends' | 'hold-raises' | 'progress';
  readonly items: number;
  readonly ms: number;
}

/** Redis did not do what a request waits for. */
export interface RedisMissed {
  readonly type: 'redis-missed';
  readonly error: unknown;
  /** Set for the miss after which Redis is left out until it answers again. */
  readonly leftOut: 'takes no writes' | 'does not answer' | undefined;
}

/** Redis is used again after it was left out. */
export interface RedisReturned {
  readonly type: 'redis-returned';
}

/** This node has opened or closed a circuit. */
export interface CircuitTurned {
  readonly type: 'circuit-turned';
  readonly circuit: string;
  readonly to: 'OPEN' | 'CLOSED';
  /** Why it opened. */
  readonly reason: string | null;
}

/** A limit of the caller or its workspace refused a run. */
export interface LimitRefused extends OfRequest {
  readonly type: 'limit-refused';
  readonly scope: 'CALLER' | 'WORKSPACE';
  /** Name of the limit, e.g. `tokensPerMinute`. */
  readonly limit: string;
}

/** A reader came back for the events beyond a place. */
export interface StreamResumed {
  readonly type: 'stream-resumed';
  readonly runId: string;
  readonly after: number;
  /** Whether the run is on this node. */
  readonly local: boolean;
}

/** What emitters are given. */
export interface Telemetry {
  /** False where nobody listens: an event that costs something to make need not be made. */
  readonly isHeard: boolean;
  /** Synchronous; never raises. Nothing is ever told for each token. */
  emit(event: TelemetryEvent): void;
}

/** Called within the work that it is told of, so it must be quick and wait for nothing. */
export type TelemetryListener = (event: TelemetryEvent) => void;

export const silentTelemetry: Telemetry = { isHeard: false, emit() {} };

interface Heard {
  readonly name: string;
  readonly listener: TelemetryListener;
  faults: number;
}

/** A listener that fails is counted and logged once; it harms neither the work nor the other listeners. */
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

  /** How often each listener failed, by its name. */
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
