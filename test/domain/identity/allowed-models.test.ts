import { expect, test } from 'vitest';
import { checkAllowedModels } from '../../../src/domain/identity/allowed-models.ts';
import { refusedPaths as refusedBy } from '../../support/refused-paths.ts';

const refusedPaths = (entries: readonly string[] | undefined) =>
  refusedBy((check) => checkAllowedModels(check, entries));

test.each([
  'writer',
  'tag:chat',
  'openai/gpt-4o',
  'openai/*',
  'router/openai/gpt-4o',
  'hf/Org/Model:v1',
  'cf/@cf/meta',
])('the entry "%s" may stand in a list of allowed models', (entry) => {
  expect(refusedPaths([entry])).toEqual([]);
});

test.each([
  '',
  '*',
  '*/gpt-4o',
  'openai/',
  '/gpt-4o',
  'openai/gpt*',
  'Writer',
  'tag:',
  'tag:Chat',
  'tag:a/b',
  'a b',
  'openai/a b',
  'openai/*x',
])('the entry "%s" is refused in a list of allowed models', (entry) => {
  expect(refusedPaths(['openai/*', entry])).toEqual(['allowedModels.1']);
});

test('a list of allowed models may be left out or empty, and has 500 entries at most', () => {
  expect(refusedPaths(undefined)).toEqual([]);
  expect(refusedPaths([])).toEqual([]);
  expect(refusedPaths(Array(500).fill('a'))).toEqual([]);
  expect(refusedPaths(Array(501).fill('a'))).toEqual(['allowedModels']);
});
