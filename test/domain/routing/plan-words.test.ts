// Holds the rules by which a plan speaks; the words themselves are free to change.
import { describe, expect, test } from 'vitest';
import type { Candidate } from '../../../src/domain/routing/candidates.ts';
import type { CircuitView } from '../../../src/domain/routing/circuits.ts';
import {
  lastResort,
  type PlaceFacts,
  placesOf,
  refusalOfOpen,
  summarize,
  tellNotAsked,
} from '../../../src/domain/routing/plan-words.ts';
import type { PlannedCandidate } from '../../../src/domain/routing/route-plan.ts';

const facts = (
  label: string,
  over: Partial<PlaceFacts> & { priority?: number; weight?: number } = {},
): PlaceFacts => {
  const { priority = 0, weight = 1, ...rest } = over;
  const candidate = {
    label,
    canonicalId: 'p/m',
    config: { id: 'c' },
    priority,
    weight,
  } as unknown as Candidate;
  return { candidate, named: true, continues: 0, ailing: 0, probing: false, ...rest };
};
const codesOf = (chosen: readonly PlaceFacts[]) => placesOf(chosen).map(({ code }) => code);

describe('places', () => {
  test('the only thing that was named has its place for that', () => {
    expect(codesOf([facts('a')])).toEqual(['NAMED']);
    expect(codesOf([facts('a'), facts('b', { named: false })])).toEqual(['NAMED', 'FALLBACK']);
  });

  test('things of one priority are drawn by weight, those of another go by priority', () => {
    const chosen = [facts('a', { priority: 9 }), facts('b', { priority: 5 }), facts('c', { priority: 5 })];
    expect(codesOf(chosen)).toEqual(['PRIORITY', 'WEIGHT', 'WEIGHT']);
  });

  test('a fallback of the same priority is no rival of what was named', () => {
    expect(codesOf([facts('a'), facts('b', { named: false }), facts('c', { named: false })])).toEqual([
      'NAMED',
      'FALLBACK',
      'FALLBACK',
    ]);
  });

  test.each<[string, Partial<PlaceFacts>]>([
    ['CONTINUATION', { continues: 1, ailing: 2, probing: true, named: false }],
    ['UNHEALTHY_LAST', { ailing: 2, probing: true, named: false }],
    ['QUIET_LAST', { ailing: 1, probing: true, named: false }],
    ['PROBE', { probing: true, named: false }],
    ['FALLBACK', { named: false }],
  ])('of several reasons for a place the first is told: %s', (code, over) => {
    expect(codesOf([facts('first'), facts('told', over)])[1]).toBe(code);
  });

  test('places are counted from 1 in the given order, and only a fallback is marked as one', () => {
    const [first, second] = placesOf([facts('a'), facts('b', { named: false })]);
    expect(first).toMatchObject({ place: 1, label: 'a' });
    expect(first).not.toHaveProperty('isFallback');
    expect(second).toMatchObject({ place: 2, label: 'b', isFallback: true });
  });
});

const planned = (label: string, over: Partial<PlannedCandidate> = {}): PlannedCandidate => ({
  place: null,
  label,
  instanceId: label,
  configId: 'c',
  canonicalId: 'p/m',
  priority: 5,
  weight: 1,
  code: 'CIRCUIT_OPEN',
  reason: `Because of ${label}`,
  ...over,
});
const chosen = planned('chosen', { place: 1, code: 'PRIORITY' });
const told = (
  candidates: readonly PlannedCandidate[],
  by: PlannedCandidate | undefined = chosen,
  asked = '',
) =>
  [...tellNotAsked(candidates, by, ({ label }) => label === asked).matchAll(/"([^"]+)" \(/g)].map(
    ([, label]) => label,
  );

describe('what was not asked', () => {
  test.each<[string, Partial<PlannedCandidate>, boolean]>([
    ['left out with a higher priority', { priority: 9 }, true],
    ['left out with the same priority', {}, true],
    ['left out with a lower priority', { priority: 4 }, false],
    ['left out since nobody named it', { priority: 9, code: 'NOT_NAMED' }, false],
    ['put behind for its health', { priority: 9, place: 2, code: 'UNHEALTHY_LAST' }, true],
    ['put behind for quiet', { priority: 9, place: 2, code: 'QUIET_LAST' }, true],
    ['put behind for a probe', { priority: 9, place: 2, code: 'PROBE' }, true],
    ['placed by its priority', { priority: 9, place: 2, code: 'PRIORITY' }, false],
    ['a fallback that was left out, whatever its priority', { priority: 9, isFallback: true }, false],
  ])('a candidate that was %s is told: %s', (_what, over, expected) => {
    expect(told([chosen, planned('other', over)])).toEqual(expected ? ['other'] : []);
  });

  test('a candidate that was asked is not told as one that was not', () => {
    expect(told([planned('other')], chosen, 'other')).toEqual([]);
  });

  test('what was named is told where a fallback was chosen, whatever their priorities', () => {
    expect(told([planned('named', { priority: 1 })], { ...chosen, isFallback: true })).toEqual(['named']);
  });

  test('where nobody was chosen, everything that was named is told and no fallback', () => {
    const candidates = [planned('low', { priority: 1 }), planned('other', { isFallback: true })];
    expect(tellNotAsked(candidates, undefined, () => false)).toContain('"low"');
    expect(tellNotAsked(candidates, undefined, () => false)).not.toContain('"other"');
  });

  test('the highest priority is told first, five by name and the rest by number', () => {
    const candidates = Array.from({ length: 7 }, (_, at) => planned(`p${at}`, { priority: 5 + at }));
    expect(told(candidates)).toEqual(['p6', 'p5', 'p4', 'p3', 'p2']);
    expect(tellNotAsked(candidates, chosen, () => false)).toContain('2 more');
  });

  test('what was named is told before what the fallback brings in, whatever their priorities', () => {
    const candidates = [
      planned('other', { priority: 9, isFallback: true }),
      planned('named', { priority: 6 }),
      planned('another', { priority: 8, isFallback: true }),
    ];
    expect(told(candidates, { ...chosen, isFallback: true })).toEqual(['named', 'other', 'another']);
  });

  test('a long reason is cut', () => {
    const text = tellNotAsked([planned('other', { reason: 'x'.repeat(1_000) })], chosen, () => false);
    expect(text.length).toBeLessThan(220);
  });

  test('nothing is said where there is nothing to tell', () => {
    expect(tellNotAsked([chosen], chosen, () => false)).toBe('');
  });
});

test('the reason of a circuit is told where it is known, whether it is left out or tried as a last resort', () => {
  const view = (reason: string | null) => ({ reason }) as CircuitView;
  for (const say of [refusalOfOpen, lastResort]) {
    expect(say(view('it was down')).reason).toContain('it was down');
    expect(say(view(null)).reason).not.toContain('null');
  }
  expect([refusalOfOpen(view(null)).code, lastResort(view(null)).code]).toEqual([
    'CIRCUIT_OPEN',
    'LAST_RESORT',
  ]);
});

describe('summaries', () => {
  const selection = { unknown: false } as Parameters<typeof summarize>[1];

  test('a summary names the first choice, what comes next and how many were left out', () => {
    const placed = Array.from({ length: 8 }, (_, at) =>
      planned(`s${at}`, { place: at + 1, code: 'PRIORITY' }),
    );
    const out = [planned('o', { priority: 1 })];
    const text = summarize('tag:chat', selection, placed, out, [...placed, ...out]);
    for (const label of ['"tag:chat"', '"s0"', '"s1"', '"s5"', '2 more', '1 left out'])
      expect(text).toContain(label);
    expect(text).not.toContain('"s6"');
  });

  test('three ways of being served by nobody read differently', () => {
    const unknown = summarize('m', { ...selection, unknown: true }, [], [], []);
    const nothing = summarize('m', selection, [], [], []);
    const refused = summarize('m', selection, [], [planned('o')], []);
    expect(new Set([unknown, nothing, refused]).size).toBe(3);
    expect(refused).toContain('Because of o');
  });
});
