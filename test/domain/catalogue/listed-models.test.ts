import { describe, expect, test } from 'vitest';
import {
  type ComparedCatalogue,
  compareListed,
  newListedRow,
  usableModels,
} from '../../../src/domain/catalogue/listed-models.ts';
import type { ModelSpecRow } from '../../../src/domain/catalogue/snapshot.ts';
import type { ListedModel } from '../../../src/providers/contract/models.ts';

const row = (key: string, over: Partial<ModelSpecRow> = {}) =>
  ({
    key,
    canonicalId: `p/${key}`,
    workspaceId: 'w',
    origin: 'SYNC',
    available: true,
    displayName: key,
    contextLength: 100,
    maxOutputTokens: null,
    capabilities: [],
    inputModalities: ['text'],
    outputModalities: ['text'],
    editedFields: [],
    ...over,
  }) as unknown as ModelSpecRow;
const catalogue = (
  rows: readonly ModelSpecRow[],
  seenByOthers: readonly string[] = [],
): ComparedCatalogue => ({
  workspaceId: 'w',
  providerKey: 'p',
  rows,
  seenByOthers: new Set(seenByOthers),
  newId: () => 'id',
  now: new Date(0),
});
const compare = (
  listed: readonly ListedModel[],
  rows: readonly ModelSpecRow[],
  seenByOthers: readonly string[] = [],
) => {
  const { inserts, updates, withdrawn, kept } = compareListed(listed, catalogue(rows, seenByOthers));
  return {
    inserts: inserts.map(({ key }) => key),
    updates: updates.map(({ row: { key }, changes }) => [key, changes]),
    withdrawn: withdrawn.map(({ key }) => key),
    kept,
  };
};
const NOTHING = { inserts: [], updates: [], withdrawn: [], kept: 0 };

test('a listed model whose key no model can have is left out, and one that stands twice is one', () => {
  const listed = ['a', '', 'a b', 'é', 'x'.repeat(201), 'a', 'b/c:d@e'].map((key) => ({ key }));
  expect(usableModels(listed).map(({ key }) => key)).toEqual(['a', 'b/c:d@e']);
});

describe('a list compared with the catalogue', () => {
  test('a model that is new is inserted, and one that the list has as it was is kept', () => {
    expect(compare([{ key: 'a' }, { key: 'b', contextLength: 100 }], [row('b')])).toEqual({
      ...NOTHING,
      inserts: ['a'],
      kept: 1,
    });
  });

  test('a fact that differs is changed, and what the list is silent about stays', () => {
    const listed = [{ key: 'a', contextLength: 200, displayName: 'a' }];
    expect(compare(listed, [row('a', { maxOutputTokens: 50 })]).updates).toEqual([
      ['a', { contextLength: 200 }],
    ]);
  });

  test('a field that a user edited stays as it is', () => {
    const edited = row('a', { editedFields: ['contextLength'] as never });
    expect(compare([{ key: 'a', contextLength: 200 }], [edited])).toEqual({ ...NOTHING, kept: 1 });
  });

  test.each([{ origin: 'CUSTOM' }, { origin: 'SEED', workspaceId: null }, { workspaceId: 'other' }] as const)(
    'a row of %j is neither changed nor withdrawn',
    (over) => {
      const own = row('a', over as unknown as Partial<ModelSpecRow>);
      expect(compare([{ key: 'a', contextLength: 200 }], [own])).toEqual({ ...NOTHING, kept: 1 });
      expect(compare([], [own])).toEqual(NOTHING);
    },
  );

  test('a model that is gone from the list is withdrawn once, and comes back when it is listed again', () => {
    expect(compare([], [row('a')]).withdrawn).toEqual(['a']);
    expect(compare([], [row('a', { available: false })])).toEqual(NOTHING);
    expect(compare([{ key: 'a' }], [row('a', { available: false })]).updates).toEqual([
      ['a', { available: true }],
    ]);
  });

  test('a model is not withdrawn where another credential sees it, or a user decided that it is available', () => {
    expect(compare([], [row('a')], ['p/a']).withdrawn).toEqual([]);
    expect(compare([], [row('a', { editedFields: ['available'] as never })]).withdrawn).toEqual([]);
  });
});

describe('facts of a listed model', () => {
  const facts = (over: Partial<ListedModel>) => newListedRow({ key: 'm', ...over }, catalogue([]));

  test.each([0, -1, 1.5, Number.NaN, 2_147_483_648])('a size of %s tokens is not believed', (size) => {
    expect(facts({ contextLength: size, maxOutputTokens: size })).toMatchObject({
      contextLength: null,
      maxOutputTokens: null,
    });
  });

  test('words of other catalogues are told in ours, and unknown ones are left out', () => {
    const told = facts({
      capabilities: ['function_calling', 'tool_choice', 'thinking', 'unheard-of'],
      inputModalities: ['image', 'text', 'smell'],
      outputModalities: ['smell'],
    });
    expect([...told.capabilities].sort()).toEqual(['reasoning', 'tools']);
    expect([...told.inputModalities].sort()).toEqual(['image', 'text']);
    expect(told.outputModalities).toEqual(['text']);
  });

  test('a name is bounded, and an empty one leaves the key', () => {
    expect(facts({ displayName: 'x'.repeat(500) }).displayName).toHaveLength(200);
    expect(facts({ displayName: '' }).displayName).toBe('m');
  });
});
