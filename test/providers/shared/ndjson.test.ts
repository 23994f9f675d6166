import { expect, test } from 'vitest';
import { readLines } from '../../../src/providers/shared/ndjson.ts';

async function* pieces(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function readsOf(body: AsyncIterable<Uint8Array>, maxChars?: number): Promise<string[][]> {
  const reads: string[][] = [];
  for await (const lines of readLines(body, maxChars)) reads.push(lines);
  return reads;
}

const TEXT = '{"a":"žluť"}\n\n{"b":2}\r\n  \n{"c":"🐎"}';
const LINES = ['{"a":"žluť"}', '{"b":2}', '{"c":"🐎"}'];

test('lines of NDJSON come without their ends, blank ones are left out, and the last needs no end', async () => {
  expect((await readsOf(pieces(Buffer.from(TEXT)))).flat()).toEqual(LINES);
});

test('lines of NDJSON are the same when the bytes are cut everywhere', async () => {
  const bytes = Buffer.from(TEXT);
  const cut = [...bytes.keys()].map((at) => bytes.subarray(at, at + 1));
  const reads = await readsOf(pieces(...cut));
  expect(reads.flat()).toEqual(LINES);
  expect(reads.every((lines) => lines.length === 1)).toBe(true);
});

test('lines of NDJSON that arrive together stay together', async () => {
  expect(await readsOf(pieces(Buffer.from('1\n2\n'), Buffer.from('3\n')))).toEqual([['1', '2'], ['3']]);
});

test('an endless line of NDJSON is PROVIDER_PROTOCOL', async () => {
  await expect(readsOf(pieces(Buffer.alloc(2000, 'x')), 1000)).rejects.toMatchObject({
    code: 'PROVIDER_PROTOCOL',
  });
});
