import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TextLines } from '../../../src/providers/shared/text-lines.ts';

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const utf8 = (text: string) => [...new TextEncoder().encode(text)];

function linesOf(reads: readonly number[][]): string[] {
  const lines = new TextLines();
  return [...reads.flatMap((bytes) => lines.push(Uint8Array.from(bytes))), ...lines.end()];
}

/** The same of the bytes in one piece, by the decoder of the platform. */
function expected(reads: readonly number[][]): string[] {
  const lines = new TextDecoder().decode(Uint8Array.from(reads.flat())).split(/\r\n|\n|\r/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

test.each([
  ['plain text', [utf8('data: a\nda'), utf8('ta: b\n')]],
  ['a character that is cut', [[0xc5], [0xbe, 10]]],
  ['a character that is cut, and never whole', [[...utf8('a'), 0xc5], utf8('b\n'), utf8('c')]],
  ['a cut character at the end', [utf8('a\n'), [0xe2, 0x82]]],
  ['a read without bytes amid a character', [[0xe2, 0x82], [], [0xac]]],
  ['a byte order mark', [[...BYTE_ORDER_MARK, ...utf8('a\n')]]],
  ['a byte order mark that is cut', [[0xef], [0xbb], [0xbf, 97]]],
  ['a byte order mark amid the text', [utf8('a\n'), [...BYTE_ORDER_MARK, ...utf8('b')]]],
  ['two of them', [[...BYTE_ORDER_MARK, ...BYTE_ORDER_MARK, ...utf8('b')]]],
])('the lines of a text are those of the whole, with %s', (_what, reads) => {
  expect(linesOf(reads)).toEqual(expected(reads));
});

test('whatever the bytes of a text and wherever they are cut, the lines are the same', () => {
  const piece = fc.oneof(
    fc.string({ maxLength: 8 }).map(utf8),
    fc.string({ unit: 'binary', maxLength: 4 }).map(utf8),
    fc.constantFrom([10], [13], [13, 10], BYTE_ORDER_MARK, [0xc5], [0xe2, 0x82], [0x80], [0xff]),
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 12 }),
      fc.array(fc.nat(6), { maxLength: 40 }),
      (pieces, sizes) => {
        const bytes = pieces.flat();
        const reads: number[][] = [];
        for (const size of sizes) reads.push(bytes.splice(0, size));
        reads.push(bytes);
        expect(linesOf(reads)).toEqual(expected(reads));
      },
    ),
    { numRuns: 3_000 },
  );
});
