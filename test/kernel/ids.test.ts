import { afterEach, expect, test, vi } from 'vitest';
import { firstIdAt, isUuid, newId } from '../../src/kernel/ids.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('a new id is a UUID of version 7 with the variant of RFC 9562', () => {
  for (let count = 0; count < 1_000; count += 1) {
    expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});

test('no id is made twice, also when the pool of random bytes is filled anew', () => {
  const ids = Array.from({ length: 5_000 }, newId);
  expect(new Set(ids).size).toBe(ids.length);
});

test('ids that are made later sort later', () => {
  vi.useFakeTimers({ now: 0 });
  const ids = [0, 1, 255, 65_536, 1_700_000_000_000, 2 ** 47].map((at) => {
    vi.setSystemTime(at);
    return newId();
  });
  expect([...ids].sort()).toEqual(ids);
});

test('the first id at a moment sorts before every id of it, and after every id of the moment before', () => {
  const at = 1_764_000_000_000;
  vi.useFakeTimers({ now: at });
  const [now, first] = [newId(), firstIdAt(new Date(at))];
  vi.setSystemTime(at - 1);
  expect(first <= now).toBe(true);
  expect(newId() < first).toBe(true);
  expect(isUuid(first)).toBe(true);
});

test('the first id at a moment before 1970 is that of 1970', () => {
  expect(firstIdAt(new Date(-1))).toBe(firstIdAt(new Date(0)));
});

test.each([
  ['01234567-89ab-7def-8123-456789abcdef', true],
  ['01234567-89AB-7DEF-8123-456789ABCDEF', true],
  ['0123456789ab7def8123456789abcdef', false],
  ['01234567-89ab-7def-8123-456789abcdef\n', false],
  ['g1234567-89ab-7def-8123-456789abcdef', false],
  ['', false],
])('whether %j is a UUID is %s', (text, expected) => {
  expect(isUuid(text)).toBe(expected);
});
