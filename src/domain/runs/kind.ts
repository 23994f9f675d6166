// Owns the contract between the engine of runs and a kind of call (a completion is one): the engine routes, retries, charges, records and
// follows; the kind knows what is asked, what comes back, and how that is shown, counted and stored.
import type { Nano } from '../../kernel/money.ts';
import type { Adapter } from '../../providers/contract/adapter.ts';
import type { FinishReason, ProviderUsage, Unsupported } from '../../providers/contract/completions.ts';
import type { CallOptions, ProviderTarget } from '../../providers/contract/target.ts';
import type { StoredGrowth, StoredResult } from '../../storage/run-columns.ts';
import type { Price } from '../billing/cost.ts';
import type { Candidate } from '../routing/candidates.ts';
import type { ModelNeeds } from '../routing/model-needs.ts';
import type { ContentEvent, EventBase, RunEvent } from './run-event.ts';
import type { RunWarning } from './run-record.ts';
import type { RunRequest } from './run-request.ts';

/**
 * How runs of a kind are kept. `durable`: events stand in the event log and the content so far in progress records, so that any node can serve the run.
 * `light`: while it runs there is only the row with its hold; the result is written once, at the end.
 */
export type Keeping = 'durable' | 'light';

/**
 * `Part`: a piece of a provider's answer as the adapter gives it. `Result`: what the whole answer comes to, plain JSON. The engine passes these values
 * between the kind's methods without reading them, so each kind meets its own types only.
 */
export interface Kind<Request extends RunRequest = RunRequest, Part = unknown, Result = unknown> {
  /** As stored in the column `kind`, and in messages: lower case, singular. */
  readonly name: string;
  readonly keeping: Keeping;
  /** The modality that a model must give so that this kind can call it. */
  readonly output: string;
  /** Types of the events that `eventsOf` makes; no two kinds may share one. */
  readonly eventTypes: readonly string[];
  /** The result of a run that gave no output. */
  readonly noResult: Result;
  /** The smallest request, sent as a probe of a candidate that failed before; absent if even the smallest one costs too much to be sent without a caller. */
  readonly ping?: Request;

  /** Raises `BAD_USER_INPUT` for the first rule that the request breaks. `paidFor`: true if an account or a budget pays for it. */
  validate(request: Request, paidFor: boolean): void;
  measure(request: Request): MeasuredRequest;
  needs(request: Request, measured: MeasuredRequest): ModelNeeds;
  /** Whether the adapter can be called for this kind at all. */
  isOfferedBy(adapter: Adapter): boolean;
  /** Whether the request uses a feature that some protocol may be unable to express. If not, `unsupported` is not called. */
  isDemanding(request: Request): boolean;
  /** The parts of the request, and of the instance's defaults, that the candidate's protocol cannot express. */
  unsupported(call: CallableCandidate, request: Request): readonly Unsupported[];
  /** Prepares the call of one candidate; nothing is sent before `PreparedCall.stream` is called. */
  prepare(call: CallableCandidate, request: Request): PreparedCall<Part>;
  /** Takes the parts of one attempt. An answer that grows beyond `maxBytes` is cut. */
  newAnswer(maxBytes: number): Answer<Part, Result>;

  /** The events for parts that may be shown: neighbouring parts of one type become one event. `nextBase` is called once for each event. */
  eventsOf(parts: readonly Part[], nextBase: () => EventBase): ContentEvent[];
  /** How much content an event holds, in characters or bytes. */
  sizeOfEvent(event: ContentEvent): number;
  /** One event for two that follow each other; `undefined` if they cannot be merged. */
  merge(first: ContentEvent, second: ContentEvent): ContentEvent | undefined;
  /** The content of the result that the logged events lack, without places in the log; `undefined` if the logged events are not the beginning of the result. */
  lacking(logged: readonly RunEvent[], result: Result): readonly UnplacedContent[] | undefined;

  /** The gateway's own count of what was used, for a provider that has sent none. */
  countUsage(request: Request, answer: Answer<Part, Result>): Promise<ProviderUsage>;
  /** The amount to hold for a call at this price that gives `outputUnits`. The unit is the kind's own: tokens for a completion. */
  amountHeld(price: Price, measured: MeasuredRequest, outputUnits: number): Nano;
  /** How much output the hold of a candidate covers, in the kind's units. */
  outputHeld(candidate: Candidate, request: Request): number;

  toStored(result: Result): StoredResult;
  fromStored(stored: Partial<StoredResult>): Result;
  /** About how many bytes a result takes in memory. */
  sizeOfResult(result: Result): number;
}

/** The size of a request; each figure is computed on its first use, and only once. */
export interface MeasuredRequest {
  /** Estimate of the input that is never too high: a model whose context is smaller is left out. */
  readonly inputTokensAtLeast: number;
  /** Estimate of the input that is rather too high: used for holds and for limits on tokens. */
  readonly inputTokensHeld: number;
  /** The most likely estimate of the input: an attempt whose node was lost is charged by it. */
  readonly inputTokensCounted: number;
  /** The output that the caller asks for at most; 0 if it sets no bound. */
  readonly outputTokensAsked: number;
}

/** A candidate whose model and adapter are known, so that it can be called. */
export interface CallableCandidate {
  readonly candidate: Candidate;
  readonly adapter: Adapter;
  readonly target: ProviderTarget;
}

export interface PreparedCall<Part> {
  /** Each yielded array holds the parts of one upstream read. Raises `ProviderError`. Leaving the loop stops the upstream request. */
  stream(options: CallOptions): AsyncIterable<readonly Part[]>;
  /** Differences between the caller's request and what is sent. */
  readonly warnings: readonly RunWarning[];
}

/** Content of an event without its place in the log. */
export type UnplacedContent = { readonly type: string } & Readonly<Record<string, unknown>>;

/** The output of one attempt so far. */
export interface Answer<Part = unknown, Result = unknown> {
  /** Cleans and adds the parts of one read. Raises `ProviderError` for a fault that cannot be repaired. */
  take(parts: readonly Part[]): TakenParts<Part>;
  /** Raises `ProviderError` unless the answer is whole. */
  requireWhole(): void;
  readonly hasContent: boolean;
  /** True if the answer has reached its bound and was cut; later parts are ignored. */
  readonly isFull: boolean;
  /** The provider's own count; `undefined` as long as it has sent none. */
  readonly usage: ProviderUsage | undefined;
  readonly warnings: readonly RunWarning[];
  readonly servedModel: string | null;
  readonly providerRequestId: string | null;
  readonly finishReason: FinishReason | null;
  readonly providerFinishReason: string | null;
  /** A rough count of the output so far, in the units of `Kind.outputHeld`. */
  readonly outputSoFar: number;
  /** The size of all content so far. If it has grown, there is something new to record. */
  readonly size: number;
  /** A rough count of the usage so far, for the progress record that a crashed run is settled by. */
  roughUsage(measured: MeasuredRequest): ProviderUsage;
  /** `madeBy`: given if the answer is whole; the result then holds what the caller needs to continue with it. */
  result(madeBy?: Candidate): Result;
  /** The content that came after `mark`; all content if no mark is given. */
  since(mark: unknown): Growth;
}

export interface TakenParts<Part> {
  /** The parts in the form in which they may be shown. */
  readonly parts: readonly Part[];
  /** True if there is content among the parts. */
  readonly hasContent: boolean;
}

/** The content that a progress record adds to what is stored of its run. */
export interface Growth {
  readonly stored: StoredGrowth;
  /** To be given to the next call of `since`. */
  readonly mark: unknown;
}
