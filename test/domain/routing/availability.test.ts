import { describe, expect, test } from 'vitest';
import type { Viewer } from '../../../src/domain/identity/viewer.ts';
import {
  type AvailabilityDependencies,
  AvailabilityService,
} from '../../../src/domain/routing/availability.ts';
import type { CircuitView } from '../../../src/domain/routing/circuits.ts';
import { CLOSED, catalogueOf, type TestCatalogue } from '../../support/routing-catalogue.ts';

const OPEN: CircuitView = { ...CLOSED, state: 'OPEN' };
const HALF_OPEN: CircuitView = { ...CLOSED, state: 'HALF_OPEN' };
const QUIET: CircuitView = { ...CLOSED, quietUntilMs: 1 };
const viewer = (allowed?: readonly string[]) =>
  ({ workspaceId: 'w', allowedModels: allowed && new Set(allowed) }) as unknown as Viewer;

function serviceOf(
  given: Partial<TestCatalogue>,
  views: Readonly<Record<string, CircuitView>> = {},
): AvailabilityService {
  const catalogue = catalogueOf({ instances: [{ slug: 'i' }], ...given });
  return new AvailabilityService({
    snapshots: { of: () => catalogue },
    circuits: { view: (key: string) => views[key] ?? CLOSED },
    speaks: () => true,
    outputs: ['text'],
  } as unknown as AvailabilityDependencies);
}
const unhealthy = (fault: string | null) => ({ configs: { c: { health: 'UNHEALTHY', healthFault: fault } } });
const circuit = (view: CircuitView) => ({ 'config c p/m': view });

describe('instances', () => {
  test.each<[string, Partial<TestCatalogue>, Readonly<Record<string, CircuitView>>, string, string | null]>([
    ['nothing wrong', {}, {}, 'CALLABLE', null],
    ['its config switched off', { configs: { c: { enabled: false } } }, {}, 'UNAVAILABLE', 'CONFIG_DISABLED'],
    [
      'pictures for output',
      { models: { m: { outputModalities: ['image'] } } },
      {},
      'UNAVAILABLE',
      'OUTPUT_NOT_TEXT',
    ],
    [
      'text beside pictures',
      { models: { m: { outputModalities: ['image', 'text'] } } },
      {},
      'CALLABLE',
      null,
    ],
    ['a credential that was refused', unhealthy('BAD_CREDENTIAL'), {}, 'UNAVAILABLE', 'BAD_CREDENTIAL'],
    ['another failed health check', unhealthy(null), {}, 'DEGRADED', 'UNHEALTHY'],
    ['an open circuit', {}, circuit(OPEN), 'UNAVAILABLE', 'CIRCUIT_OPEN'],
    ['an open circuit and a failed check', unhealthy(null), circuit(OPEN), 'UNAVAILABLE', 'CIRCUIT_OPEN'],
    ['a half-open circuit', {}, circuit(HALF_OPEN), 'DEGRADED', 'CIRCUIT_HALF_OPEN'],
    ['a half-open circuit and a failed check', unhealthy(null), circuit(HALF_OPEN), 'DEGRADED', 'UNHEALTHY'],
    ['a provider that asked for quiet', {}, circuit(QUIET), 'DEGRADED', 'OVER_LIMIT'],
  ])(
    'an instance with %s can be called as the planner would find it (case %#)',
    (_what, given, views, state, code) => {
      const service = serviceOf(given, views);
      expect(service.ofInstance(viewer(), 'instance i')).toMatchObject({ state, code });
      expect(service.instancesIn(viewer(), [state as 'CALLABLE'])).toEqual(['instance i']);
    },
  );

  test('an instance that the key may not use is unavailable to it, and a reason is told', () => {
    const found = serviceOf({}).ofInstance(viewer(['other']), 'instance i');
    expect(found).toMatchObject({ state: 'UNAVAILABLE', code: 'NOT_ALLOWED', reason: expect.any(String) });
    expect(serviceOf({}).ofInstance(viewer(['i']), 'instance i').state).toBe('CALLABLE');
  });

  test('an instance that the snapshot does not have yet is unavailable, and has no circuit', () => {
    expect(serviceOf({}).ofInstance(viewer(), 'gone')).toMatchObject({ state: 'UNAVAILABLE', code: 'GONE' });
    expect(serviceOf({}).circuitOf(viewer(), 'gone')).toBeUndefined();
    expect(serviceOf({}, circuit(OPEN)).circuitOf(viewer(), 'instance i')).toBe(OPEN);
  });
});

describe('models', () => {
  const instances = [
    { slug: 'down', config: 'c' },
    { slug: 'slow', config: 'd' },
    { slug: 'well', config: 'e' },
  ];
  const views = { 'config c p/m': OPEN, 'config d p/m': HALF_OPEN };
  const stateOf = (count: number) =>
    serviceOf({ instances: instances.slice(0, count) }, views).ofModel(viewer(), 'p/m').state;

  test('a model is as good as the best of what serves it', () => {
    expect([1, 2, 3].map(stateOf)).toEqual(['UNAVAILABLE', 'DEGRADED', 'CALLABLE']);
  });

  test('a model without an instance is as good as the configs of its provider', () => {
    const service = serviceOf(
      { models: { z: {} }, configs: { d: {} } },
      { 'config c p/z': OPEN, 'config d p/z': QUIET },
    );
    expect(service.ofModel(viewer(), 'p/z')).toMatchObject({ state: 'DEGRADED', code: 'OVER_LIMIT' });
    expect(service.modelsIn(viewer(), ['DEGRADED'])).toEqual(['model z']);
  });

  test('a model that nobody configured is unavailable for want of a config', () => {
    expect(serviceOf({}).ofModel(viewer(), 'q/z')).toMatchObject({ state: 'UNAVAILABLE', code: 'NO_CONFIG' });
  });
});
