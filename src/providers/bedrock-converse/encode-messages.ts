// Owns how a conversation becomes system blocks and alternating turns of Converse content blocks.
import type { JsonObject } from '../../kernel/json.ts';
import type { Message, MessagePart, Unsupported } from '../contract/completions.ts';
import { argumentsObject, assistantBlocks, readBlockNotes } from '../shared/assistant-blocks.ts';
import { wireCallId } from '../shared/wire-call-ids.ts';
import type { BedrockQuirks } from './quirks-schema.ts';

interface Turn {
  readonly role: 'user' | 'assistant';
  /** Results of tool calls, which have to come first. */
  readonly results: JsonObject[];
  readonly content: JsonObject[];
}

export interface EncodedMessages {
  readonly system: readonly JsonObject[];
  readonly turns: readonly JsonObject[];
  readonly refused: readonly Unsupported[];
}

const MAX_CACHE_POINTS = 4;
const CACHE_POINT: JsonObject = { cachePoint: { type: 'default' } };
const IMAGE_FORMATS: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpeg',
  'image/jpg': 'jpeg',
  'image/gif': 'gif',
  'image/webp': 'webp',
};

export function encodeMessages(messages: readonly Message[], quirks: BedrockQuirks): EncodedMessages {
  const encoder = new MessageEncoder(quirks, messages);
  for (const [index, message] of messages.entries()) encoder.add(message, `messages[${index}]`);
  return encoder.result();
}

class MessageEncoder {
  readonly #quirks: BedrockQuirks;
  readonly #system: JsonObject[] = [];
  readonly #turns: Turn[] = [];
  readonly #refused: Unsupported[] = [];
  /** How many cache hints are still to be skipped, so that the last ones are kept. */
  #surplusHints: number;

  constructor(quirks: BedrockQuirks, messages: readonly Message[]) {
    this.#quirks = quirks;
    const hints = messages.reduce((sum, message) => sum + (hasHint(message) ? 1 : 0), 0);
    this.#surplusHints = hints - MAX_CACHE_POINTS;
  }

  add(message: Message, path: string): void {
    if (message.role === 'system') this.#addSystem(message, path);
    else if (message.role === 'user') this.#addUser(message, path);
    else if (message.role === 'tool') this.#addToolResult(message, path);
    else this.#addAssistant(message, path);
  }

  result(): EncodedMessages {
    const turns = this.#turns
      .map(({ role, results, content }) => ({ role, content: [...results, ...content] }))
      .filter(({ content }) => content.length > 0);
    return { system: this.#system, turns, refused: this.#refused };
  }

  /**
   * Converse allows no system message between turns, so all of them form the system prompt. A late one loses its place but keeps its authority; as a
   * user's turn it would lose that, and users could then imitate system messages.
   */
  #addSystem(message: Message, path: string): void {
    const blocks = [...this.#partBlocks(message, path), ...this.#cachePoint(message, path)];
    if (this.#quirks.systemPrompts) this.#system.push(...blocks);
    else this.#refuse(path, 'This model takes no system prompt.');
  }

  #addUser(message: Message, path: string): void {
    this.#turn('user').content.push(...this.#partBlocks(message, path), ...this.#cachePoint(message, path));
  }

  #addToolResult(message: Message, path: string): void {
    const toolResult = {
      toolUseId: wireCallId(message.toolCallId ?? ''),
      content: this.#partBlocks(message, path),
    };
    this.#turn('user').results.push({ toolResult }, ...this.#cachePoint(message, path));
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
    const { content } = this.#turn('assistant');
    for (const entry of assistantBlocks(message, notes)) {
      if (entry.kind === 'opaque') content.push(entry.block);
      else if (entry.kind === 'text') content.push(...textBlock(entry.text));
      else {
        const { callId, name } = entry.call;
        content.push({
          toolUse: { toolUseId: wireCallId(callId), name, input: argumentsObject(entry.call) },
        });
      }
    }
    content.push(...this.#cachePoint(message, path));
  }

  #partBlocks({ parts }: Message, path: string): JsonObject[] {
    return parts.flatMap((part, index) => this.#partBlock(part, `${path}.parts[${index}]`));
  }

  #partBlock(part: MessagePart, path: string): JsonObject[] {
    if (part.type === 'text') return textBlock(part.text);
    const { image } = part;
    if ('url' in image) {
      this.#refuse(path, 'Bedrock fetches no images by URL: send the data.');
      return [];
    }
    if (image.detail !== undefined && image.detail !== 'auto') {
      this.#refuse(`${path}.image.detail`, 'This protocol has no detail for images.');
    }
    const format = IMAGE_FORMATS[image.mediaType];
    if (format !== undefined) return [{ image: { format, source: { bytes: image.data } } }];
    this.#refuse(path, `Images of the type ${image.mediaType} are not taken; JPEG, PNG, GIF and WebP are.`);
    return [];
  }

  /** Stands after the message, even if several of its parts have a hint, because everything before it is cached. */
  #cachePoint(message: Message, path: string): JsonObject[] {
    if (!hasHint(message)) return [];
    if (!this.#quirks.cachePoints) {
      this.#refuse(`${path}.cacheHint`, 'This model takes no cache points.');
      return [];
    }
    if (this.#surplusHints-- <= 0) return [CACHE_POINT];
    this.#refuse(
      `${path}.cacheHint`,
      `At most ${MAX_CACHE_POINTS} cache points are taken; the last ones were kept.`,
    );
    return [];
  }

  #turn(role: Turn['role']): Turn {
    const last = this.#turns.at(-1);
    if (last?.role === role) return last;
    const turn: Turn = { role, results: [], content: [] };
    this.#turns.push(turn);
    return turn;
  }

  #refuse(path: string, message: string): void {
    this.#refused.push({ path, message });
  }
}

function hasHint({ parts }: Message): boolean {
  return parts.some((part) => part.cacheHint);
}

/** Blank text is refused by the API and carries no meaning. */
function textBlock(text: string): JsonObject[] {
  return text.trim() === '' ? [] : [{ text }];
}
