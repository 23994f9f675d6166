// Owns the measure of planning: microseconds to order 200 instances by priority and weight, from a snapshot in memory.
import { planRoute } from '../dist/src/domain/routing/planner.js';
import type { WorkspaceCatalogue } from '../src/domain/catalogue/snapshot.ts';

const INSTANCES = 200;
const ROUNDS = 20_000;

export interface PlanningFigures {
  readonly instances: number;
  readonly medianMicroseconds: number;
  readonly p95Microseconds: number;
}

export function measurePlanning(): PlanningFigures {
  const catalogue = catalogueOf(INSTANCES);
  const circuit = {
    state: 'CLOSED',
    reason: null,
    openUntilMs: null,
    quietUntilMs: null,
    failuresInRow: 0,
  } as const;
  const plan = () =>
    planRoute({
      catalogue,
      model: 'tag:all',
      needs: { output: 'text', inputs: [], inputTokensAtLeast: 10 },
      offers: () => true,
      callName: 'completion',
      speaks: () => true,
      unsupportedBy: () => [],
      circuitOf: () => circuit,
      random: Math.random,
    });
  for (let round = 0; round < ROUNDS / 4; round += 1) plan();
  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const begun = performance.now();
    plan();
    took.push((performance.now() - begun) * 1_000);
  }
  took.sort((a, b) => a - b);
  const at = (share: number) => took[Math.floor(took.length * share)] ?? 0;
  return { instances: INSTANCES, medianMicroseconds: at(0.5), p95Microseconds: at(0.95) };
}

/** A catalogue with this many models, configs and instances, some of them switched off, in five priorities. */
function catalogueOf(count: number): WorkspaceCatalogue {
  const numbers = Array.from({ length: count }, (_value, index) => index);
  const provider = { key: 'p', protocol: 'openai-chat', enabled: true, auth: { type: 'none' } };
  const models = numbers.map((n) => ({
    id: `m${n}`,
    key: `m${n}`,
    canonicalId: `p/m${n}`,
    providerKey: 'p',
    available: true,
    inputModalities: ['text'],
    outputModalities: ['text'],
    capabilities: [],
    contextLength: 100_000,
    maxOutputTokens: 4_096,
  }));
  const configs = numbers.map((n) => ({
    id: `c${n}`,
    name: `c${n}`,
    providerKey: 'p',
    enabled: n % 20 !== 0,
    health: 'HEALTHY',
  }));
  const instances = numbers.map((n) => ({
    id: `i${n}`,
    slug: `i${n}`,
    configId: `c${n}`,
    canonicalId: `p/m${n}`,
    priority: n % 5,
    weight: 1 + (n % 7),
    tags: ['all'],
    enabled: true,
    defaultParameters: {},
  }));
  const catalogue = {
    providers: new Map([['p', provider]]),
    models: new Map(models.map((model) => [model.canonicalId, model])),
    prices: new Map(),
    configs: new Map(configs.map((config) => [config.id, config])),
    configsByProvider: new Map([['p', configs]]),
    instances: new Map(instances.map((instance) => [instance.id, instance])),
    instancesBySlug: new Map(instances.map((instance) => [instance.slug, instance])),
    instancesByModel: new Map(instances.map((instance) => [instance.canonicalId, [instance]])),
    instancesByTag: new Map([['all', instances]]),
  };
  return catalogue as unknown as WorkspaceCatalogue;
}
