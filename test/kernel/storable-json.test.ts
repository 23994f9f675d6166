import { describe, expect, test } from 'vitest';
import { faultOfJson } from '../../src/kernel/storable-json.ts';

const nested = (levels: number) => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);

describe('JSON from outside', () => {
  test('JSON from outside may hold escapes as text, since only the characters themselves cannot be stored', () => {
    const texts = { pattern: '^[^\\u0000-\\u001f]*$', note: 'said \\ud83d here', '\\u0000': 1 };
    expect(faultOfJson(texts, 1_000)).toBeUndefined();
  });

  test.each([
    ['U+0000 in a text', { a: ['x\u0000'] }],
    ['half a surrogate pair in a text', { a: { b: 'x\ud83d' } }],
    ['U+0000 in a name', { 'a\u0000': 1 }],
  ])('JSON from outside is refused for %s', (_what, value) => {
    expect(faultOfJson(value, 1_000)).toContain('U+0000');
  });

  test('JSON from outside is refused where it is nested too deep, at any depth without an error of its own', () => {
    expect(faultOfJson(nested(64), 10_000)).toBeUndefined();
    expect(faultOfJson(nested(65), 10_000)).toContain('64 levels');
    expect(faultOfJson(nested(5_000), 100_000)).toContain('64 levels');
  });

  test('JSON from outside is refused where it is too long', () => {
    expect(faultOfJson({ a: 'x'.repeat(100) }, 50)).toContain('50 characters');
  });
});
