import { expect, test } from 'vitest';
import { boundedText, isHighSurrogate, isStorableText, storableText } from '../../src/kernel/text.ts';

test.each([
  ['plain text', 'plain é 😀', 'plain é 😀'],
  ['U+0000', 'a\0b\0', 'a\uFFFDb\uFFFD'],
  ['the first half of a pair', 'a\ud83d', 'a\uFFFD'],
  ['the second half of a pair', '\ude00a', '\uFFFDa'],
  ['two halves in the wrong order', '\ude00\ud83d', '\uFFFD\uFFFD'],
  ['both faults at once', '\0\ud83d', '\uFFFD\uFFFD'],
])('%s is made storable', (_what, text, expected) => {
  expect(storableText(text)).toBe(expected);
  expect(isStorableText(text)).toBe(text === expected);
  expect(isStorableText(storableText(text))).toBe(true);
});

test.each([
  ['abc', 3, 'abc'],
  ['abcd', 3, 'abc'],
  ['ab😀', 4, 'ab😀'],
  ['ab😀', 3, 'ab'],
  ['😀', 1, ''],
  ['abc', 0, ''],
  ['a\0bc', 3, 'a\uFFFDb'],
])('%j bounded to %i units is %j: no pair of surrogates is cut in two', (text, most, expected) => {
  expect(boundedText(text, most)).toBe(expected);
});

test('only the first half of a pair of surrogates is a high one', () => {
  const [high, low] = [0xd83d, 0xde00];
  expect([0x61, 0xd7ff, 0xd800, high, 0xdbff, low, 0xe000].map(isHighSurrogate)).toEqual([
    false,
    false,
    true,
    true,
    true,
    false,
    false,
  ]);
});
