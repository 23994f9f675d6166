// Owns suggestions for an unknown name: similar names that the caller may use, and the reason why each cannot be called, if it cannot.
import type { WorkspaceCatalogue } from '../catalogue/snapshot.ts';
import { mayUse } from './allowed-models.ts';
import { needsSecret, refusalOfState, type Speaks } from './candidate-state.ts';
import { type Candidate, candidateOfInstance, candidatesOfModel, TAG_PREFIX } from './candidates.ts';

export interface NearName {
  readonly name: string;
  /** What is missing before it can be called, in a sentence; `null`: it can be called. */
  readonly lack: string | null;
}

interface Near {
  readonly name: string;
  /** How far the name is from the one that was asked for; 0: a model with exactly this key, at some provider. */
  readonly distance: number;
  /** True if its provider made the model. It is suggested before the same model at a provider that resells it. */
  readonly isMaker: boolean;
  readonly lack: () => string | null;
}

export interface NearNamesInput {
  readonly catalogue: WorkspaceCatalogue;
  readonly asked: string;
  /** The models that the caller may use; absent: all. */
  readonly allowed: ReadonlySet<string> | undefined;
  readonly speaks: Speaks;
  /** The modality that the request needs; models that do not give it are not suggested. */
  readonly output: string;
}

const MOST = 3;
const LONGEST_ASKED = 100;
/** Bounds the work for a wrong name to a few milliseconds, however many models are known. */
const MOST_COMPARED = 5_000;
const MOST_EXAMINED = 20;

export function nearNames(input: NearNamesInput): NearName[] {
  const { catalogue } = input;
  const asked = input.asked.trim().toLowerCase();
  if (asked.length > LONGEST_ASKED) return [];
  const found: Near[] = [];
  for (const [slug, instance] of catalogue.instancesBySlug) {
    const candidate = candidateOfInstance(catalogue, instance);
    add(found, slug, distanceOf(asked, slug), [candidate], input);
  }
  for (const [tag, instances] of catalogue.instancesByTag) {
    const bare = asked.startsWith(TAG_PREFIX) ? asked.slice(TAG_PREFIX.length) : asked;
    const candidates = instances.map((instance) => candidateOfInstance(catalogue, instance));
    add(found, `${TAG_PREFIX}${tag}`, distanceOf(bare, tag), candidates, input);
  }
  let compared = 0;
  for (const canonicalId of catalogue.models.keys()) {
    compared += 1;
    if (compared > MOST_COMPARED) break;
    const distance = distanceOfModel(asked, canonicalId.toLowerCase());
    if (distance !== undefined) addModel(found, canonicalId, distance, input);
  }
  return found
    .sort(compareNear)
    .slice(0, MOST_EXAMINED)
    .map(({ lack, ...rest }) => ({ ...rest, lack: lack() }))
    .sort((a, b) => a.distance - b.distance || Number(a.lack !== null) - Number(b.lack !== null))
    .slice(0, MOST)
    .map(({ name, lack }) => ({ name, lack }));
}

/** What is missing before a known model can be called, in a sentence; `null` if nothing is. */
export function lackOfModel(
  catalogue: WorkspaceCatalogue,
  canonicalId: string,
  speaks: Speaks,
): string | null {
  const candidates = candidatesOfModel(catalogue, canonicalId);
  if (candidates.length > 0) return lackOf(candidates, speaks);
  const providerKey = catalogue.models.get(canonicalId)?.providerKey ?? '';
  const spec = catalogue.providers.get(providerKey);
  if (!spec?.enabled) return `The provider "${providerKey}" is switched off here`;
  if (!spec.protocol || !speaks(spec.protocol)) {
    return `The provider "${providerKey}" cannot be called: ${spec.unservableReason ?? 'this node does not speak its protocol'}`;
  }
  const { secret } = spec.envVars as { readonly secret?: readonly string[] };
  const variable = secret?.[0] ? `, or set ${secret[0]} for the workspace "default" and start again` : '';
  return needsSecret(spec.auth)
    ? `It lacks a credential: create a provider config for "${providerKey}"${variable}`
    : `It lacks a provider config: create one for "${providerKey}"`;
}

function lackOf(candidates: readonly Candidate[], speaks: Speaks): string | null {
  const refusals = candidates.map((candidate) => refusalOfState(candidate, speaks)?.reason ?? null);
  return refusals.includes(null) ? null : (refusals[0] ?? null);
}

function add(
  found: Near[],
  name: string,
  distance: number | undefined,
  candidates: readonly Candidate[],
  { allowed, speaks }: NearNamesInput,
): void {
  if (distance === undefined) return;
  const usable = allowed ? candidates.filter((candidate) => mayUse(candidate, allowed)) : candidates;
  if (usable.length > 0) found.push({ name, distance, isMaker: false, lack: () => lackOf(usable, speaks) });
}

function addModel(
  found: Near[],
  canonicalId: string,
  distance: number,
  { catalogue, allowed, speaks, output }: NearNamesInput,
): void {
  const model = catalogue.models.get(canonicalId);
  if (!model?.available || !model.outputModalities.includes(output)) return;
  const { providerKey } = model;
  const isNamed = !allowed || allowed.has(canonicalId) || allowed.has(`${providerKey}/*`);
  if (
    !isNamed &&
    !candidatesOfModel(catalogue, canonicalId).some((candidate) => mayUse(candidate, allowed))
  ) {
    return;
  }
  const isMaker = catalogue.providers.get(providerKey)?.category === 'lab';
  const lack = () => lackOfModel(catalogue, canonicalId, speaks);
  found.push({ name: canonicalId, distance, isMaker, lack });
}

/** Nearer names first, then the maker of a model, then the shorter name. Among equally good ones, those that can be called go first. */
function compareNear(a: Near, b: Near): number {
  return (
    a.distance - b.distance ||
    Number(b.isMaker) - Number(a.isMaker) ||
    a.name.length - b.name.length ||
    a.name.localeCompare(b.name)
  );
}

/** 0 if the model's name is the same, at any provider, with or without its maker's name before it. */
function distanceOfModel(asked: string, canonicalId: string): number | undefined {
  const key = canonicalId.slice(canonicalId.indexOf('/') + 1);
  const bareKey = key.slice(key.lastIndexOf('/') + 1);
  const bareAsked = asked.slice(asked.lastIndexOf('/') + 1);
  if (bareKey === bareAsked) return 0;
  return distanceOf(asked, asked.includes('/') ? canonicalId : bareKey);
}

/** Two rows of the table that the comparison fills; they are kept between calls, because thousands of names are compared at once. */
let before = new Uint8Array(LONGEST_ASKED + 4);
let now = new Uint8Array(LONGEST_ASKED + 4);

/** The number of letters to insert, remove or replace; `undefined` if there are too many for a typing mistake. */
function distanceOf(asked: string, name: string): number | undefined {
  const most = Math.min(2, Math.floor(asked.length / 4));
  if (Math.abs(asked.length - name.length) > most) return undefined;
  for (let column = 0; column <= name.length; column += 1) before[column] = column;
  for (let row = 1; row <= asked.length; row += 1) {
    now[0] = row;
    let least = row;
    for (let column = 1; column <= name.length; column += 1) {
      const diagonal = before[column - 1] ?? 0;
      const same = asked.charCodeAt(row - 1) === name.charCodeAt(column - 1);
      const cost = same ? diagonal : 1 + Math.min(diagonal, before[column] ?? 0, now[column - 1] ?? 0);
      now[column] = cost;
      if (cost < least) least = cost;
    }
    if (least > most) return undefined;
    [before, now] = [now, before];
  }
  const distance = before[name.length] ?? 0;
  return distance <= most ? distance : undefined;
}
