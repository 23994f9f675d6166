// Owns the one way in which streamed answers of all protocols are read: the parts so far and then the fault, the bounds, and when an answer is at its end.
import { ProviderError } from '../../kernel/errors.ts';
import type { StreamPart } from '../contract/completions.ts';
import type { AnswerBody } from './answer-body.ts';
import { WholeAnswerGrace } from './whole-answer-grace.ts';

/** Makes parts of the pieces (events, frames, lines) of one answer; each protocol has its own. */
export interface AnswerDecoder<Piece> {
  /** Adds the parts of one piece. An error that it raises reaches the reader after the parts that were added before. */
  read(piece: Piece, parts: StreamPart[]): void;
  /** True once the end of the protocol was read: nothing more is to come. */
  readonly over: boolean;
  /** True once the reason why the answer ended is known, even if the protocol goes on, e.g. with the usage. */
  readonly whole: boolean;
  /** Adds the last parts; raises an error if the answer broke off. */
  end(parts: StreamPart[]): void;
}

const MAX_PARTS = 1_000_000;
const MAX_CALLS = 1_000;

/** Gives one array for each read that yielded parts. An answer that is whole ends without an error, however its connection ends. */
export async function* readAnswer<Piece>(
  body: AnswerBody,
  pieces: AsyncIterable<readonly Piece[]>,
  decoder: AnswerDecoder<Piece>,
): AsyncGenerator<StreamPart[]> {
  const reads = pieces[Symbol.asyncIterator]();
  const grace = new WholeAnswerGrace();
  const bounds = new PartBounds();
  let left = false;
  try {
    while (!decoder.over) {
      const read = reads.next();
      const next = decoder.whole ? await grace.within(read) : await read;
      if (typeof next === 'string') {
        // A read under way would hold the connection until the server sends again.
        left = true;
        body.stop();
        break;
      }
      if (next.done) break;
      const { parts, fault } = partsOf((into) => {
        for (const piece of next.value) {
          if (!decoder.over) decoder.read(piece, into);
        }
        if (decoder.over) decoder.end(into);
      });
      body.complete = decoder.over;
      bounds.check(parts);
      if (decoder.whole && parts.some(isContent)) grace.restart();
      if (parts.length > 0) yield parts;
      if (fault) throw fault.reason;
    }
  } finally {
    if (!left) await reads.return?.();
  }
  if (!decoder.over) yield* inOneRead((parts) => decoder.end(parts));
}

/** Gives the parts that `fill` adds, and then raises the error that it raises. */
export function* inOneRead(fill: (parts: StreamPart[]) => void): Generator<StreamPart[]> {
  const { parts, fault } = partsOf(fill);
  new PartBounds().check(parts);
  if (parts.length > 0) yield parts;
  if (fault) throw fault.reason;
}

interface Filled {
  readonly parts: StreamPart[];
  readonly fault?: { readonly reason: unknown };
}

function partsOf(fill: (parts: StreamPart[]) => void): Filled {
  const parts: StreamPart[] = [];
  try {
    fill(parts);
    return { parts };
  } catch (reason) {
    return { parts, fault: { reason } };
  }
}

function isContent({ type }: StreamPart): boolean {
  return type === 'text-delta' || type === 'reasoning-delta' || type === 'tool-call-delta';
}

/** Each part and each call costs the gateway memory, however few bytes it has in the body. */
class PartBounds {
  #parts = 0;

  check(parts: readonly StreamPart[]): void {
    this.#parts += parts.length;
    if (this.#parts > MAX_PARTS) throw tooMany(`${MAX_PARTS} pieces`);
    for (const part of parts) {
      if (part.type === 'tool-call-delta' && part.index >= MAX_CALLS)
        throw tooMany(`${MAX_CALLS} tool calls`);
    }
  }
}

function tooMany(what: string): ProviderError {
  return new ProviderError('PROVIDER_PROTOCOL', `The provider sent an answer of more than ${what}.`, {
    phase: 'stream',
  });
}
