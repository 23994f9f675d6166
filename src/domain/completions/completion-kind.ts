// Owns completions as a kind of run: what a chat request needs, how an adapter is called for it, and how its answer is read.
import type { Message, StreamPart } from '../../providers/contract/completions.ts';
import type { OptionRules } from '../../providers/contract/option-rules.ts';
import { holdFor } from '../billing/hold.ts';
import { countUsage } from '../billing/token-counter.ts';
import { outputTokensHeld } from '../billing/token-estimate.ts';
import type { Kind } from '../runs/kind.ts';
import type { RunService } from '../runs/run-service.ts';
import { CompletionAnswer } from './completion-answer.ts';
import {
  type CompletionEvent,
  DELTA_TYPES,
  type DeltaEvent,
  eventsOfParts,
  mergeDeltas,
  sizeOfDelta,
} from './completion-event.ts';
import { CompletionMeasure, isDemanding, needsOf } from './completion-measure.ts';
import type { CompletionRequest } from './completion-request.ts';
import {
  type CompletionResult,
  fromStoredResult,
  NO_RESULT,
  sizeOfResult,
  toStoredResult,
} from './completion-result.ts';
import { lostDeltas } from './lost-deltas.ts';
import { completionsOf, translateRequest } from './provider-request.ts';
import { type RequestBounds, validateCompletion } from './request-validation.ts';

export type CompletionKind = Kind<CompletionRequest, StreamPart, CompletionResult>;
/** The service that doors call for completions. */
export type CompletionService = RunService<CompletionRequest, CompletionResult, DeltaEvent>;

export interface CompletionKindOptions {
  readonly bounds: RequestBounds;
  /** The option rules of a protocol; `undefined` if this node has no adapter for it. */
  readonly optionRulesOf: (protocol: string) => OptionRules | undefined;
}

/** The smallest question, sent as a probe; 16 tokens are the smallest bound that every provider accepts. */
const PING: CompletionRequest = {
  model: '',
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'Say OK.' }], toolCalls: [] }],
  parameters: { maxTokens: 16 },
  tools: [],
  providerOptions: {},
  onUnsupported: 'DROP',
  routing: {},
  onDetach: 'CONTINUE',
  detachGraceMs: 0,
  metadata: {},
};

export function createCompletionKind(options: CompletionKindOptions): CompletionKind {
  return {
    name: 'completion',
    keeping: 'durable',
    output: 'text',
    eventTypes: DELTA_TYPES,
    noResult: NO_RESULT,
    ping: PING,

    validate: (request, paidFor) => validateCompletion(request, { ...options, paidFor }),
    measure: (request) => new CompletionMeasure(request),
    needs: needsOf,
    isOfferedBy: ({ completions }) => completions !== undefined,
    isDemanding,
    unsupported: (call, request) => completionsOf(call).unsupported(translateRequest(call, request).request),
    prepare(call, asked) {
      const { request, warnings } = translateRequest(call, asked);
      return { stream: (callOptions) => completionsOf(call).stream(request, callOptions), warnings };
    },
    newAnswer: (maxBytes) => new CompletionAnswer(maxBytes),

    eventsOf: eventsOfParts,
    sizeOfEvent: (event) => sizeOfDelta(event as DeltaEvent),
    merge: (first, second) => mergeDeltas(first as DeltaEvent, second as DeltaEvent),
    lacking: (logged, result) => lostDeltas(logged as readonly CompletionEvent[], result),

    countUsage(request, answer) {
      const messages = request.messages as readonly Message[];
      return countUsage({ messages, tools: request.tools }, answer.result());
    },
    amountHeld: (price, { inputTokensHeld }, outputTokens) => holdFor(price, inputTokensHeld, outputTokens),
    outputHeld({ instance, model }, { parameters }) {
      const { maxTokens } = { ...instance?.defaultParameters, ...parameters } as { maxTokens?: number };
      return outputTokensHeld(maxTokens, model?.maxOutputTokens);
    },

    toStored: toStoredResult,
    fromStored: fromStoredResult,
    sizeOfResult,
  };
}
