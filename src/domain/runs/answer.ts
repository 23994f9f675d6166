// Owns what one attempt has given so far: its text, reasoning, tool calls, usage and end, collected from parts that `part-intake.ts` has cleaned.
import { ProviderError } from '../../kernel/errors.ts';
import type { JsonValue } from '../../kernel/json.ts';
import { unreachable } from '../../kernel/unreachable.ts';
import type {
  FinishReason,
  ProviderUsage,
  StreamPart,
  ToolCall,
} from '../../providers/contract/completions.ts';
import type { RunWarning } from './run-record.ts';

interface CallInProgress {
  callId: string;
  name: string;
  argumentsText: string;
}

export class Answer {
  text = '';
  reasoning = '';
  readonly #calls = new Map<number, CallInProgress>();
  readonly warnings: RunWarning[] = [];
  usage: ProviderUsage | undefined;
  servedModel: string | null = null;
  providerRequestId: string | null = null;
  finishReason: FinishReason | null = null;
  providerFinishReason: string | null = null;
  continuation: JsonValue | undefined;

  /** Takes in the parts of one read; true if there was content among them. */
  add(parts: readonly StreamPart[]): boolean {
    let content = false;
    for (const part of parts) content = this.#addPart(part) || content;
    return content;
  }

  get hasContent(): boolean {
    return this.text !== '' || this.reasoning !== '' || this.#calls.size > 0;
  }

  toolCalls(): ToolCall[] {
    const inOrder = [...this.#calls.entries()].sort(([a], [b]) => a - b);
    return inOrder.map(([, call]) => ({ ...call, argumentsText: call.argumentsText || '{}' }));
  }

  #addPart(part: StreamPart): boolean {
    if (this.finishReason !== null) {
      throw new ProviderError('PROVIDER_PROTOCOL', `The adapter gave "${part.type}" after the finish`);
    }
    switch (part.type) {
      case 'text-delta':
        this.text += part.text;
        return part.text !== '';
      case 'reasoning-delta':
        this.reasoning += part.text;
        return part.text !== '';
      case 'tool-call-delta':
        this.#addCall(part);
        return true;
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
        this.continuation = part.continuation;
        return false;
      default:
        return unreachable(part);
    }
  }

  #addCall(part: Extract<StreamPart, { type: 'tool-call-delta' }>): void {
    const call = this.#calls.get(part.index);
    if (call) {
      call.argumentsText += part.argumentsText;
      return;
    }
    if (part.callId === undefined || part.name === undefined) {
      throw new ProviderError('PROVIDER_PROTOCOL', 'A tool call began without its id or name');
    }
    this.#calls.set(part.index, { callId: part.callId, name: part.name, argumentsText: part.argumentsText });
  }
}
