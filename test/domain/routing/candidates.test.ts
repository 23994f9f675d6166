import { describe, expect, test } from 'vitest';
import {
  candidateOfInstance,
  candidatesOfModel,
  isFree,
  type Selection,
  selectCandidates,
} from '../../../src/domain/routing/candidates.ts';
import { catalogueOf } from '../../support/routing-catalogue.ts';

const catalogue = catalogueOf({
  instances: [
    { slug: 'a', model: 'x', config: 'c', priority: 3, weight: 7 },
    { slug: 'b', model: 'x', config: 'd', tags: ['chat'] },
    { slug: 'off', model: 'y', enabled: false, tags: ['chat'] },
  ],
  models: { z: {}, w: { protocol: 'gemini' } },
});
const labels = ({ named, others }: Selection) => [
  named.map(({ label }) => label),
  others.map(({ label }) => label),
];
const ALL = ['a', 'b', 'off'];

describe('selection', () => {
  test.each([
    ['auto', undefined, 'AUTO', 'ANY', ALL, []],
    ['auto', 'NONE', 'AUTO', 'NONE', ALL, []],
    ['a', undefined, 'INSTANCE', 'SAME_MODEL', ['a'], ['a', 'b']],
    ['a', 'NONE', 'INSTANCE', 'NONE', ['a'], []],
    ['a', 'ANY', 'INSTANCE', 'ANY', ['a'], ALL],
    // What is switched off is selected too: leaving it out, with the reason, is for the planner.
    ['off', undefined, 'INSTANCE', 'SAME_MODEL', ['off'], ['off']],
    ['tag:chat', undefined, 'TAG', 'ANY', ['b', 'off'], ALL],
    ['tag:chat', 'SAME_MODEL', 'TAG', 'SAME_MODEL', ['b', 'off'], []],
    ['p/x', undefined, 'MODEL', 'SAME_MODEL', ['a', 'b'], []],
    ['p/x', 'ANY', 'MODEL', 'ANY', ['a', 'b'], ALL],
    ['p/z', undefined, 'MODEL', 'SAME_MODEL', ['p/z@c', 'p/z@d'], []],
  ] as const)(
    'the name %s with fallback %s is of the kind %s with the fallback %s and selects %j before %j',
    (model, fallback, kind, chosen, named, others) => {
      const selection = selectCandidates(catalogue, model, fallback);
      expect(selection).toMatchObject({ kind, fallback: chosen, unknown: false });
      expect(labels(selection)).toEqual([named, others]);
    },
  );

  test.each(['nothing', 'p/nothing', 'chat', 'tag:', 'tag:a', 'A', ''])(
    'the name "%s" is unknown, and no fallback answers in its place',
    (model) => {
      const { named, unknown } = selectCandidates(catalogue, model);
      expect([named, unknown]).toEqual([[], true]);
    },
  );

  test('a tag that nothing has brings in no other instance, whatever the fallback', () => {
    expect(selectCandidates(catalogue, 'tag:nothing', 'ANY')).toMatchObject({ others: [], unknown: true });
  });

  test('a model that is known and that nobody configured is not unknown', () => {
    const lonely = { ...catalogue, configsByProvider: new Map() };
    expect(selectCandidates(lonely, 'p/z')).toMatchObject({ named: [], unknown: false });
  });
});

describe('joining', () => {
  test('a candidate of an instance has its label, priority and weight, and the circuit of its config and model', () => {
    const [candidate] = selectCandidates(catalogue, 'a', 'NONE').named;
    expect(candidate).toMatchObject({
      label: 'a',
      priority: 3,
      weight: 7,
      canonicalId: 'p/x',
      protocol: 'openai-chat',
      circuitKey: 'config c p/x',
    });
  });

  test('a config that serves a model without an instance has priority 0 and weight 1', () => {
    const [candidate] = candidatesOfModel(catalogue, 'p/z');
    expect(candidate).toMatchObject({ instance: undefined, priority: 0, weight: 1, label: 'p/z@c' });
  });

  test('a model that has an instance is served by its instances alone, whatever configs there are', () => {
    expect(candidatesOfModel(catalogue, 'p/y').map(({ label }) => label)).toEqual(['off']);
  });

  test('the protocol of a model wins over that of its provider', () => {
    expect(candidatesOfModel(catalogue, 'p/w').map(({ protocol }) => protocol)).toEqual(['gemini', 'gemini']);
  });

  test('a candidate is joined once for each snapshot', () => {
    const instance = catalogue.instancesBySlug.get('a')!;
    expect(candidateOfInstance(catalogue, instance)).toBe(candidateOfInstance(catalogue, instance));
    expect(candidateOfInstance({ ...catalogue }, instance)).not.toBe(
      candidateOfInstance(catalogue, instance),
    );
  });
});

test.each([
  [undefined, undefined, false],
  [undefined, true, true],
  [true, false, true],
  [false, true, false],
])(
  'with "free" %s at the instance and %s at the provider, nothing is charged: %s',
  (instance, provider, free) => {
    const of = (value: boolean | undefined) => (value === undefined ? {} : { free: value });
    const own = catalogueOf({ instances: [{ slug: 'i', ...of(instance) } as never], provider: of(provider) });
    expect(isFree(selectCandidates(own, 'i').named[0]!)).toBe(free);
  },
);
