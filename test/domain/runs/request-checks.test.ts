import { expect, test } from 'vitest';
import { checkJson, checkNumber, checkText } from '../../../src/domain/runs/request-checks.ts';

const refused = expect.objectContaining({ code: 'BAD_USER_INPUT', path: 'x' });

test.each([
  [undefined, true],
  [1, true],
  [2, true],
  [1.5, true],
  [0.9, false],
  [2.1, false],
  [Number.NaN, false],
  [Number.POSITIVE_INFINITY, false],
])('whether %s lies between 1 and 2 is %s', (value, fits) => {
  const check = () => checkNumber('x', value, 1, 2);
  if (fits) check();
  else expect(check).toThrow(refused);
});

test('a whole number is refused with a fraction, and where a double cannot hold it exactly', () => {
  checkNumber('x', 2, 0, 1e300, 'integer');
  for (const value of [1.5, 2 ** 53])
    expect(() => checkNumber('x', value, 0, 1e300, 'integer')).toThrow(refused);
});

test('a text is bounded in length, and holds what a database keeps', () => {
  checkText('x', '', 0);
  checkText('x', 'abc', 3);
  for (const text of ['abcd', 'a\0', '\ud800']) expect(() => checkText('x', text, 3)).toThrow(refused);
});

test('JSON is an object of a bounded size, and holds what a database keeps', () => {
  checkJson('x', { a: [1, { b: null }] });
  for (const value of [null, [], 'text', { a: '\0' }, { a: 'x'.repeat(1_000_000) }]) {
    expect(() => checkJson('x', value)).toThrow(refused);
  }
});
