import { expect, test } from 'vitest';
import { ModelList } from '../../../src/providers/shared/model-list.ts';

test('the pages of a list of models are bounded together, in models and in characters', () => {
  const list = new ModelList<number>();
  for (let page = 0; page < 20; page += 1) list.add(Array<number>(1000).fill(page));
  expect(list.entries).toHaveLength(20_000);
  expect(() => list.add([1])).toThrow('20000 models');

  const page = JSON.stringify({ pad: ' '.repeat(8 * 1024 * 1024) });
  const long = new ModelList<number>();
  expect(long.parse(page)).toBeTypeOf('object');
  expect(() => long.parse(page)).toThrow('characters');
});
