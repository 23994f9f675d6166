// Owns how a conversation becomes `system` blocks and alternating turns of content blocks.
import type { JsonObject, JsonValue } from '../../kernel/json.ts';
import type { Message, MessagePart, Unsupported } from '../contract/completions.ts';
import { argumentsObject, assistantBlocks, readBlockNotes } from '../shared/assistant-blocks.ts';
import { wireCallId } from '../shared/wire-call-ids.ts';
import type { AnthropicQuirks } from './quirks.ts';

type Block = { [name: string]: JsonValue };

interface Turn {
  readonly role: 'user' | 'assistant' | 'system';
  readonly content: Block[];
}

export interface EncodedMessages {
  readonly system: readonly JsonObject[];
  readonly turns: readonly JsonObject[];
  readonly refused: readonly Unsupported[];
}

const MAX_CACHE_MARKS = 4;
const IMAGE_TYPES: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

export function encodeMessages(messages: readonly Message[], quirks: AnthropicQuirks): EncodedMessages {
  const encoder = new MessageEncoder(quirks);
  for (const [index, message] of messages.entries()) encoder.add(message, `messages[${index}]`);
  encoder.checkEnding(messages);
  return encoder.result();
}

class MessageEncoder {
  readonly #quirks: AnthropicQuirks;
  readonly #system: Block[] = [];
  readonly #turns: Turn[] = [];
  /** Of late system messages, until the user's turn is over in which they were said. */
  #late: Block[] = [];
  readonly #refused: Unsupported[] = [];
  readonly #marked: { readonly block: Block; readonly path: string }[] = [];

  constructor(quirks: AnthropicQuirks) {
    this.#quirks = quirks;
  }

  add(message: Message, path: string): void {
    if (message.role === 'system') this.#addSystem(message, path);
    else if (message.role === 'user') this.#turn('user').push(...this.#partBlocks(message, path));
    else if (message.role === 'tool') this.#addToolResult(message, path);
    else this.#addAssistant(message, path);
  }

  /** Claude after 4.5 continues an assistant message only if the model itself had paused it. */
  checkEnding(messages: readonly Message[]): void {
    const last = this.#turns.at(-1);
    const message = messages.at(-1);
    if (last?.role !== 'assistant' || message?.role !== 'assistant') return;
    if (!this.#quirks.prefill && !readBlockNotes(message.continuation)) {
      this.#refuse(`messages[${messages.length - 1}]`, 'This model does not continue an assistant message.');
      this.#turns.pop();
      return;
    }
    const block = last.content.at(-1);
    // The API refuses white space at the end of a text that is to be continued.
    if (block?.type === 'text' && typeof block.text === 'string') block.text = block.text.trimEnd();
  }

  result(): EncodedMessages {
    this.#placeLate();
    for (const { block, path } of this.#marked.slice(0, -MAX_CACHE_MARKS)) {
      delete block.cache_control;
      this.#refuse(
        `${path}.cacheHint`,
        `At most ${MAX_CACHE_MARKS} cache hints are taken; the last ones were kept.`,
      );
    }
    const turns = this.#turns
      .filter(({ content }) => content.length > 0)
      .map(({ role, content }) => ({ role, content: role === 'user' ? resultsFirst(content) : content }));
    return { system: [...this.#system, ...this.#late], turns, refused: this.#refused };
  }

  /**
   * If no system message may stand between the turns, it joins the system prompt. It loses its place but keeps its authority; as a user's turn it would
   * lose that, and users could then imitate system messages.
   */
  #addSystem(message: Message, path: string): void {
    const inPlace = this.#quirks.systemTurns && this.#turns.length > 0;
    (inPlace ? this.#late : this.#system).push(...this.#partBlocks(message, path));
  }

  /** A system turn is refused anywhere but after a user's turn, with Claude's own or nothing behind it. */
  #placeLate(): void {
    const last = this.#turns.at(-1);
    if (this.#late.length === 0 || last?.role !== 'user' || last.content.length === 0) return;
    this.#turns.push({ role: 'system', content: this.#late });
    this.#late = [];
  }

  #addToolResult(message: Message, path: string): void {
    const content = this.#partBlocks({ ...message, parts: message.parts.map(withoutHint) }, path);
    const block: Block = { type: 'tool_result', tool_use_id: wireCallId(message.toolCallId ?? '') };
    if (content.length > 0) block.content = content;
    if (message.parts.some((part) => part.cacheHint)) this.#mark(block, path);
    this.#turn('user').push(block);
  }

  #addAssistant(message: Message, path: string): void {
    const notes = readBlockNotes(message.continuation);
    if (message.continuation !== undefined && !notes) {
      this.#refuse(`${path}.continuation`, 'This continuation was not made by this protocol.');
    }
    for (const [index, part] of message.parts.entries()) {
      if (part.type === 'image')
        this.#refuse(`${path}.parts[${index}]`, 'An assistant message takes no images.');
    }
    this.#placeLate();
    const content = this.#turn('assistant');
    for (const entry of assistantBlocks(message, notes)) {
      if (entry.kind === 'opaque') content.push({ ...entry.block });
      else if (entry.kind === 'call') content.push(toolUse(entry.call));
      else if (entry.text.trim() !== '') {
        const block: Block = { type: 'text', text: entry.text, ...entry.extra };
        if (entry.cacheHint) this.#mark(block, path);
        content.push(block);
      }
    }
  }

  #partBlocks({ parts }: Message, path: string): Block[] {
    const blocks: Block[] = [];
    for (const [index, part] of parts.entries()) {
      const partPath = `${path}.parts[${index}]`;
      const block = this.#partBlock(part, partPath);
      if (!block) continue;
      if (part.cacheHint) this.#mark(block, partPath);
      blocks.push(block);
    }
    return blocks;
  }

  /** Blank text is refused by the API and carries no meaning. */
  #partBlock(part: MessagePart, path: string): Block | undefined {
    if (part.type === 'text') return part.text.trim() === '' ? undefined : { type: 'text', text: part.text };
    const { image } = part;
    if (image.detail !== undefined && image.detail !== 'auto') {
      this.#refuse(`${path}.image.detail`, 'This protocol has no detail for images.');
    }
    if ('url' in image) return { type: 'image', source: { type: 'url', url: image.url } };
    if (!IMAGE_TYPES.has(image.mediaType)) {
      this.#refuse(path, `Images of the type ${image.mediaType} are not taken; JPEG, PNG, GIF and WebP are.`);
      return undefined;
    }
    return { type: 'image', source: { type: 'base64', media_type: image.mediaType, data: image.data } };
  }

  /** The content of the current turn if it has this role; consecutive messages of one role form one turn. */
  #turn(role: Turn['role']): Block[] {
    const last = this.#turns.at(-1);
    if (last?.role === role) return last.content;
    const turn: Turn = { role, content: [] };
    this.#turns.push(turn);
    return turn.content;
  }

  #mark(block: Block, path: string): void {
    block.cache_control = { type: 'ephemeral' };
    this.#marked.push({ block, path });
  }

  #refuse(path: string, message: string): void {
    this.#refused.push({ path, message });
  }
}

function toolUse(call: Message['toolCalls'][number]): Block {
  return { type: 'tool_use', id: wireCallId(call.callId), name: call.name, input: argumentsObject(call) };
}

function withoutHint(part: MessagePart): MessagePart {
  return { ...part, cacheHint: false };
}

/** The results of one assistant turn must come first in the user's turn. */
function resultsFirst(content: readonly Block[]): readonly Block[] {
  const results = content.filter((block) => block.type === 'tool_result');
  return results.length === 0
    ? content
    : [...results, ...content.filter((block) => block.type !== 'tool_result')];
}
