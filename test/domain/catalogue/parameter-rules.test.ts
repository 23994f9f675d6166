import { expect, test } from 'vitest';
import { faultsOfParameters, type Parameters } from '../../../src/domain/catalogue/parameter-rules.ts';

const paths = (parameters: object) =>
  [...faultsOfParameters(parameters as Parameters)].map(({ path }) => path);

test.each<[keyof Parameters, readonly number[], readonly number[]]>([
  ['temperature', [0, 0.7, 2], [-0.1, 2.1, Number.NaN]],
  ['topP', [0, 1], [-0.1, 1.1]],
  ['topK', [1, 1_000_000], [0, 1.5, 1_000_001]],
  ['maxTokens', [1, 2_147_483_647], [0, 1.5, 2_147_483_648]],
  ['presencePenalty', [-2, 2], [-2.1, 2.1]],
  ['frequencyPenalty', [-2, 2], [-2.1, 2.1]],
  ['repetitionPenalty', [0, 10], [-1, 10.1]],
  ['reasoningTokens', [0, 2_147_483_647], [-1, 0.5]],
  ['seed', [-1, 0, Number.MAX_SAFE_INTEGER], [0.5, 2 ** 53, Number.POSITIVE_INFINITY]],
])('%s may be any of %j, and none of %j', (name, good, bad) => {
  for (const value of good) expect(paths({ [name]: value })).toEqual([]);
  for (const value of bad) expect(paths({ [name]: value })).toEqual([name]);
});

test.each([
  [['a', 'x'.repeat(1_000)], []],
  [Array(16).fill('a'), []],
  [Array(17).fill('a'), ['stop']],
  [['a', ''], ['stop[1]']],
  [['x'.repeat(1_001)], ['stop[0]']],
  [
    ['\0', '\ud800'],
    ['stop[0]', 'stop[1]'],
  ],
])('stop texts are few, short and storable (case %#)', (stop, expected) => {
  expect(paths({ stop })).toEqual(expected);
});

test('a bias of a token lies between -100 and 100', () => {
  expect(paths({ logitBias: { 1: -100, 2: 100, 3: 101, 4: -101 } })).toEqual(['logitBias.3', 'logitBias.4']);
});

test('every parameter that is wrong is told, and none that is left out', () => {
  expect(paths({})).toEqual([]);
  expect(paths({ temperature: 3, topP: undefined, seed: 0.5 })).toEqual(['temperature', 'seed']);
});
