import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readServerSentEvents, type ServerSentEvent } from '../../../src/providers/shared/sse.ts';

async function* pieces(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

async function readsOf(body: AsyncIterable<Uint8Array>, maxChars?: number): Promise<ServerSentEvent[][]> {
  const reads: ServerSentEvent[][] = [];
  for await (const events of readServerSentEvents(body, maxChars)) reads.push(events);
  return reads;
}

function cutAt(bytes: Uint8Array, places: readonly number[]): AsyncGenerator<Uint8Array> {
  const ends = [...new Set(places)].sort((a, b) => a - b).concat(bytes.length);
  return pieces(...ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end)));
}

const TEXT = [
  '\uFEFF: a comment before all\n',
  'data: one\n\n',
  ': keep-alive\n\n',
  'event: message_start\r\ndata: {"a":"žluťoučký 🐎"}\r\n\r\n',
  'data: first\rdata:second\rdata\r\r',
  'id: 7\nretry: 10\nunknown: x\ndata:  two spaces\n\n',
  'event: nothing\n\n',
  'data\n\n',
  'data: the last, without a blank line',
].join('');

const EVENTS: ServerSentEvent[] = [
  { data: 'one' },
  { event: 'message_start', data: '{"a":"žluťoučký 🐎"}' },
  { data: 'first\nsecond\n' },
  { data: ' two spaces' },
  { data: '' },
  { data: 'the last, without a blank line' },
];

test('every line end, comment, field and a missing last blank line of SSE are read as the standard has it', async () => {
  expect((await readsOf(pieces(TEXT))).flat()).toEqual(EVENTS);
});

test('the events of SSE are the same wherever the bytes are cut', async () => {
  const bytes = Buffer.from(TEXT);
  expect((await readsOf(cutAt(bytes, [...bytes.keys()]))).flat()).toEqual(EVENTS);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (places) => {
      expect((await readsOf(cutAt(bytes, places))).flat()).toEqual(EVENTS);
    }),
    { numRuns: 50 },
  );
});

test('one array of SSE events comes for each read that completed an event, and none for a read that completed nothing', async () => {
  const reads = await readsOf(pieces('data: 1\n\ndata: 2\n', '\ndata: 3', '', '\n\n', ': comment\n\n'));
  expect(reads).toEqual([[{ data: '1' }], [{ data: '2' }], [{ data: '3' }]]);
});

test('the field "error" of llama.cpp surfaces, beside data or alone', async () => {
  const reads = await readsOf(pieces('error: {"message":"no"}\n\ndata: x\nerror: {"code":1}\n\n'));
  expect(reads.flat()).toEqual([
    { data: '', errorField: '{"message":"no"}' },
    { data: 'x', errorField: '{"code":1}' },
  ]);
});

test.each([
  ['one endless line', () => Array.from({ length: 20 }, () => 'data: x'.repeat(10))],
  ['endless lines of one event', () => Array.from({ length: 20 }, () => `data: ${'x'.repeat(90)}\n`)],
])('an SSE body with %s passes the bound and is PROVIDER_PROTOCOL', async (_kind, chunks) => {
  await expect(readsOf(pieces(...chunks()), 1000)).rejects.toMatchObject({
    name: 'ProviderError',
    code: 'PROVIDER_PROTOCOL',
  });
});

test('an SSE event of many small reads takes time in proportion to its size', async () => {
  const bytes = Buffer.from(`data: ${'x'.repeat(2_000_000)}\n\n`);
  const chunks = Array.from({ length: Math.ceil(bytes.length / 20) }, (_, index) =>
    bytes.subarray(index * 20, index * 20 + 20),
  );
  const reads = await readsOf(pieces(...chunks));
  expect(reads.flat()[0]?.data.length).toBe(2_000_000);
});

test('leaving the loop over SSE events leaves the body', async () => {
  let left = false;
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.from('data: x\n\n');
    } finally {
      left = true;
    }
  }
  for await (const _events of readServerSentEvents(body())) break;
  expect(left).toBe(true);
});
