// Owns what one attempt at a completion has given so far: its text, reasoning, tool calls, usage and end.
import { ProviderError } from '../../kernel/errors.ts';
import { type JsonValue, parseJson } from '../../kernel/json.ts';
import { unreachable } from '../../kernel/unreachable.ts';
import type {
  FinishReason,
  ProviderUsage,
  StreamPart,
  ToolCall,
} from '../../providers/contract/completions.ts';
import { outputTokensOf } from '../billing/token-estimate.ts';
import type { Candidate } from '../routing/candidates.ts';
import type { Answer, Growth, MeasuredRequest, TakenParts } from '../runs/kind.ts';
import type { RunWarning } from '../runs/run-record.ts';
import { ContentSum, type DeltaPart, isDelta } from './completion-event.ts';
import type { CompletionResult } from './completion-result.ts';
import { encodeContinuation } from './continuation.ts';
import { PartIntake } from './part-intake.ts';

/** How much of the two texts is stored already, in characters. */
interface Mark {
  readonly text: number;
  readonly reasoning: number;
}

export class CompletionAnswer implements Answer<StreamPart, CompletionResult> {
  readonly warnings: RunWarning[] = [];
  usage: ProviderUsage | undefined;
  servedModel: string | null = null;
  providerRequestId: string | null = null;
  finishReason: FinishReason | null = null;
  providerFinishReason: string | null = null;
  readonly #intake: PartIntake;
  readonly #content = new ContentSum();
  #continuation: JsonValue | undefined;

  constructor(maxBytes?: number) {
    this.#intake = new PartIntake(maxBytes);
  }

  take(given: readonly StreamPart[]): TakenParts<StreamPart> {
    const parts = this.#intake.take(given);
    let hasContent = false;
    for (const part of parts) hasContent = this.#addPart(part) || hasContent;
    return { parts, hasContent };
  }

  requireWhole(): void {
    if (this.finishReason === null) {
      throw new ProviderError('PROVIDER_PROTOCOL', 'The stream ended without a finish', { phase: 'stream' });
    }
    if (this.finishReason !== 'length' && this.finishReason !== 'content-filter') this.#refuseCutCalls();
  }

  get text(): string {
    return this.#content.text;
  }

  get reasoning(): string {
    return this.#content.reasoning;
  }

  get isFull(): boolean {
    return this.#intake.isFull;
  }

  get hasContent(): boolean {
    return this.text !== '' || this.reasoning !== '' || this.#content.calls.size > 0;
  }

  get size(): number {
    return this.text.length + this.reasoning.length;
  }

  get outputSoFar(): number {
    const counted = (this.usage?.outputTokens ?? 0) + (this.usage?.reasoningTokens ?? 0);
    return Math.max(counted, outputTokensOf(this.size));
  }

  /** Most providers tell the size of the input only at the end of an answer. A node that settles a crashed run needs an estimate before. */
  roughUsage(measured: MeasuredRequest): ProviderUsage {
    const { usage } = this;
    return {
      inputTokens: usage?.inputTokens ?? measured.inputTokensCounted,
      cacheReadTokens: usage?.cacheReadTokens ?? 0,
      cacheWriteTokens: usage?.cacheWriteTokens ?? 0,
      outputTokens: Math.max(usage?.outputTokens ?? 0, Math.ceil(outputTokensOf(this.text.length))),
      reasoningTokens: Math.max(
        usage?.reasoningTokens ?? 0,
        Math.ceil(outputTokensOf(this.reasoning.length)),
      ),
    };
  }

  result(madeBy?: Candidate): CompletionResult {
    const { text, reasoning } = this;
    return { text, reasoning, toolCalls: this.toolCalls(), continuation: this.#continuationOf(madeBy) };
  }

  since(mark: unknown): Growth {
    const from = (mark as Mark | undefined) ?? { text: 0, reasoning: 0 };
    return {
      stored: { text: this.text.slice(from.text), reasoning: this.reasoning.slice(from.reasoning) },
      mark: { text: this.text.length, reasoning: this.reasoning.length } satisfies Mark,
    };
  }

  toolCalls(): ToolCall[] {
    const inOrder = [...this.#content.calls.entries()].sort(([a], [b]) => a - b);
    return inOrder.map(([, call]) => ({ ...call, argumentsText: call.argumentsText || '{}' }));
  }

  #continuationOf(madeBy: Candidate | undefined): string | null {
    if (this.#continuation === undefined || madeBy?.protocol === undefined) return null;
    return encodeContinuation({
      instanceId: madeBy.instance?.id ?? null,
      canonicalId: madeBy.canonicalId,
      protocol: madeBy.protocol,
      data: this.#continuation,
    });
  }

  /** True if there was content in it. */
  #addPart(part: StreamPart): boolean {
    if (this.finishReason !== null) {
      throw new ProviderError('PROVIDER_PROTOCOL', `The adapter gave "${part.type}" after the finish`);
    }
    if (isDelta(part)) {
      if (part.type === 'tool-call-delta') this.#requireNamed(part);
      return this.#content.add(part);
    }
    switch (part.type) {
      case 'usage':
        this.usage = part.usage;
        return false;
      case 'warning':
        this.warnings.push({ code: part.code, message: part.message });
        return false;
      case 'response-start':
        this.servedModel = part.servedModel ?? this.servedModel;
        this.providerRequestId = part.providerRequestId ?? this.providerRequestId;
        return false;
      case 'finish':
        this.finishReason = part.reason;
        this.providerFinishReason = part.providerReason ?? null;
        this.#continuation = part.continuation;
        return false;
      default:
        return unreachable(part);
    }
  }

  #requireNamed({ index, callId, name }: Extract<DeltaPart, { type: 'tool-call-delta' }>): void {
    if (this.#content.calls.has(index) || (callId !== undefined && name !== undefined)) return;
    throw new ProviderError('PROVIDER_PROTOCOL', 'A tool call began without its id or name');
  }

  /** Refuses tool calls whose arguments are not JSON, since a caller cannot run them, unless the answer itself says that it was cut short. */
  #refuseCutCalls(): void {
    const cut = this.toolCalls().find(({ argumentsText }) => parseJson(argumentsText) === undefined);
    if (!cut) return;
    throw new ProviderError(
      'PROVIDER_PROTOCOL',
      `The arguments of the call "${cut.name}" are not JSON: they were cut off, or the model wrote them wrongly`,
      { phase: 'stream', transient: true },
    );
  }
}
