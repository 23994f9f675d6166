import { expect, test } from 'vitest';
import { BoundedCache } from '../../src/kernel/bounded-cache.ts';

test('the least recently asked for entry of a bounded cache makes room, and what is too heavy is not kept', () => {
  const cache = new BoundedCache<string>({ maxWeight: 10, maxEntryWeight: 6 });
  cache.set('a', 'A', 4);
  cache.set('b', 'B', 4);
  expect(cache.get('a')).toBe('A');
  cache.set('c', 'C', 4);
  expect([cache.get('a'), cache.get('b'), cache.get('c'), cache.weight]).toEqual(['A', undefined, 'C', 8]);
  cache.set('d', 'D', 7);
  expect([cache.get('d'), cache.weight]).toEqual([undefined, 8]);
  cache.set('a', 'AA', 6);
  expect([cache.get('a'), cache.get('c'), cache.weight]).toEqual(['AA', 'C', 10]);
});
