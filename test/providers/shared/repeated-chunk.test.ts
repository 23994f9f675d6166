import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type JsonValue, parseJson } from '../../../src/kernel/json.ts';
import { RepeatedChunk } from '../../../src/providers/shared/repeated-chunk.ts';

const chunk = (content: unknown, more: object = {}) =>
  JSON.stringify({
    id: 'c',
    choices: [{ index: 0, delta: { content, ...more }, finish_reason: null }],
    model: 'm',
  });
/** `undefined` where nothing was learnt. */
function learnt(data: string): RepeatedChunk | undefined {
  const repeated = new RepeatedChunk(contentOf);
  return repeated.learn(data, JSON.parse(data)) ? repeated : undefined;
}
const contentOf = (value: JsonValue | undefined) =>
  (value as { choices?: { delta?: { content?: unknown } }[] } | undefined)?.choices?.[0]?.delta?.content;

test('the text of a chunk that differs in nothing else is read', () => {
  const repeated = learnt(chunk('Hello'));
  for (const text of ['', 'a\nb', 'say "hi"', '\\', '\u0000'])
    expect(repeated?.textOf(chunk(text))).toBe(text);
  expect(repeated?.textOf(chunk(' world, кůň 🐎'))).toBe(' world, кůň 🐎');
});

test.each([
  ['another field', chunk('x', { refusal: 'no' })],
  ['a text that is none', chunk(null)],
  ['a fragment that closes the string and opens another', chunk('x').replace('"x"', '"x","content":"y"')],
  ['a raw line feed', chunk('x').replace('"x"', '"x\ny"')],
  ['a chunk that was cut', chunk('x').slice(0, -1)],
  ['less than what stands around the text', chunk('').slice(0, 40)],
])('a chunk with %s is left to the parser', (_what, data) => {
  expect(learnt(chunk('Hello'))?.textOf(data)).toBeUndefined();
});

test.each([
  ['stands there as a name too', '{"choices":[{"delta":{"content":"content"}}],"content":1}'],
  ['is written with an escape', '{"choices":[{"delta":{"content":"\\u0061"}}]}'],
  ['stands there twice', '{"choices":[{"delta":{"content":"a"}}],"x":"a"}'],
])('nothing is learnt from a chunk whose text %s', (_what, data) => {
  expect(learnt(data)).toBeUndefined();
});

test('whatever the reader of repeated chunks reads is what the parser reads', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('content', 'c', 'm', '\\', '"', '","content":"', '{}'),
  );
  const around = fc.constantFrom({}, { role: 'assistant' }, { content: 'later' }, { '': 'content' });
  fc.assert(
    fc.property(text, text, around, around, fc.nat(6), (first, next, before, after, cut) => {
      const repeated = learnt(chunk(first, before));
      const whole = chunk(next, after);
      const data = cut === 0 ? whole.slice(0, -1) : whole;
      const read = repeated?.textOf(data);
      if (read !== undefined) expect(read).toBe(contentOf(parseJson(data)));
      // And it does read: a shortcut that nobody takes would be none.
      if (repeated && before === after && cut > 0) expect(read).toBeDefined();
    }),
    { numRuns: 2_000 },
  );
});
