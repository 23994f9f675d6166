import { describe, expect, test } from 'vitest';
import type { CircuitView } from '../../../src/domain/routing/circuits.ts';
import { seededRandom } from '../../support/random.ts';
import {
  CLOSED,
  catalogueOf,
  leftOut,
  order,
  plan,
  type TestInstance,
} from '../../support/routing-catalogue.ts';

const OPEN: CircuitView = { ...CLOSED, state: 'OPEN', reason: 'PROVIDER_UNAVAILABLE: down', openUntilMs: 1 };

describe('names', () => {
  const catalogue = catalogueOf({
    instances: [
      { slug: 'a', model: 'x', priority: 1 },
      { slug: 'b', model: 'x', priority: 9, tags: ['chat'] },
      { slug: 'c', model: 'y', priority: 5, tags: ['chat'] },
    ],
    models: { z: {} },
    configs: { c: {}, d: {} },
  });

  test.each([
    ['a', undefined, ['a', 'b']],
    ['a', 'NONE', ['a']],
    ['a', 'ANY', ['a', 'b', 'c']],
    ['p/x', undefined, ['b', 'a']],
    ['p/x', 'NONE', ['b']],
    ['p/x', 'ANY', ['b', 'a', 'c']],
    ['tag:chat', undefined, ['b', 'c', 'a']],
    ['tag:chat', 'NONE', ['b']],
    ['tag:chat', 'SAME_MODEL', ['b', 'c']],
    ['auto', undefined, ['b', 'c', 'a']],
    ['p/z', undefined, ['p/z@c', 'p/z@d']],
  ] as const)('the name %s with fallback %s is served by %j', (model, fallback, expected) => {
    const route = plan(catalogue, model, fallback ? { fallback } : {});
    expect([...order(route)].sort()).toEqual([...expected].sort());
    if (model !== 'p/z') expect(order(route)).toEqual(expected);
  });

  test.each(['nothing', 'p/nothing', 'tag:nothing', 'nobody/x'])('the name %s selects nothing', (model) => {
    expect(plan(catalogue, model)).toMatchObject({ unknown: true, candidates: [] });
  });
});

describe('candidates that are left out', () => {
  const base: readonly TestInstance[] = [
    { slug: 'off', enabled: false },
    { slug: 'config-off', config: 'off' },
    { slug: 'withdrawn', model: 'withdrawn' },
    { slug: 'small', model: 'small' },
    { slug: 'short', model: 'short' },
    { slug: 'picture', model: 'picture' },
    { slug: 'excluded' },
    { slug: 'dear', model: 'dear' },
    { slug: 'unpriced', model: 'unpriced' },
    { slug: 'broken', model: 'broken' },
    { slug: 'keyless', config: 'keyless' },
    { slug: 'good' },
  ];
  const catalogue = catalogueOf({
    instances: base,
    models: {
      withdrawn: { available: false },
      small: { contextLength: 99 },
      short: { maxOutputTokens: 5 },
      picture: { outputModalities: ['image'] },
    },
    configs: { off: { enabled: false }, keyless: { secret: null } },
  });

  test('a candidate that is left out is told with the first reason that holds', () => {
    const route = plan(catalogue, 'auto', {
      needs: { inputTokensAtLeast: 100, maxTokens: 6 },
      exclude: new Set(['excluded']),
      maxPrice: { output: 10n },
      priceOf: ({ canonicalId }) =>
        canonicalId === 'p/unpriced'
          ? undefined
          : { input: 1n, output: canonicalId === 'p/dear' ? 11n : 10n },
      circuitOf: ({ label }) => (label === 'broken' ? OPEN : CLOSED),
    });
    expect(order(route)).toEqual(['good']);
    expect(leftOut(route)).toEqual({
      off: 'INSTANCE_DISABLED',
      'config-off': 'CONFIG_DISABLED',
      withdrawn: 'MODEL_UNAVAILABLE',
      small: 'CONTEXT_TOO_SMALL',
      short: 'MAX_TOKENS_TOO_HIGH',
      picture: 'OUTPUT_NOT_TEXT',
      excluded: 'EXCLUDED',
      dear: 'OVER_PRICE',
      unpriced: 'OVER_PRICE',
      broken: 'CIRCUIT_OPEN',
      keyless: 'NO_CREDENTIALS',
    });
    for (const { reason } of route.plan.candidates) expect(reason).toMatch(/^\S.* .*[^.]$/);
  });

  test('the best candidate alone comes back as a last resort where every circuit is open', () => {
    const two = catalogueOf({
      instances: [
        { slug: 'low', priority: 1 },
        { slug: 'high', priority: 2, model: 'n' },
      ],
    });
    const route = plan(two, 'auto', { circuitOf: () => OPEN });
    expect(order(route)).toEqual(['high']);
    expect(route.plan.candidates).toMatchObject([
      { label: 'high', place: 1, code: 'LAST_RESORT' },
      { label: 'low', place: null, code: 'CIRCUIT_OPEN' },
    ]);
  });
});

describe('order of candidates', () => {
  test('the order of candidates puts what made the continuation first, then the named, the well, the quiet, the unhealthy', () => {
    const catalogue = catalogueOf({
      instances: [
        { slug: 'top', priority: 9, tags: ['t'] },
        { slug: 'quiet', priority: 10, tags: ['t'], model: 'q' },
        { slug: 'sick', priority: 11, tags: ['t'], config: 'sick' },
        { slug: 'fallback', priority: 12 },
        { slug: 'continues', priority: 0, model: 'r' },
      ],
      configs: { sick: { health: 'UNHEALTHY' } },
    });
    const route = plan(catalogue, 'tag:t', {
      needs: {
        continuation: { instanceId: 'instance continues', canonicalId: 'p/r', protocol: 'openai-chat' },
      },
      circuitOf: ({ label }) => (label === 'quiet' ? { ...CLOSED, quietUntilMs: 1 } : CLOSED),
    });
    expect(route.plan.candidates.map(({ label, code }) => `${label} ${code}`)).toEqual([
      'continues CONTINUATION',
      'top PRIORITY',
      'quiet QUIET_LAST',
      'sick UNHEALTHY_LAST',
      'fallback FALLBACK',
    ]);
  });

  test('the split of one priority goes by weight, within statistical bounds', () => {
    const catalogue = catalogueOf({
      instances: [
        { slug: 'one', weight: 1 },
        { slug: 'three', weight: 3, model: 'n' },
        { slug: 'six', weight: 6, model: 'o' },
        { slug: 'never', weight: 0, model: 'q' },
      ],
    });
    const random = seededRandom(7);
    const rounds = 20_000;
    const first = new Map<string, number>();
    for (let round = 0; round < rounds; round += 1) {
      const route = plan(catalogue, 'auto', { random });
      const label = order(route)[0] ?? '';
      first.set(label, (first.get(label) ?? 0) + 1);
      expect(order(route).at(-1)).toBe('never');
    }
    for (const [label, share] of [
      ['one', 0.1],
      ['three', 0.3],
      ['six', 0.6],
    ] as const) {
      // Four standard deviations of a binomial.
      const bound = 4 * Math.sqrt((share * (1 - share)) / rounds);
      expect(Math.abs((first.get(label) ?? 0) / rounds - share)).toBeLessThan(bound);
    }
  });

  test('a sticky key keeps its choice when others come and go, and sticky keys are split by weight', () => {
    const instances = [
      { slug: 'a', weight: 1 },
      { slug: 'b', weight: 1, model: 'n' },
    ];
    const smaller = catalogueOf({ instances });
    const larger = catalogueOf({ instances: [...instances, { slug: 'c', weight: 1, model: 'o' }] });
    let moved = 0;
    let ofA = 0;
    const keys = 2_000;
    for (let key = 0; key < keys; key += 1) {
      const random = () => {
        throw new Error('a sticky draw needs no chance');
      };
      const [before] = order(plan(smaller, 'auto', { stickyKey: `user ${key}`, random }));
      const [again] = order(plan(smaller, 'auto', { stickyKey: `user ${key}`, random }));
      const [after] = order(plan(larger, 'auto', { stickyKey: `user ${key}`, random }));
      expect(again).toBe(before);
      if (after !== before) {
        expect(after).toBe('c');
        moved += 1;
      }
      if (before === 'a') ofA += 1;
    }
    expect(ofA / keys).toBeGreaterThan(0.45);
    expect(ofA / keys).toBeLessThan(0.55);
    expect(moved / keys).toBeGreaterThan(0.28);
    expect(moved / keys).toBeLessThan(0.39);
  });
});

describe('half-open circuits', () => {
  const HALF_OPEN: CircuitView = { ...OPEN, state: 'HALF_OPEN' };
  const catalogue = catalogueOf({
    instances: [
      { slug: 'main', priority: 9, tags: ['t'] },
      { slug: 'second', priority: 5, tags: ['t'], model: 'n' },
      { slug: 'sick', priority: 7, tags: ['t'], config: 'sick', model: 'o' },
      { slug: 'fallback', model: 'q' },
    ],
    configs: { sick: { health: 'UNHEALTHY' } },
  });
  const withHalfOpen = (...labels: string[]) => ({
    circuitOf: ({ label }: { readonly label: string }) => (labels.includes(label) ? HALF_OPEN : CLOSED),
  });

  test('a half-open circuit puts a candidate behind every one whose circuit is closed, fallbacks included, and keeps it in mind for a probe', () => {
    const route = plan(catalogue, 'tag:t', withHalfOpen('main'));
    expect(order(route)).toEqual(['second', 'sick', 'fallback', 'main']);
    expect(route.plan.candidates.at(-1)).toMatchObject({ label: 'main', code: 'PROBE', place: 4 });
    expect(route.halfOpen.map(({ label }) => label)).toEqual(['main']);
    expect(route.plan.summary).toMatch(/Not called: .*"main" \(it kept failing/);
  });

  test('a candidate with a half-open circuit is not lost where fallback NONE chooses another', () => {
    const route = plan(catalogue, 'tag:t', { ...withHalfOpen('main'), fallback: 'NONE' });
    expect(order(route)).toEqual(['second']);
    expect(route.halfOpen.map(({ label }) => label)).toEqual(['main']);
  });

  test('candidates with half-open circuits go by priority among their like where no circuit is closed', () => {
    const route = plan(catalogue, 'tag:t', withHalfOpen('main', 'second', 'sick', 'fallback'));
    expect(order(route)).toEqual(['main', 'second', 'sick', 'fallback']);
    expect(route.plan.candidates[0]).toMatchObject({ code: 'PROBE' });
  });

  test('a half-open circuit leaves the split by weight among the others as it is, draw by draw', () => {
    const weighted = catalogueOf({
      instances: ['a', 'b', 'c'].map((slug, index) => ({
        slug,
        model: slug,
        weight: index + 1,
        tags: ['t'],
      })),
    });
    const without = catalogueOf({
      instances: ['b', 'c'].map((slug, index) => ({ slug, model: slug, weight: index + 2, tags: ['t'] })),
    });
    for (let key = 0; key < 500; key += 1) {
      const stickyKey = `user ${key}`;
      const [first] = order(plan(weighted, 'tag:t', { ...withHalfOpen('a'), stickyKey }));
      expect(first).toBe(order(plan(without, 'tag:t', { stickyKey }))[0]);
    }
  });
});

describe('simulated models', () => {
  const catalogue = catalogueOf({
    instances: [
      { slug: 'real', model: 'x', tags: ['t'] },
      { slug: 'made-up', model: 'y', priority: 99, tags: ['try'] },
      { slug: 'made-up-too', model: 'y' },
    ],
    models: { y: { protocol: 'made-up' } },
  });
  const over = { isSimulated: (protocol: string) => protocol === 'made-up' };

  test.each([
    ['tag:t', 'ANY', ['real']],
    ['real', 'ANY', ['real']],
    ['p/x', 'ANY', ['real']],
    ['auto', undefined, ['real']],
    ['made-up', undefined, ['made-up', 'made-up-too']],
    ['p/y', 'NONE', ['made-up']],
    ['tag:try', undefined, ['made-up', 'made-up-too', 'real']],
  ] as const)(
    'a simulated model serves %s with fallback %s only if that names it: %j',
    (model, fallback, expected) => {
      const route = plan(catalogue, model, { ...over, ...(fallback ? { fallback } : {}) });
      expect([...order(route)].sort()).toEqual([...expected].sort());
    },
  );

  test('a simulated model serves "auto" where there is nothing real that the caller may use, and not where what is real cannot serve', () => {
    expect(order(plan(catalogue, 'auto', { ...over, allowed: new Set(['made-up']) }))).toEqual(['made-up']);
    const off = catalogueOf({
      instances: [
        { slug: 'real', model: 'x', enabled: false },
        { slug: 'made-up', model: 'y' },
      ],
      models: { y: { protocol: 'made-up' } },
    });
    const route = plan(off, 'auto', over);
    expect(order(route)).toEqual([]);
    expect(leftOut(route)).toEqual({ real: 'INSTANCE_DISABLED', 'made-up': 'SIMULATED' });
  });
});

describe('keys that may not use all', () => {
  const catalogue = catalogueOf({
    instances: [
      { slug: 'a', tags: ['ab'] },
      { slug: 'c', model: 'n', tags: ['chat'], enabled: false },
      { slug: 'both', model: 'o', tags: ['chat', 'ab'], enabled: false },
      { slug: 'd', model: 'q', tags: ['other'] },
    ],
  });
  const allowed = new Set(['tag:ab']);

  test('a key is served by nobody where it names only what it may not use, whatever the fallback would bring in', () => {
    for (const model of ['tag:other', 'd', 'p/q']) {
      const route = plan(catalogue, model, { allowed, fallback: 'ANY' });
      expect(order(route)).toEqual([]);
      expect(leftOut(route)).toEqual({ d: 'NOT_ALLOWED' });
    }
  });

  test('a key falls back within what it may use where it names something of that, though it is off', () => {
    const route = plan(catalogue, 'tag:chat', { allowed });
    expect(order(route)).toEqual(['a']);
    expect(leftOut(route)).toEqual({ c: 'NOT_ALLOWED', both: 'INSTANCE_DISABLED', d: 'NOT_ALLOWED' });
  });
});

describe('random catalogues, health and seeds', () => {
  const pick = <Value>(random: () => number, values: readonly Value[]) =>
    values[Math.floor(random() * values.length)] as Value;

  function randomCase(seed: number) {
    const random = seededRandom(seed);
    const count = Math.floor(random() * 30);
    const instances = Array.from({ length: count }, (_value, index) => ({
      slug: `i${index}`,
      model: `m${Math.floor(random() * 6)}`,
      config: `c${Math.floor(random() * 4)}`,
      priority: Math.floor(random() * 4),
      weight: Math.floor(random() * 4),
      tags: random() < 0.5 ? ['t'] : [],
      enabled: random() < 0.85,
    }));
    const models = Object.fromEntries(
      Array.from({ length: 6 }, (_value, index) => [
        `m${index}`,
        { available: random() < 0.9, contextLength: pick(random, [null, 10, 1_000]) },
      ]),
    );
    const configs = Object.fromEntries(
      Array.from({ length: 4 }, (_value, index) => [
        `c${index}`,
        { enabled: random() < 0.9, health: pick(random, ['UNKNOWN', 'HEALTHY', 'UNHEALTHY']) },
      ]),
    );
    const states = new Map<string, CircuitView>();
    const circuitOf = ({ circuitKey }: { readonly circuitKey: string }) => {
      const known =
        states.get(circuitKey) ??
        pick(random, [CLOSED, CLOSED, CLOSED, OPEN, { ...CLOSED, state: 'HALF_OPEN' as const }]);
      states.set(circuitKey, known);
      return known;
    };
    return { catalogue: catalogueOf({ instances, models, configs }), circuitOf, instances };
  }

  test('every plan of a random catalogue explains every candidate once, orders by priority, lets nothing through that is filtered, and is repeatable', () => {
    for (let seed = 1; seed <= 2_000; seed += 1) {
      const { catalogue, circuitOf, instances } = randomCase(seed);
      const model = ['auto', 'tag:t', 'p/m1', 'i0'][seed % 4] as string;
      const fallback = ([undefined, 'NONE', 'SAME_MODEL', 'ANY'] as const)[(seed % 5) % 4];
      const over = {
        circuitOf,
        needs: { inputTokensAtLeast: seed % 3 === 0 ? 100 : 0 },
        ...(fallback ? { fallback } : {}),
      };
      const route = plan(catalogue, model, { ...over, random: seededRandom(seed) });
      const { candidates } = route.plan;
      expect(plan(catalogue, model, { ...over, random: seededRandom(seed) }).plan).toEqual(route.plan);
      expect(new Set(candidates.map(({ label }) => label)).size).toBe(candidates.length);
      const placed = candidates.filter(({ place }) => place !== null);
      expect(placed.map(({ place }) => place)).toEqual(placed.map((_each, index) => index + 1));
      expect(placed.map(({ label }) => label)).toEqual(order(route));
      for (const { reason, code } of candidates) {
        expect(reason).not.toBe('');
        expect(code).toMatch(/^[A-Z_]+$/);
      }
      if (model === 'auto') expect(candidates).toHaveLength(instances.length);
      if (fallback === 'NONE') expect(placed.length).toBeLessThanOrEqual(1);
      for (const candidate of route.candidates) {
        expect(candidate.instance?.enabled ?? true).toBe(true);
        expect(candidate.config.enabled).toBe(true);
        expect(candidate.model?.available).toBe(true);
        if (over.needs.inputTokensAtLeast > 0 && candidate.model?.contextLength) {
          expect(candidate.model.contextLength).toBeGreaterThanOrEqual(100);
        }
        if (circuitOf(candidate).state === 'OPEN') expect(route.candidates).toHaveLength(1);
      }
      const classes = ['NAMED', 'PRIORITY', 'WEIGHT'];
      const healthy = placed.filter(({ code }) => classes.includes(code));
      expect(healthy.map(({ priority }) => priority)).toEqual(
        healthy.map(({ priority }) => priority).sort((a, b) => b - a),
      );
      expect(route.plan.summary).toMatch(/^".*\.$/);
    }
  });
});
