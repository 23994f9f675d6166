// Owns the assembly of tool calls from fragments: whole or in pieces, with indexes that repeat and ids that are missing.
import { ProviderError } from '../../kernel/errors.ts';
import type { NewId } from '../../kernel/ids.ts';
import type { StreamPart } from '../contract/completions.ts';
import { isRecord, textOf, type WireFunction, type WireToolCall } from './wire.ts';

interface Call {
  readonly index: number;
  /** The id that the provider gave; empty if it gave none. */
  wireId: string;
  name: string;
  announced: boolean;
  /** Arguments that came before the name; empty once the call was announced. */
  held: string;
  empty: boolean;
}

export class ToolCalls {
  readonly #newId: NewId;
  readonly #calls: Call[] = [];
  readonly #byWireIndex = new Map<unknown, Call>();

  constructor(newId: NewId) {
    this.#newId = newId;
  }

  get count(): number {
    return this.#calls.length;
  }

  push(fragment: WireToolCall, parts: StreamPart[]): void {
    const wireFunction = isRecord(fragment.function) ? fragment.function : {};
    // Snowflake sends empty fields of a call although there is none.
    if (!textOf(fragment.id) && !textOf(wireFunction.name) && argumentsOf(wireFunction) === '') return;
    const call = this.#callOf(fragment, textOf(wireFunction.name));
    if (call.wireId === '') call.wireId = textOf(fragment.id);
    if (call.name === '') call.name = textOf(wireFunction.name);
    this.#append(call, argumentsOf(wireFunction), parts);
  }

  /** Called before the finish: a call without arguments gets an empty object. */
  end(parts: StreamPart[]): void {
    for (const call of this.#calls) {
      if (!call.announced) {
        throw new ProviderError('PROVIDER_PROTOCOL', 'The provider sent a tool call without a name.', {
          phase: 'stream',
        });
      }
      if (call.empty) parts.push({ type: 'tool-call-delta', index: call.index, argumentsText: '{}' });
    }
  }

  #callOf(fragment: WireToolCall, name: string): Call {
    const id = textOf(fragment.id);
    const known =
      fragment.index === undefined || fragment.index === null
        ? this.#callWithoutIndex(id, name)
        : this.#byWireIndex.get(fragment.index);
    // vLLM may give all parallel calls the index 0. A further fragment of the same call never has a name with another id.
    const another =
      known !== undefined && id !== '' && known.wireId !== '' && id !== known.wireId && name !== '';
    if (known && !another) return known;
    const call: Call = {
      index: this.#calls.length,
      wireId: id,
      name: '',
      announced: false,
      held: '',
      empty: true,
    };
    this.#calls.push(call);
    this.#byWireIndex.set(fragment.index, call);
    return call;
  }

  #callWithoutIndex(id: string, name: string): Call | undefined {
    if (id !== '') return this.#calls.find((call) => call.wireId === id);
    return name === '' ? this.#calls.at(-1) : undefined;
  }

  #append(call: Call, argumentsText: string, parts: StreamPart[]): void {
    if (argumentsText !== '') call.empty = false;
    if (call.announced) {
      if (argumentsText !== '') parts.push({ type: 'tool-call-delta', index: call.index, argumentsText });
      return;
    }
    call.held += argumentsText;
    if (call.name === '') return;
    call.announced = true;
    parts.push({
      type: 'tool-call-delta',
      index: call.index,
      callId: call.wireId || `call_${this.#newId()}`,
      name: call.name,
      argumentsText: call.held,
    });
    call.held = '';
  }
}

function argumentsOf(wireFunction: WireFunction): string {
  const { arguments: given } = wireFunction;
  if (typeof given === 'string') return given;
  return isRecord(given) ? JSON.stringify(given) : '';
}
