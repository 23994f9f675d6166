import { expect, test } from 'vitest';
import { canonicalJson, isJsonObject, parseJson } from '../../src/kernel/json.ts';

test('equal values have one canonical text, whatever the order of their keys at any depth', () => {
  const one = { b: 1, a: [{ y: null, x: 'é' }] };
  const other = { a: [{ x: 'é', y: null }], b: 1 };
  expect(canonicalJson(one)).toBe('{"a":[{"x":"é","y":null}],"b":1}');
  expect(canonicalJson(other)).toBe(canonicalJson(one));
});

test.each([
  ['an order of a list', [1, 2], [2, 1]],
  ['null and nothing', { a: null }, {}],
  ['a number and its text', { a: 1 }, { a: '1' }],
  ['a list and an object', { a: [] }, { a: {} }],
  ['a key named __proto__', JSON.parse('{"__proto__":{"a":1}}'), {}],
])('values that differ in %s have different canonical texts', (_what, one, other) => {
  expect(canonicalJson(one)).not.toBe(canonicalJson(other));
});

test('an entry that is undefined is left out of the canonical text', () => {
  expect(canonicalJson({ a: undefined, b: 1 })).toBe(canonicalJson({ b: 1 }));
});

test.each([
  [{}, true],
  [{ a: 1 }, true],
  [[], false],
  [null, false],
  ['{}', false],
  [undefined, false],
])('whether %j is a JSON object is %s', (value, expected) => {
  expect(isJsonObject(value)).toBe(expected);
});

test('JSON text is parsed, and any other text gives nothing instead of an error', () => {
  expect(parseJson(' {"a":[1]} ')).toEqual({ a: [1] });
  expect(parseJson('null')).toBeNull();
  for (const text of ['', '{', '{"a":1', "{'a':1}", 'undefined', '1 2'])
    expect(parseJson(text)).toBeUndefined();
});
