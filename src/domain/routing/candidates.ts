// Owns which configured models a name stands for, joined with all that a call of each needs to know.
import type {
  ModelInstanceRow,
  ModelSpecRow,
  ProviderConfigRow,
  ProviderSpecRow,
  WorkspaceCatalogue,
} from '../catalogue/snapshot.ts';
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

export const TAG_PREFIX = 'tag:';
export const AUTO = 'auto';

/** Resolves `model` to its candidates, before any filter. */
export function selectCandidates(
  catalogue: WorkspaceCatalogue,
  model: string,
  fallback?: Fallback,
): Selection {
  const all = () => allCandidates(catalogue);
  if (model === AUTO) {
    return { kind: 'AUTO', fallback: fallback ?? 'ANY', named: all(), others: [], unknown: false };
  }
  if (model.startsWith(TAG_PREFIX)) {
    const tagged = catalogue.instancesByTag.get(model.slice(TAG_PREFIX.length)) ?? [];
    const chosen = fallback ?? 'ANY';
    const named = tagged.map((instance) => candidateOfInstance(catalogue, instance));
    return {
      kind: 'TAG',
      fallback: chosen,
      named,
      // No instance has the tag: the caller is told so, and no other instance answers in its place.
      others: chosen === 'ANY' && named.length > 0 ? all() : [],
      unknown: named.length === 0,
    };
  }
  const chosen = fallback ?? 'SAME_MODEL';
  const instance = catalogue.instancesBySlug.get(model);
  if (instance) {
    const named = [candidateOfInstance(catalogue, instance)];
    const others =
      chosen === 'NONE' ? [] : chosen === 'ANY' ? all() : ofModel(catalogue, instance.canonicalId);
    return { kind: 'INSTANCE', fallback: chosen, named, others, unknown: false };
  }
  const serving = candidatesOfModel(catalogue, model);
  const others = chosen === 'ANY' ? all() : [];
  const unknown = serving.length === 0 && !catalogue.models.has(model);
  return { kind: 'MODEL', fallback: chosen, named: serving, others, unknown };
}

function ofModel(catalogue: WorkspaceCatalogue, canonicalId: string): Candidate[] {
  const instances = catalogue.instancesByModel.get(canonicalId) ?? [];
  return instances.map((instance) => candidateOfInstance(catalogue, instance));
}

/** Joined once for each snapshot: planning makes none of them anew. */
const joined = new WeakMap<WorkspaceCatalogue, Map<string, Candidate>>();
const everything = new WeakMap<WorkspaceCatalogue, readonly Candidate[]>();

export function candidateOfInstance(catalogue: WorkspaceCatalogue, instance: ModelInstanceRow): Candidate {
  let known = joined.get(catalogue);
  if (!known) {
    known = new Map();
    joined.set(catalogue, known);
  }
  let candidate = known.get(instance.id);
  if (!candidate) {
    // The database's foreign key keeps the config from being deleted before its instances.
    const config = catalogue.configs.get(instance.configId) as ProviderConfigRow;
    candidate = join(catalogue, config, instance.canonicalId, instance);
    known.set(instance.id, candidate);
  }
  return candidate;
}

/** Nothing is charged for it, and no price need be known. */
export function isFree({ instance, spec }: Candidate): boolean {
  return instance?.free ?? spec?.free ?? false;
}

function allCandidates(catalogue: WorkspaceCatalogue): readonly Candidate[] {
  let all = everything.get(catalogue);
  if (!all) {
    all = [...catalogue.instances.values()].map((instance) => candidateOfInstance(catalogue, instance));
    everything.set(catalogue, all);
  }
  return all;
}

/** What serves a model: its instances, else each config of its provider. */
export function candidatesOfModel(catalogue: WorkspaceCatalogue, canonicalId: string): Candidate[] {
  const instances = ofModel(catalogue, canonicalId);
  return instances.length > 0 ? instances : implicitCandidates(catalogue, canonicalId);
}

/** A model that nobody configured runs on each config of its provider. */
function implicitCandidates(catalogue: WorkspaceCatalogue, canonicalId: string): Candidate[] {
  const model = catalogue.models.get(canonicalId);
  const configs = model ? (catalogue.configsByProvider.get(model.providerKey) ?? []) : [];
  return configs.map((config) => join(catalogue, config, canonicalId, undefined));
}

function join(
  catalogue: WorkspaceCatalogue,
  config: ProviderConfigRow,
  canonicalId: string,
  instance: ModelInstanceRow | undefined,
): Candidate {
  const spec = catalogue.providers.get(config.providerKey);
  const model = catalogue.models.get(canonicalId);
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
