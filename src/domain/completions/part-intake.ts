// Owns the border between an adapter and a run: everything that a provider sends is bounded and cleaned here, once, so that later code can store and show it.
import { ProviderError } from '../../kernel/errors.ts';
import { boundedText, isHighSurrogate, storableText } from '../../kernel/text.ts';
import { unreachable } from '../../kernel/unreachable.ts';
import type { FinishReason, ProviderUsage, StreamPart } from '../../providers/contract/completions.ts';

type ToolCallDelta = Extract<StreamPart, { type: 'tool-call-delta' }>;
type Finish = Extract<StreamPart, { type: 'finish' }>;

export const DEFAULT_MAX_ANSWER_BYTES = 16 * 1_048_576;

/** The size that each part counts in addition to its text, so that an answer of endlessly many empty parts reaches its bound too. */
const PART_BYTES = 64;
const MAX_TOOL_CALLS = 1_000;
const MAX_WARNINGS = 100;
const MAX_WARNING_LENGTH = 2_000;
/** Bound on model names, request ids and finish reasons, in characters. */
const MAX_NAME_LENGTH = 256;
/** Larger, since some providers put state into the ids of tool calls. */
const MAX_CALL_NAME_LENGTH = 4_096;
/** The largest number that a column of tokens and the graph's `Int` hold. */
const MAX_INT = 2_147_483_647;
const FINISH_REASONS: ReadonlySet<FinishReason> = new Set([
  'stop',
  'length',
  'tool-calls',
  'content-filter',
  'other',
]);

/** Takes in the parts of one attempt. Parts that need no change pass without a copy. */
export class PartIntake {
  readonly #maxBytes: number;
  readonly #calls = new Set<number>();
  /** First halves of surrogate pairs whose second halves have not come yet, by the text that they belong to. */
  readonly #halves = new Map<string | number, string>();
  /** Parts to put before the one that is being cleaned. */
  readonly #before: StreamPart[] = [];
  #bytes = 0;
  #warnings = 0;
  #isFull = false;
  #usageDoubted = false;

  constructor(maxBytes = DEFAULT_MAX_ANSWER_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** True once the answer has reached its bound: it was ended with reason `length`, and later parts are ignored. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Gives the parts of one read in the form that the run may use. Raises `PROVIDER_PROTOCOL` for a fault that cannot be repaired. */
  take(parts: readonly StreamPart[]): readonly StreamPart[] {
    if (this.#isFull) return [];
    let changed: StreamPart[] | undefined;
    for (let at = 0; at < parts.length; at += 1) {
      const part = parts[at] as StreamPart;
      const clean = this.#clean(part);
      if (clean !== part || this.#before.length > 0) changed ??= parts.slice(0, at);
      if (!changed) continue;
      for (const earlier of this.#before.splice(0)) changed.push(earlier);
      if (clean) changed.push(clean);
    }
    if (this.#isFull) changed?.push({ type: 'finish', reason: 'length' });
    return changed ?? parts;
  }

  /** `undefined` if the part is to be left out. */
  #clean(part: StreamPart): StreamPart | undefined {
    switch (part.type) {
      case 'text-delta':
      case 'reasoning-delta': {
        const text = this.#content(part.type, part.text);
        return text === part.text ? part : text === '' ? undefined : { ...part, text };
      }
      case 'tool-call-delta':
        return this.#cleanCall(part);
      case 'usage':
        return this.#believes(part.usage) ? part : undefined;
      case 'warning':
        this.#warnings += 1;
        if (this.#warnings > MAX_WARNINGS) return undefined;
        return cleaned(part, ['code', 'message'], MAX_WARNING_LENGTH);
      case 'response-start':
        return cleaned(part, ['servedModel', 'providerRequestId'], MAX_NAME_LENGTH);
      case 'finish':
        return this.#isFull ? undefined : this.#cleanFinish(part);
      default:
        return unreachable(part);
    }
  }

  #cleanCall(part: ToolCallDelta): ToolCallDelta | undefined {
    if (this.#isFull) return undefined;
    const { index } = part;
    if (!this.#calls.has(index)) {
      if (!Number.isInteger(index) || index < 0 || index > MAX_INT)
        throw refusal('A tool call has no usable index');
      if (this.#calls.size >= MAX_TOOL_CALLS)
        throw refusal(`The provider made more than ${MAX_TOOL_CALLS} tool calls in one answer`);
      this.#calls.add(index);
      this.#bytes += bytesOf(part.callId) + bytesOf(part.name);
    }
    const named = cleaned(part, ['callId', 'name'], MAX_CALL_NAME_LENGTH);
    const argumentsText = this.#content(index, part.argumentsText);
    return argumentsText === part.argumentsText ? named : { ...named, argumentsText };
  }

  /** Joins a piece of content with the half of a surrogate pair that the read before has left. */
  #content(of: string | number, piece: string): string {
    if (this.#isFull) return '';
    let text = piece;
    if (this.#halves.size > 0) {
      text = (this.#halves.get(of) ?? '') + piece;
      this.#halves.delete(of);
    }
    if (isHighSurrogate(text.charCodeAt(text.length - 1))) {
      this.#halves.set(of, text.slice(-1));
      text = text.slice(0, -1);
    }
    return this.#fit(storableText(text));
  }

  #fit(text: string): string {
    const room = this.#maxBytes - this.#bytes - PART_BYTES;
    const bytes = Buffer.byteLength(text);
    this.#bytes += bytes + PART_BYTES;
    if (bytes <= room) return text;
    this.#isFull = true;
    this.#warn(
      'ANSWER_TOO_LARGE',
      `The answer was cut at ${this.#maxBytes} bytes, the most that this gateway takes of one answer`,
    );
    // The decoder leaves out a character of which only the first bytes fit.
    return new TextDecoder().decode(Buffer.from(text).subarray(0, Math.max(0, room)), { stream: true });
  }

  #cleanFinish(part: Finish): Finish {
    for (const [of] of this.#halves) this.#before.push(...halfOf(of));
    const { continuation, ...rest } = cleaned(part, ['providerReason'], MAX_NAME_LENGTH);
    const known = FINISH_REASONS.has(part.reason);
    const fits = continuation === undefined || this.#fitsContinuation(continuation);
    if (known && fits && rest.providerReason === part.providerReason) return part;
    return {
      ...rest,
      reason: known ? part.reason : 'other',
      ...(continuation === undefined || !fits ? {} : { continuation }),
    };
  }

  #fitsContinuation(continuation: unknown): boolean {
    const bytes = bytesOfJson(continuation);
    if (bytes !== undefined && this.#bytes + bytes <= this.#maxBytes) return true;
    this.#warn(
      'CONTINUATION_DROPPED',
      'The state that the provider wants back with the next turn is too large to be kept',
    );
    return false;
  }

  /** False for counts that no answer can have. They are not booked: the gateway counts by itself, as it does if a provider sends no count. */
  #believes(usage: ProviderUsage): boolean {
    const { inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens, reasoningTokens } = usage;
    const counts = [inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens, reasoningTokens];
    const sum = counts.reduce((total, count) => total + count, 0);
    if (counts.every((count) => Number.isInteger(count) && count >= 0) && sum <= MAX_INT) return true;
    if (!this.#usageDoubted) {
      this.#usageDoubted = true;
      this.#warn(
        'USAGE_IMPLAUSIBLE',
        'The provider reported a number of tokens that cannot be; the gateway has counted for itself',
      );
    }
    return false;
  }

  #warn(code: string, message: string): void {
    this.#before.push({ type: 'warning', code, message });
  }
}

function refusal(message: string): ProviderError {
  return new ProviderError('PROVIDER_PROTOCOL', message, { phase: 'stream' });
}

/** The part with the named texts bounded and storable; the same object if they are already. */
function cleaned<Part extends StreamPart, Name extends keyof Part>(
  part: Part,
  names: readonly Name[],
  maxLength: number,
): Part {
  let clean = part;
  for (const name of names) {
    const text = part[name];
    if (text === undefined) continue;
    const bounded = boundedText(String(text), maxLength);
    if (bounded !== text) clean = { ...clean, [name]: bounded };
  }
  return clean;
}

/** The replacement for half a pair whose other half never came. */
function halfOf(of: string | number): StreamPart[] {
  const text = '\uFFFD';
  if (typeof of === 'number') return [{ type: 'tool-call-delta', index: of, argumentsText: text }];
  return [{ type: of as 'text-delta' | 'reasoning-delta', text }];
}

function bytesOf(text: string | undefined): number {
  return text === undefined ? 0 : Math.min(Buffer.byteLength(text), MAX_CALL_NAME_LENGTH);
}

/** `undefined` for a value that cannot be written as JSON, e.g. because it is nested too deep. */
function bytesOfJson(value: unknown): number | undefined {
  try {
    return Buffer.byteLength(JSON.stringify(value));
  } catch {
    return undefined;
  }
}
