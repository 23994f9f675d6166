import { expect, test } from 'vitest';
import { definedOf, InputCheck } from '../../src/kernel/input-check.ts';
import { refusedPaths as faultsOf } from '../support/refused-paths.ts';

test('a check without a fault raises nothing', () => {
  const check = new InputCheck();
  expect(check.clean).toBe(true);
  expect(() => check.raise()).not.toThrow();
});

test('a check raises its first fault, with the path and the code of each in it', () => {
  const check = new InputCheck();
  const other = new InputCheck();
  other.add('b', 'is taken', 'CONFLICT');
  check.add('a', 'is wrong');
  check.take(other);
  expect(check.clean).toBe(false);
  expect(() => check.raise()).toThrow(
    expect.objectContaining({
      code: 'BAD_USER_INPUT',
      path: 'a',
      problems: [
        expect.objectContaining({ path: 'a', code: 'BAD_USER_INPUT' }),
        expect.objectContaining({ path: 'b', code: 'CONFLICT' }),
      ],
    }),
  );
});

test.each<[string, (on: InputCheck) => void]>([
  ['text', (on) => on.text('x', undefined)],
  ['a number', (on) => on.integer('x', null, 1, 2)],
  ['an address', (on) => on.url('x', undefined)],
  ['a word', (on) => on.oneOf('x', null, ['a'])],
  ['a list', (on) => on.words('x', undefined)],
  ['JSON', (on) => on.json('x', undefined)],
])('%s that is left out is no fault', (_what, check) => {
  expect(faultsOf(check)).toEqual([]);
});

test.each([
  ['a', true],
  ['x'.repeat(200), true],
  ['x'.repeat(201), false],
  ['', false],
  ['   ', false],
  ['a\0', false],
  ['\ud83d', false],
])('a line of text has 1 to 200 storable characters (case %#)', (text, fits) => {
  expect(faultsOf((on) => on.text('x', text))).toEqual(fits ? [] : ['x']);
});

test.each([
  [1, true],
  [10, true],
  [0, false],
  [11, false],
  [1.5, false],
  [Number.NaN, false],
])('whether %s may be a whole number from 1 to 10 is %s', (value, fits) => {
  expect(faultsOf((on) => on.integer('x', value, 1, 10))).toEqual(fits ? [] : ['x']);
});

test.each([
  ['https://api.example.com/v1', true],
  ['http://localhost:8080', true],
  ['https://{region}.example.com/{path}', true],
  ['ftp://example.com', false],
  ['example.com', false],
  ['https://user:word@example.com', false],
  ['https://example.com/?key=1', false],
  ['https://example.com/#top', false],
  [`https://example.com/${'x'.repeat(2_000)}`, false],
])('the address of a provider is a plain http or https URL (case %#)', (address, fits) => {
  expect(faultsOf((on) => on.url('x', address))).toEqual(fits ? [] : ['x']);
});

test('each entry of a list that is none of the known words is named by its place', () => {
  expect(faultsOf((on) => on.allOf('x', ['a', 'z', 'b', 'y'], ['a', 'b']))).toEqual(['x.1', 'x.3']);
  expect(faultsOf((on) => on.allOf('x', [], ['a'], 1))).toEqual(['x']);
});

test('words are short, of few signs, each there once, and at most 64', () => {
  expect(faultsOf((on) => on.words('x', ['fast', 'v1.2_b-c']))).toEqual([]);
  expect(faultsOf((on) => on.words('x', ['Fast', '', '-a', 'a b', 'x'.repeat(65)]))).toEqual([
    'x.0',
    'x.1',
    'x.2',
    'x.3',
    'x.4',
  ]);
  expect(faultsOf((on) => on.words('x', ['a', 'a']))).toEqual(['x']);
  expect(
    faultsOf((on) =>
      on.words(
        'x',
        Array.from({ length: 65 }, (_, at) => `w${at}`),
      ),
    ),
  ).toEqual(['x']);
});

test.each([
  [{ a: 1 }, true],
  [[], false],
  [null, false],
  ['{}', false],
  [{ a: '\0' }, false],
  [{ a: 'x'.repeat(100_000) }, false],
])('JSON is an object that can be kept (case %#)', (value, fits) => {
  const check = new InputCheck();
  expect(check.json('x', value)).toBe(fits);
  expect(check.clean).toBe(fits);
});

test('a filter is refused by the name of its field where the database could not compare it', () => {
  const filter = { text: 'ok', none: undefined, search: 'x'.repeat(201), ids: ['ok', '\0'] };
  expect(faultsOf((on) => on.filter('', filter))).toEqual(['search', 'ids']);
  expect(faultsOf((on) => on.filter('filter', { ids: Array(1_001).fill('a') }))).toEqual(['filter.ids']);
  expect(faultsOf((on) => on.filter('', { name: '' }))).toEqual([]);
});

test('the changes of a patch are those that it states, null included', () => {
  expect(definedOf({ a: undefined, b: null, c: 0 })).toEqual({ b: null, c: 0 });
});
