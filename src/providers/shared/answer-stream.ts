// Owns the one way in which a streamed answer is read, whatever its protocol: the parts so far and then the fault, bounds, and when it is at its end.
import { ProviderError } from '../../kernel/errors.ts';
import type { StreamPart } from '../contract/completions.ts';
import type { AnswerBody } from './answer-body.ts';
import { WholeAnswerGrace } from './whole-answer-grace.ts';

/** What a protocol makes of the pieces (events, frames, lines) of one answer. */
export interface AnswerDecoder<Piece> {
  /** Adds the parts of one piece. What it raises is raised to the reader behind the parts that were added before. */
  read(piece: Piece, parts: StreamPart[]): void;
  /** The protocol's own end was read: nothing more is to come. */
  readonly over: boolean;
  /** Why the answer ended is known, though its protocol may go on, with its usage say. */
  readonly whole: boolean;
  /** Adds the last parts; raises where the answer broke off. */
  end(parts: StreamPart[]): void;
}

const MAX_PARTS = 1_000_000;
const MAX_CALLS = 1_000;

/** One array for each read that gave any parts. An answer that is whole ends well, however its connection does. */
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
        // A read that is under way would keep the connection until the server speaks again.
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

/** What `fill` adds, and then what it raises. */
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

/** A part or a call costs the gateway memory, however little of the wire it takes. */
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
