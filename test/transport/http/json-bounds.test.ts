import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonExcess } from '../../../src/transport/http/json-bounds.ts';

test('JSON within the bounds is let through, whatever stands in its texts', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 20 }), (text) => {
      expect(jsonExcess(text)).toBeUndefined();
    }),
  );
  const brackets = '[{,"\\'.repeat(100_000);
  expect(jsonExcess(JSON.stringify({ [brackets]: brackets }))).toBeUndefined();
});

test('keys of JSON are counted by object', () => {
  const object = (keys: number) =>
    Object.fromEntries(Array.from({ length: keys }, (_value, key) => [`k${key}`, {}]));
  expect(jsonExcess(JSON.stringify([object(5_000), object(5_000)]))).toBeUndefined();
  expect(jsonExcess(JSON.stringify([object(1), object(5_001)]))).toContain('5000 keys');
});

test('depth and number of values of JSON are bounded', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
  expect(jsonExcess(nested(128))).toBeUndefined();
  expect(jsonExcess(nested(129))).toContain('128 levels');
  expect(jsonExcess(`"${'\\"'.repeat(200)}"${nested(129)}`)).toContain('128 levels');
  expect(jsonExcess(`"${'\\\\'.repeat(200)}"${nested(129)}`)).toContain('128 levels');
  expect(jsonExcess(JSON.stringify(Array(199_998).fill(0)))).toBeUndefined();
  expect(jsonExcess(JSON.stringify(Array(200_000).fill({})))).toContain('200000 values');
});

test('text that is no JSON ends the look at its bounds', () => {
  expect(jsonExcess(`"${'x'.repeat(1_000)}`)).toBeUndefined();
  expect(jsonExcess(']'.repeat(1_000))).toBeUndefined();
});
