import { expect, test } from 'vitest';
import { freeSlug, ignoreConflict } from '../../../src/domain/catalogue/free-slug.ts';
import { StorageError } from '../../../src/kernel/errors.ts';

/** What the database takes: see the migration of the catalogue. */
const TAKEN_BY_DATABASE = /^[a-z0-9._-]{1,128}$/;

test.each([
  ['gpt-4o', 'openai/gpt-4o', [], 'gpt-4o'],
  ['GPT-4o', 'openai/GPT-4o', [], 'gpt-4o'],
  ['Org/Model v2:latest', 'hf/Org/Model v2:latest', [], 'org-model-v2-latest'],
  ['gpt-4o', 'openai/gpt-4o', ['gpt-4o'], 'openai-gpt-4o'],
  ['gpt-4o', 'openai/gpt-4o', ['gpt-4o', 'openai-gpt-4o'], 'openai-gpt-4o-2'],
  ['gpt-4o', 'openai/gpt-4o', ['gpt-4o', 'openai-gpt-4o', 'openai-gpt-4o-2'], 'openai-gpt-4o-3'],
  // The name stands for every model: no instance may have it.
  ['auto', 'openrouter/auto', [], 'openrouter-auto'],
  ['AUTO', 'openrouter/AUTO', [], 'openrouter-auto'],
])('the model %s (%s) where %j are taken gets the slug %s', (key, canonicalId, taken, slug) => {
  expect(freeSlug({ key, canonicalId }, new Set(taken))).toBe(slug);
});

test.each(['@cf/meta/llama', 'ä', '/', ' ', 'x'.repeat(200), 'a\u0000b', '模型'])(
  'a slug made of the key %j is one that the database takes (case %#)',
  (key) => {
    const model = { key, canonicalId: `p/${key}` };
    const taken = new Set<string>();
    for (let count = 0; count < 12; count += 1) {
      const slug = freeSlug(model, taken);
      expect(slug).toMatch(TAKEN_BY_DATABASE);
      expect(taken.has(slug)).toBe(false);
      taken.add(slug);
    }
  },
);

test('only a conflict of two nodes is passed over', () => {
  ignoreConflict(new StorageError('conflict', ''));
  for (const error of [new StorageError('unavailable', ''), new Error('oh')]) {
    expect(() => ignoreConflict(error)).toThrow(error);
  }
});
