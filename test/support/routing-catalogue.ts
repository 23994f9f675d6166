// Owns catalogues for the planner: made in memory, with exactly the rows that a test names.
import type { WorkspaceCatalogue } from '../../src/domain/catalogue/snapshot.ts';
import type { CircuitView } from '../../src/domain/routing/circuits.ts';
import type { ModelNeeds } from '../../src/domain/routing/model-needs.ts';
import { planRoute, type RouteInput } from '../../src/domain/routing/planner.ts';

export interface TestInstance {
  readonly slug: string;
  readonly model?: string;
  readonly config?: string;
  readonly priority?: number;
  readonly weight?: number;
  readonly tags?: readonly string[];
  readonly enabled?: boolean;
}

export interface TestCatalogue {
  readonly instances: readonly TestInstance[];
  /** By key; `p/<key>` is the canonical id. */
  readonly models?: Readonly<Record<string, object>>;
  /** By name. */
  readonly configs?: Readonly<Record<string, object>>;
  readonly provider?: object;
}

export const CLOSED: CircuitView = {
  state: 'CLOSED',
  reason: null,
  openUntilMs: null,
  quietUntilMs: null,
  failuresInRow: 0,
};

export function catalogueOf({
  instances,
  models = {},
  configs = {},
  provider = {},
}: TestCatalogue): WorkspaceCatalogue {
  const modelKeys = [...new Set([...instances.map(({ model }) => model ?? 'm'), ...Object.keys(models)])];
  const configNames = [
    ...new Set([...instances.map(({ config }) => config ?? 'c'), ...Object.keys(configs)]),
  ];
  const modelRows = modelKeys.map((key) => ({
    id: `model ${key}`,
    key,
    canonicalId: `p/${key}`,
    providerKey: 'p',
    available: true,
    inputModalities: ['text'],
    outputModalities: ['text'],
    capabilities: [],
    contextLength: null,
    maxOutputTokens: null,
    ...models[key],
  }));
  const configRows = configNames.map((name) => ({
    id: `config ${name}`,
    name,
    providerKey: 'p',
    enabled: true,
    health: 'UNKNOWN',
    secret: { env: 'X' },
    retryPolicy: {},
    timeLimits: {},
    ...configs[name],
  }));
  const instanceRows = instances.map((instance) => ({
    priority: 0,
    weight: 1,
    tags: [],
    enabled: true,
    defaultParameters: {},
    retryPolicy: {},
    timeLimits: {},
    ...instance,
    id: `instance ${instance.slug}`,
    configId: `config ${instance.config ?? 'c'}`,
    canonicalId: `p/${instance.model ?? 'm'}`,
  }));
  const grouped = (keysOf: (row: (typeof instanceRows)[number]) => readonly string[]) => {
    const groups = new Map<string, unknown[]>();
    for (const row of instanceRows)
      for (const key of keysOf(row)) groups.set(key, [...(groups.get(key) ?? []), row]);
    return groups;
  };
  return {
    providers: new Map([
      ['p', { key: 'p', protocol: 'openai-chat', enabled: true, auth: { type: 'header' }, ...provider }],
    ]),
    models: new Map(modelRows.map((row) => [row.canonicalId, row])),
    prices: new Map(),
    configs: new Map(configRows.map((row) => [row.id, row])),
    configsByProvider: new Map([['p', configRows]]),
    instances: new Map(instanceRows.map((row) => [row.id, row])),
    instancesBySlug: new Map(instanceRows.map((row) => [row.slug, row])),
    instancesByModel: grouped(({ canonicalId }) => [canonicalId]),
    instancesByTag: grouped(({ tags }) => tags),
  } as unknown as WorkspaceCatalogue;
}

export interface PlanInput extends Partial<Omit<RouteInput, 'needs'>> {
  readonly needs?: Partial<ModelNeeds>;
}

export function plan(catalogue: WorkspaceCatalogue, model: string, { needs, ...over }: PlanInput = {}) {
  return planRoute({
    catalogue,
    model,
    needs: { output: 'text', inputs: [], inputTokensAtLeast: 0, ...needs },
    speaks: () => true,
    offers: () => true,
    callName: 'completion',
    unsupportedBy: () => [],
    circuitOf: () => CLOSED,
    random: () => 0.5,
    ...over,
  });
}

/** Labels in the order of their places. */
export function order(route: ReturnType<typeof plan>): string[] {
  return route.candidates.map(({ label }) => label);
}

/** Why each candidate was left out, by label. */
export function leftOut(route: ReturnType<typeof plan>): Record<string, string> {
  return Object.fromEntries(
    route.plan.candidates.filter(({ place }) => place === null).map(({ label, code }) => [label, code]),
  );
}
