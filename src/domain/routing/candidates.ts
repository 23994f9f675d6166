// Owns which candidates a name stands for, each joined with everything that a call of it needs to know.
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
  /** Key of the circuit of its config and model. */
  readonly circuitKey: string;
}

export interface Selection {
  readonly kind: SelectionKind;
  readonly fallback: Fallback;
  /** The candidates that the name stands for; `others` are those that only the fallback adds. */
  readonly named: readonly Candidate[];
  readonly others: readonly Candidate[];
  /** True if no instance, model or tag has the name. */
  readonly unknown: boolean;
}

export const TAG_PREFIX = 'tag:';
export const AUTO = 'auto';

/** Finds the candidates of `model`; none is left out yet. */
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

/** Candidates are joined once for each snapshot, so planning makes no new ones. */
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

/** True if calls of the candidate are charged nothing; it then needs no price. */
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

/** The candidates that serve a model: its instances, or else each config of its provider. */
export function candidatesOfModel(catalogue: WorkspaceCatalogue, canonicalId: string): Candidate[] {
  const instances = ofModel(catalogue, canonicalId);
  return instances.length > 0 ? instances : implicitCandidates(catalogue, canonicalId);
}

/** A model without an instance can be called through each config of its provider. */
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
