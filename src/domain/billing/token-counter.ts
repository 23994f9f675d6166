// Owns the gateway's own count of tokens, for answers without one: OpenAI's o200k vocabulary is used for every model, and the result is marked estimated.
import { Mutex, nextTurn } from '../../kernel/async.ts';
import type { Message, ProviderUsage, Tool } from '../../providers/contract/completions.ts';
import { tokensBesideTexts } from './token-estimate.ts';

export interface CountedRequest {
  readonly messages: readonly Message[];
  readonly tools: readonly Tool[];
}

export interface CountedOutput {
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly { readonly name: string; readonly argumentsText: string }[];
}

/** How many characters are counted of all texts of one kind together; the rest is assumed to have as many tokens for each character. */
const SAMPLE_LENGTH = { input: 8_000, output: 8_000, reasoning: 4_000 };
/** The tokenizer's work on text without breaks grows with the square of its length, so it gets no longer pieces than this. */
const MAX_PIECE_LENGTH = 500;
/** After this many characters (some milliseconds at worst) the count yields to the event loop. */
const TURN_LENGTH = 2_000;

let countExactly: ((text: string) => number) | undefined;

/** Loads the vocabulary (some megabytes) once. It is called at start, so that no run waits for it. */
export async function loadTokenizer(): Promise<(text: string) => number> {
  if (!countExactly) {
    const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base');
    countExactly = (text) => countTokens(text, { disallowedSpecial: new Set() });
  }
  return countExactly;
}

/** One count runs at a time, so that other work waits for one step of it at most, even if many runs end together. */
const counting = new Mutex();

export function countUsage(request: CountedRequest, output: CountedOutput): Promise<ProviderUsage> {
  return counting.run(async () => {
    const count = await loadTokenizer();
    const { messages, tools } = request;
    const callTexts = (calls: CountedOutput['toolCalls']) =>
      calls.flatMap(({ name, argumentsText }) => [name, argumentsText]);
    const inputTexts = [
      ...messages.flatMap(({ parts, toolCalls }) => [
        ...parts.map((part) => (part.type === 'text' ? part.text : '')),
        ...callTexts(toolCalls),
      ]),
      ...tools.map((tool) => JSON.stringify(tool)),
    ];
    const outputTexts = [output.text, ...callTexts(output.toolCalls)];
    return {
      inputTokens: tokensBesideTexts(messages) + (await countTexts(count, inputTexts, SAMPLE_LENGTH.input)),
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      outputTokens: await countTexts(count, outputTexts, SAMPLE_LENGTH.output),
      reasoningTokens: await countTexts(count, [output.reasoning], SAMPLE_LENGTH.reasoning),
    };
  });
}

async function countTexts(
  count: (text: string) => number,
  texts: readonly string[],
  sampleLength: number,
): Promise<number> {
  const length = lengthOf(texts);
  let tokens = 0;
  let looked = 0;
  let sinceTurn = 0;
  for (const piece of length <= sampleLength
    ? allPieces(texts)
    : samplePieces(texts, length / sampleLength)) {
    tokens += count(piece);
    looked += piece.length;
    sinceTurn += piece.length;
    if (sinceTurn < TURN_LENGTH) continue;
    sinceTurn = 0;
    await nextTurn();
  }
  return looked === length ? tokens : Math.ceil((tokens * length) / looked);
}

function* allPieces(texts: readonly string[]): Iterable<string> {
  for (const text of texts) {
    for (let start = 0; start < text.length; ) {
      const end = pieceEnd(text, start);
      yield text.slice(start, end);
      start = end;
    }
  }
}

/** Gives one of every `everyOf` pieces, at even distances over all texts as if they were one; a piece may reach beyond the end of a text. */
function* samplePieces(texts: readonly string[], everyOf: number): Iterable<string> {
  let textStart = 0;
  let start = 0;
  for (const text of texts) {
    const textEnd = textStart + text.length;
    while (start < textEnd) {
      const end = start + MAX_PIECE_LENGTH;
      const piece = text.slice(Math.max(0, start - textStart), end - textStart);
      if (piece !== '') yield piece;
      if (end > textEnd) break;
      start += Math.floor(MAX_PIECE_LENGTH * everyOf);
    }
    textStart = textEnd;
  }
}

/** Ends a piece before a space if there is one: a token begins there, so the cut adds none. */
function pieceEnd(text: string, start: number): number {
  const end = start + MAX_PIECE_LENGTH;
  if (end >= text.length) return text.length;
  const space = text.lastIndexOf(' ', end);
  return space > start + MAX_PIECE_LENGTH / 2 ? space : end;
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}
