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
 * How runs of a kind are kept. `durable`: what happens stands in the event log, and what has come stands in progress records, so that any node can
 * be asked for it. `light`: while it runs there is the row with its hold and nothing else; the result is written once, at the end.
 */
export type Keeping = 'durable' | 'light';

/**
 * `Part`: what an adapter gives, piece by piece. `Result`: what an answer comes to, plain JSON. Methods are called with the kind's own types only:
 * the engine hands back what the kind has made, without looking inside.
 */
export interface Kind<Request extends RunRequest = RunRequest, Part = unknown, Result = unknown> {
  /** As stored in the column `kind`, and in messages: lower case, singular. */
  readonly name: string;
  readonly keeping: Keeping;
  /** The modality that a model must give to be called for this kind. */
  readonly output: string;
  /** Types of the events that `eventsOf` makes; no other kind has one of the same name. */
  readonly eventTypes: readonly string[];
  /** What a run stands for that gave nothing. */
  readonly noResult: Result;
  /** The smallest request, which proves a candidate that failed before; absent where even the smallest one is too dear to be made unasked. */
  readonly ping?: Request;

  /** Raises `BAD_USER_INPUT` for the first rule that the request breaks. `paidFor`: an account or a budget pays for it. */
  validate(request: Request, paidFor: boolean): void;
  measure(request: Request): MeasuredRequest;
  needs(request: Request, measured: MeasuredRequest): ModelNeeds;
  /** Whether the adapter can be called for this kind at all. */
  isOfferedBy(adapter: Adapter): boolean;
  /** Whether the request asks for anything that a protocol may be unable to express; plain ones spare each candidate the look. */
  isDemanding(request: Request): boolean;
  /** What of the request, and of the instance's defaults, the candidate cannot express. */
  unsupported(call: CallableCandidate, request: Request): readonly Unsupported[];
  /** The call of one candidate; nothing goes out before `PreparedCall.stream`. */
  prepare(call: CallableCandidate, request: Request): PreparedCall<Part>;
  /** Takes the parts of one attempt. An answer that grows beyond `maxBytes` is cut. */
  newAnswer(maxBytes: number): Answer<Part, Result>;

  /** The events of parts that may be shown: neighbours of one type are one event. `nextBase` is called once for each. */
  eventsOf(parts: readonly Part[], nextBase: () => EventBase): ContentEvent[];
  /** How much content an event holds, in characters or bytes. */
  sizeOfEvent(event: ContentEvent): number;
  /** One event for two that follow each other; `undefined` where they do not go together. */
  merge(first: ContentEvent, second: ContentEvent): ContentEvent | undefined;
  /** What of the result the logged events lack, without places; `undefined` where they are not how the result begins. */
  lacking(logged: readonly RunEvent[], result: Result): readonly UnplacedContent[] | undefined;

  /** By the gateway's own count, where the provider has sent none. */
  countUsage(request: Request, answer: Answer<Part, Result>): Promise<ProviderUsage>;
  /** What is held for a call at this price that gives `outputUnits`; the units are the kind's own, tokens for a completion. */
  amountHeld(price: Price, measured: MeasuredRequest, outputUnits: number): Nano;
  /** How much output the hold of a candidate covers, in the kind's units. */
  outputHeld(candidate: Candidate, request: Request): number;

  toStored(result: Result): StoredResult;
  fromStored(stored: Partial<StoredResult>): Result;
  /** About how many bytes a result takes in memory. */
  sizeOfResult(result: Result): number;
}

/** The size of a request; each figure is found on its first use, and once. */
export interface MeasuredRequest {
  /** Of the input, on the side of too few: what surely does not fit is left out. */
  readonly inputTokensAtLeast: number;
  /** Of the input, on the side of too many: what is held, and asked of limits. */
  readonly inputTokensHeld: number;
  /** Of the input, as many as there mostly are: what an attempt is charged with whose node was lost. */
  readonly inputTokensCounted: number;
  /** Of the output, as far as the caller bounds it; 0 where it does not. */
  readonly outputTokensAsked: number;
}

/** A candidate that can be called: its model and protocol are known. */
export interface CallableCandidate {
  readonly candidate: Candidate;
  readonly adapter: Adapter;
  readonly target: ProviderTarget;
}

export interface PreparedCall<Part> {
  /** Each yielded array holds the parts of one upstream read. Raises `ProviderError`. Leaving the loop stops the upstream request. */
  stream(options: CallOptions): AsyncIterable<readonly Part[]>;
  /** What is done differently from what was asked. */
  readonly warnings: readonly RunWarning[];
}

/** Content of an event without its place in the log. */
export type UnplacedContent = { readonly type: string } & Readonly<Record<string, unknown>>;

/** What one attempt has given so far. */
export interface Answer<Part = unknown, Result = unknown> {
  /** Cleans and takes in the parts of one read. Raises `ProviderError` for what cannot be mended. */
  take(parts: readonly Part[]): TakenParts<Part>;
  /** Raises `ProviderError` unless the answer is whole. */
  requireWhole(): void;
  readonly hasContent: boolean;
  /** It has reached its bound and was cut; nothing more is taken. */
  readonly isFull: boolean;
  /** The provider's own count; `undefined` where it has sent none yet. */
  readonly usage: ProviderUsage | undefined;
  readonly warnings: readonly RunWarning[];
  readonly servedModel: string | null;
  readonly providerRequestId: string | null;
  readonly finishReason: FinishReason | null;
  readonly providerFinishReason: string | null;
  /** Output so far by a rough count, in the units of `Kind.outputHeld`. */
  readonly outputSoFar: number;
  /** Of all content so far: it has grown if there is something new to record. */
  readonly size: number;
  /** Usage so far by a rough count, for the record that a crash is settled by. */
  roughUsage(measured: MeasuredRequest): ProviderUsage;
  /** `madeBy`: set where the answer is whole, so that the caller may go on with it. */
  result(madeBy?: Candidate): Result;
  /** Content that came behind `mark`; all of it without one. */
  since(mark: unknown): Growth;
}

export interface TakenParts<Part> {
  /** As they may be shown. */
  readonly parts: readonly Part[];
  /** There is content among them. */
  readonly hasContent: boolean;
}

/** What a progress record adds to the stored content of its run. */
export interface Growth {
  readonly stored: StoredGrowth;
  /** For the next call of `since`. */
  readonly mark: unknown;
}
