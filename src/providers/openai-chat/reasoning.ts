// Owns the reading of reasoning text in its three forms, and which of it has to be sent back.
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { type EchoedReasoning, isRecord, listOf, textOf, type WireDelta } from './wire.ts';

/** Gathers the reasoning of an answer; if two fields say the same, only one is read. */
export class ReasoningReader {
  readonly #keep: boolean;
  readonly #details: Record<string, JsonValue>[] = [];
  #content = '';
  #reasoning = '';
  #thinking = '';

  /** `keep` is false if reasoning is never sent back. */
  constructor(keep: boolean) {
    this.#keep = keep;
  }

  /** The text that this delta adds. */
  read(delta: WireDelta): string {
    const details = listOf(delta.reasoning_details).filter(isJsonObject);
    const content = textOf(delta.reasoning_content);
    const reasoning = textOf(delta.reasoning);
    if (this.#keep) {
      for (const detail of details) this.#merge(detail);
      if (content !== '') this.#content += content;
      else this.#reasoning += reasoning;
    }
    if (content !== '') return content;
    if (reasoning !== '') return reasoning;
    return details.map((detail) => textOf(detail.text) || textOf(detail.summary)).join('');
  }

  /** Takes reasoning that came as a chunk of the content. */
  addThinking(text: string): void {
    if (this.#keep) this.#thinking += text;
  }

  /** The fields to send back with an assistant message. Details hold everything that the plain fields hold, and signatures as well. */
  continuation(): JsonObject | undefined {
    const echoed: EchoedReasoning = {};
    if (this.#details.length > 0) echoed.reasoning_details = this.#details;
    else if (this.#content !== '') echoed.reasoning_content = this.#content;
    else if (this.#reasoning !== '') echoed.reasoning = this.#reasoning;
    else if (this.#thinking !== '') echoed.thinking = this.#thinking;
    else return undefined;
    return { ...echoed };
  }

  /** Fragments of one detail follow each other with the same index and type; their texts are joined, their other fields replaced. */
  #merge(detail: JsonObject): void {
    const last = this.#details.at(-1);
    if (!last || !continues(last, detail)) {
      this.#details.push({ ...detail });
      return;
    }
    for (const [name, value] of Object.entries(detail)) {
      if (value === null) continue;
      const before = last[name];
      const adds = name === 'text' || name === 'summary' || name === 'data';
      last[name] = adds && typeof before === 'string' && typeof value === 'string' ? before + value : value;
    }
  }
}

function continues(last: JsonObject, next: JsonObject): boolean {
  const sameId = next.id === undefined || next.id === null || last.id === next.id;
  return (
    last.type === next.type && last.index === next.index && sameId && next.type !== 'reasoning.encrypted'
  );
}

export interface ContentTexts {
  readonly text: string;
  readonly reasoning: string;
  /** True if there was content of a kind that is not read. */
  readonly dropped: boolean;
}

/** Mistral's content: a list of text and thinking chunks. */
export function textsOfContentList(list: readonly unknown[]): ContentTexts {
  let text = '';
  let reasoning = '';
  let dropped = false;
  for (const chunk of list) {
    if (!isRecord(chunk)) continue;
    if (chunk.type === 'thinking') {
      reasoning += textOf(chunk.thinking);
      for (const piece of listOf(chunk.thinking)) if (isRecord(piece)) reasoning += textOf(piece.text);
    } else if (typeof chunk.text === 'string') text += chunk.text;
    // References are citations beside the text, not content.
    else if (chunk.type !== 'reference') dropped = true;
  }
  return { text, reasoning, dropped };
}
