// Owns which configured models a name stands for, joined with all that a call of each needs to know.
import type {
  ModelInstanceRow,
  ModelSpecRow,
  ProviderConfigRow,
  ProviderSpecRow,
  WorkspaceCatalog,
} from '../catalog/snapshot.ts';
import type { Fallback, SelectionKind } from './route-plan.ts';

/** A config and a model, with the instance that joins them (`undefined`: the config serves as an implicit instance). */
export interface Candidate {
  readonly label: string;
  readonly instance: ModelInstanceRow | undefined;
  readonly config: ProviderConfigRow;
  readonly spec: ProviderSpecRow | undefined;
  readonly model: ModelSpecRow | undefined;
  readonly canonicalId: string;
  readonly priority: number;
  readonly weight: number;
  readonly protocol: string | undefined;
  /** Names the circuit of its config and model. */
  readonly circuitKey: string;
}

export interface Selection {
  readonly kind: SelectionKind;
  readonly fallback: Fallback;
  /** Everything that may serve, what was named first and what only the fallback brings in after it. */
  readonly named: readonly Candidate[];
  readonly others: readonly Candidate[];
  /** True if the name means nothing here. */
  readonly unknown: boolean;
}

const TAG_PREFIX = 'tag:';
export const AUTO = 'auto';

/** Resolves `model` to its candidates, before any filter. */
export function selectCandidates(catalog: WorkspaceCatalog, model: string, fallback?: Fallback): Selection {
  const all = () => allCandidates(catalog);
  if (model === AUTO) {
    return { kind: 'AUTO', fallback: fallback ?? 'ANY', named: all(), others: [], unknown: false };
  }
  if (model.startsWith(TAG_PREFIX)) {
    const tagged = catalog.instancesByTag.get(model.slice(TAG_PREFIX.length)) ?? [];
    const chosen = fallback ?? 'ANY';
    const named = tagged.map((instance) => candidateOfInstance(catalog, instance));
    return {
      kind: 'TAG',
      fallback: chosen,
      named,
      // A tag that nothing has is a mistake to be told of, not a wish for anything at all.
      others: chosen === 'ANY' && named.length > 0 ? all() : [],
      unknown: named.length === 0,
    };
  }
  const chosen = fallback ?? 'SAME_MODEL';
  const instance = catalog.instancesBySlug.get(model);
  if (instance) {
    const named = [candidateOfInstance(catalog, instance)];
    const others = chosen === 'NONE' ? [] : chosen === 'ANY' ? all() : ofModel(catalog, instance.canonicalId);
    return { kind: 'INSTANCE', fallback: chosen, named, others, unknown: false };
  }
  const named = ofModel(catalog, model);
  const serving = named.length > 0 ? named : implicitCandidates(catalog, model);
  const others = chosen === 'ANY' ? all() : [];
  const unknown = serving.length === 0 && !catalog.models.has(model);
  return { kind: 'MODEL', fallback: chosen, named: serving, others, unknown };
}

function ofModel(catalog: WorkspaceCatalog, canonicalId: string): Candidate[] {
  const instances = catalog.instancesByModel.get(canonicalId) ?? [];
  return instances.map((instance) => candidateOfInstance(catalog, instance));
}

/** Joined once for each snapshot: planning makes none of them anew. */
const joined = new WeakMap<WorkspaceCatalog, Map<string, Candidate>>();
const everything = new WeakMap<WorkspaceCatalog, readonly Candidate[]>();

export function candidateOfInstance(catalog: WorkspaceCatalog, instance: ModelInstanceRow): Candidate {
  let known = joined.get(catalog);
  if (!known) {
    known = new Map();
    joined.set(catalog, known);
  }
  let candidate = known.get(instance.id);
  if (!candidate) {
    // A foreign key holds the config there.
    const config = catalog.configs.get(instance.configId) as ProviderConfigRow;
    candidate = join(catalog, config, instance.canonicalId, instance);
    known.set(instance.id, candidate);
  }
  return candidate;
}

/** Nothing is charged for it, and no price need be known. */
export function isFree({ instance, spec }: Candidate): boolean {
  return instance?.free ?? spec?.free ?? false;
}

function allCandidates(catalog: WorkspaceCatalog): readonly Candidate[] {
  let all = everything.get(catalog);
  if (!all) {
    all = [...catalog.instances.values()].map((instance) => candidateOfInstance(catalog, instance));
    everything.set(catalog, all);
  }
  return all;
}

/** A model that nobody configured runs on each config of its provider. */
export function implicitCandidates(catalog: WorkspaceCatalog, canonicalId: string): Candidate[] {
  const model = catalog.models.get(canonicalId);
  const configs = model ? (catalog.configsByProvider.get(model.providerKey) ?? []) : [];
  return configs.map((config) => join(catalog, config, canonicalId, undefined));
}

function join(
  catalog: WorkspaceCatalog,
  config: ProviderConfigRow,
  canonicalId: string,
  instance: ModelInstanceRow | undefined,
): Candidate {
  const spec = catalog.providers.get(config.providerKey);
  const model = catalog.models.get(canonicalId);
  return {
    label: instance?.slug ?? `${canonicalId}@${config.name}`,
    instance,
    config,
    spec,
    model,
    canonicalId,
    priority: instance?.priority ?? 0,
    weight: instance?.weight ?? 1,
    protocol: model?.protocol ?? spec?.protocol ?? undefined,
    circuitKey: `${config.id} ${canonicalId}`,
  };
}
