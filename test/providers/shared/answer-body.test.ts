import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { AnswerBody } from '../../../src/providers/shared/answer-body.ts';

interface Source {
  readonly body: AsyncIterable<Uint8Array>;
  readonly read: string[];
  left: boolean;
}

function sourceOf(chunks: string[], after: 'end' | 'wait' | 'raise' = 'end'): Source {
  const source: Source = { read: [], left: false, body: { [Symbol.asyncIterator]: () => iterator } };
  const rest = [...chunks];
  const iterator: AsyncIterator<Uint8Array> = {
    async next() {
      const chunk = rest.shift();
      if (chunk !== undefined) {
        source.read.push(chunk);
        return { done: false, value: Buffer.from(chunk) };
      }
      if (after === 'raise') throw new Error('broken');
      if (after === 'wait') await new Promise(() => {});
      return { done: true, value: undefined };
    },
    async return() {
      source.left = true;
      return { done: true, value: undefined };
    },
  };
  return source;
}

test.each([
  [['\r\n', ' ', ' {"a"', ':1}'], 'json', '{"a":1}'],
  [[' [1', ',2]'], 'json', '[1,2]'],
  [['<html>'], 'page', '<html>'],
  [['\n\n', 'data: x'], 'stream', 'data: x'],
  [[' ', '\n'], 'empty', ''],
])(
  'the body %j has the form %s, and looking at it drops nothing but the white space before it',
  async (chunks, form, text) => {
    const body = new AnswerBody(sourceOf(chunks));
    expect(await body.form()).toBe(form);
    expect(await body.text(100)).toBe(text);
  },
);

test('white space without end in an answer is not kept, and ends as a fault once there is too much of it', async () => {
  const blank = Buffer.alloc(16 * 1024 * 1024, ' ');
  let reads = 0;
  const body = new AnswerBody({
    body: {
      [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false, value: blank, n: ++reads }) }),
    },
  });
  await expect(body.form()).rejects.toMatchObject({ code: 'PROVIDER_PROTOCOL', transient: false });
  expect(reads).toBe(9);
});

test('every read of an answer’s body is a sign of life, a blank one too', async () => {
  const signs: string[] = [];
  const body = new AnswerBody(sourceOf([' ', 'x']), { onSign: (sign) => void signs.push(sign) });
  await body.form();
  expect(signs).toEqual(['alive', 'alive']);
});

test.each(['raise', 'wait'] as const)(
  'JSON of an answer that is whole is an answer, whatever the server does behind it: %s',
  async (after) => {
    vi.useFakeTimers();
    const source = sourceOf(['{"a":', '{}}', ' '], after);
    const text = new AnswerBody(source).text();
    await vi.advanceTimersByTimeAsync(5100);
    vi.useRealTimers();
    expect(await text).toBe('{"a":{}} ');
    expect(source.left).toBe(true);
  },
);

test('JSON of an answer that is not whole is waited for, and a break in it is raised', async () => {
  await expect(new AnswerBody(sourceOf(['{"a":{}'], 'raise')).text()).rejects.toThrow('broken');
});

test('text of an answer is cut at its limit and leaves the source', async () => {
  const source = sourceOf(['abc', 'def', 'ghi']);
  expect(await new AnswerBody(source).text(4)).toBe('abcd');
  expect(source.left).toBe(true);
});

test('leaving an incomplete answer leaves the source at once', async () => {
  const source = sourceOf(['a', 'b']);
  for await (const _chunk of new AnswerBody(source)) break;
  expect(source).toMatchObject({ left: true, read: ['a'] });
});

test('leaving a complete answer reads on to its end, so that the connection can be used again', async () => {
  const source = sourceOf(['a', 'b']);
  const body = new AnswerBody(source);
  for await (const _chunk of body) {
    body.complete = true;
    break;
  }
  await nextTurn();
  expect(source).toMatchObject({ left: false, read: ['a', 'b'] });
});

test('a server that never ends a complete answer is left after a while', async () => {
  vi.useFakeTimers();
  const source = sourceOf(['a'], 'wait');
  const body = new AnswerBody(source);
  for await (const _chunk of body) {
    body.complete = true;
    break;
  }
  await vi.advanceTimersByTimeAsync(1100);
  vi.useRealTimers();
  expect(source.left).toBe(true);
});

test('a server that sends on and on after a complete answer is left', async () => {
  const source = sourceOf(Array.from({ length: 100 }, () => 'x'.repeat(1024)));
  const body = new AnswerBody(source);
  body.complete = true;
  for await (const _chunk of body) break;
  await nextTurn();
  expect(source.left).toBe(true);
  expect(source.read.length).toBeLessThan(100);
});

test('a break behind a complete answer concerns nobody', async () => {
  const body = new AnswerBody(sourceOf(['a'], 'raise'));
  body.complete = true;
  for await (const _chunk of body) break;
  await nextTurn();
});
