// Owns the order of attempts: pure, so that the same snapshot, health and random numbers give the same plan, with a reason for each place.
//
// 1. What the name stands for (`candidates.ts`), and what the fallback adds behind it.
// 2. Each candidate is kept, or left out with the first reason that holds: off, not able, too dear, excluded, its circuit open.
// 3. Kept ones are ordered: what made the continuation, what was named, the healthy, then higher priority, then a draw by weight.
// 4. If only open circuits are left, the best of them is tried once.
import { createHash } from 'node:crypto';
import type { Nano } from '../../kernel/money.ts';
import type { Unsupported } from '../../providers/contract/adapter.ts';
import type { WorkspaceCatalogue } from '../catalogue/snapshot.ts';
import { mayUse, NOT_ALLOWED } from './allowed-models.ts';
import { type Refusal, refusalOfState, type Speaks } from './candidate-state.ts';
import { type Candidate, type Selection, selectCandidates } from './candidates.ts';
import type { CircuitView } from './circuits.ts';
import type { Fallback, PlannedCandidate, RoutePlan } from './route-plan.ts';

/** Nano-dollars per million tokens. */
export interface PriceBound {
  readonly input?: Nano;
  readonly output?: Nano;
}

export interface RouteInput {
  readonly catalogue: WorkspaceCatalogue;
  readonly model: string;
  readonly fallback?: Fallback;
  readonly needsImages: boolean;
  readonly maxTokens?: number;
  /** A lower bound; what surely does not fit is left out. */
  readonly inputTokensAtLeast: number;
  /** What made the latest continuation of the conversation, if anything. */
  readonly continuation?: {
    readonly instanceId: string | null;
    readonly canonicalId: string;
    readonly protocol: string;
  };
  /** Labels that are not to serve. */
  readonly exclude?: ReadonlySet<string>;
  /** What the caller may use; absent: everything. */
  readonly allowed?: ReadonlySet<string>;
  /** Leaves out what has no price. */
  readonly mustBePriced?: boolean;
  readonly maxPrice?: PriceBound;
  /** What a candidate costs now; `undefined` where that is not known. Asked only where it matters. */
  readonly priceOf?: (candidate: Candidate) => { readonly input: Nano; readonly output: Nano } | undefined;
  /** The same text draws the same candidate, as long as it can serve. */
  readonly stickyKey?: string;
  readonly speaks: Speaks;
  /** What of the request the candidate's protocol cannot express, unless the caller lets it be dropped. */
  readonly unsupportedBy: (candidate: Candidate) => readonly Unsupported[];
  readonly circuitOf: (candidate: Candidate) => CircuitView;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export interface Route {
  readonly plan: RoutePlan;
  /** In the order of their places. */
  readonly candidates: readonly Candidate[];
  readonly unknown: boolean;
}

interface Ranked {
  readonly candidate: Candidate;
  readonly named: boolean;
  readonly continues: number;
  /** 0 well, 1 asked for quiet, 2 failed its health check. */
  readonly ailing: number;
  readonly probing: boolean;
  /** What goes before any priority, as one number; the higher goes first. */
  readonly tier: number;
  readonly draw: number;
}

interface Open {
  readonly candidate: Candidate;
  readonly named: boolean;
  readonly circuit: CircuitView;
}

const NOT_CHOSEN: Refusal = {
  code: 'NOT_NAMED',
  reason: 'Fallback is NONE, and another candidate comes first',
};

export function planRoute(input: RouteInput): Route {
  const selection = selectCandidates(input.catalogue, input.model, input.fallback);
  const kept: Ranked[] = [];
  const open: Open[] = [];
  const leftOut: PlannedCandidate[] = [];
  sift(selection, input, kept, open, leftOut);
  kept.sort(compareRanked);
  const tried = kept.length === 0 ? bestOf(open) : undefined;
  for (const each of open) {
    if (each !== tried) leftOut.push(describe(each.candidate, null, refusalOfOpen(each.circuit)));
  }
  const chosen = selection.fallback === 'NONE' ? kept.slice(0, 1) : kept;
  const placed = placesOf(chosen);
  if (tried) placed.push(describe(tried.candidate, 1, lastResort(tried.circuit)));
  const passedOver = kept.slice(chosen.length).map(({ candidate }) => describe(candidate, null, NOT_CHOSEN));
  const plan: RoutePlan = {
    model: input.model,
    kind: selection.kind,
    fallback: selection.fallback,
    candidates: [...placed, ...passedOver, ...leftOut],
    summary: summarize(input.model, selection, placed, leftOut),
  };
  const candidates = tried ? [tried.candidate] : chosen.map(({ candidate }) => candidate);
  return { plan, candidates, unknown: selection.unknown };
}

/** Each candidate once: what was named before what the fallback brings in. */
function sift(
  { named, others }: Selection,
  input: RouteInput,
  kept: Ranked[],
  open: Open[],
  leftOut: PlannedCandidate[],
): void {
  const take = (candidate: Candidate, isNamed: boolean) => {
    const refusal = refusalOfState(candidate, input.speaks) ?? refusalOfRequest(candidate, input);
    if (refusal) {
      leftOut.push(describe(candidate, null, refusal));
      return;
    }
    const circuit = input.circuitOf(candidate);
    if (circuit.state === 'OPEN') open.push({ candidate, named: isNamed, circuit });
    else kept.push(rank(candidate, isNamed, circuit, input));
  };
  for (const candidate of named) take(candidate, true);
  if (others.length === 0) return;
  const taken = new Set(named);
  for (const candidate of others) if (!taken.has(candidate)) take(candidate, false);
}

function refusalOfRequest(candidate: Candidate, input: RouteInput): Refusal | undefined {
  const { model } = candidate;
  if (!model) return undefined;
  if (input.allowed && !mayUse(candidate, input.allowed)) return NOT_ALLOWED;
  if (input.exclude?.has(candidate.label)) {
    return { code: 'EXCLUDED', reason: 'The request excludes it' };
  }
  if (!model.outputModalities.includes('text')) {
    return {
      code: 'OUTPUT_NOT_TEXT',
      reason: `The model "${model.canonicalId}" gives ${model.outputModalities.join(', ')}, not text`,
    };
  }
  if (input.needsImages && !model.inputModalities.includes('image')) {
    return { code: 'CAPABILITY_MISSING', reason: `The model "${model.canonicalId}" takes no images` };
  }
  if (model.contextLength && input.inputTokensAtLeast > model.contextLength) {
    return {
      code: 'CONTEXT_TOO_SMALL',
      reason: `The input has at least ${input.inputTokensAtLeast} tokens; "${model.canonicalId}" takes ${model.contextLength}`,
    };
  }
  if (model.maxOutputTokens && input.maxTokens && input.maxTokens > model.maxOutputTokens) {
    return {
      code: 'MAX_TOKENS_TOO_HIGH',
      reason: `parameters.maxTokens is ${input.maxTokens}; "${model.canonicalId}" gives at most ${model.maxOutputTokens}`,
    };
  }
  const [unsupported] = input.unsupportedBy(candidate);
  if (unsupported) {
    return { code: 'CAPABILITY_MISSING', reason: `${unsupported.path}: ${unsupported.message}` };
  }
  if (input.mustBePriced && !input.priceOf?.(candidate)) {
    return {
      code: 'UNPRICED',
      reason: `No price of "${candidate.canonicalId}" is known, and it has to be paid for; set one, or mark the instance as free`,
    };
  }
  return input.maxPrice ? refusalOfPrice(candidate, input.maxPrice, input) : undefined;
}

function refusalOfPrice(candidate: Candidate, bound: PriceBound, input: RouteInput): Refusal | undefined {
  const price = input.priceOf?.(candidate);
  if (!price) {
    return {
      code: 'OVER_PRICE',
      reason: `No price of "${candidate.canonicalId}" is known, and the request bounds it`,
    };
  }
  const dearer =
    (bound.input !== undefined && price.input > bound.input && 'input') ||
    (bound.output !== undefined && price.output > bound.output && 'output');
  if (!dearer) return undefined;
  return {
    code: 'OVER_PRICE',
    reason: `The ${dearer} of "${candidate.canonicalId}" costs more than the request allows`,
  };
}

function rank(candidate: Candidate, named: boolean, circuit: CircuitView, input: RouteInput): Ranked {
  const { continuation, stickyKey } = input;
  const made = continuation !== undefined && continuation.instanceId === (candidate.instance?.id ?? null);
  const fits =
    continuation !== undefined &&
    continuation.canonicalId === candidate.canonicalId &&
    continuation.protocol === candidate.protocol;
  const uniform = stickyKey === undefined ? input.random() : uniformOf(stickyKey, candidate.label);
  const continues = fits ? (made ? 2 : 1) : 0;
  const ailing = candidate.config.health === 'UNHEALTHY' ? 2 : circuit.quietUntilMs === null ? 0 : 1;
  return {
    candidate,
    named,
    continues,
    ailing,
    tier: continues * 8 + (named ? 4 : 0) - ailing,
    probing: circuit.state === 'HALF_OPEN',
    // Weighted sampling without replacement (Efraimidis and Spirakis): the largest of u^(1/w) first.
    draw:
      candidate.weight > 0
        ? Math.log(uniform || Number.MIN_VALUE) / candidate.weight
        : Number.NEGATIVE_INFINITY,
  };
}

/** Rendezvous hashing: who comes or goes moves nobody else's choice. */
function uniformOf(stickyKey: string, label: string): number {
  const digest = createHash('sha256').update(stickyKey).update('\0').update(label).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

function compareRanked(a: Ranked, b: Ranked): number {
  return (
    b.tier - a.tier ||
    b.candidate.priority - a.candidate.priority ||
    (a.draw === b.draw ? 0 : b.draw > a.draw ? 1 : -1)
  );
}

function bestOf(open: readonly Open[]): Open | undefined {
  return open.reduce<Open | undefined>((best, each) => {
    if (!best) return each;
    const better =
      Number(each.named) - Number(best.named) || each.candidate.priority - best.candidate.priority;
    return better > 0 ? each : best;
  }, undefined);
}

function placesOf(chosen: readonly Ranked[]): PlannedCandidate[] {
  const rivals = new Map<number, number>();
  let named = 0;
  for (const each of chosen) {
    if (!each.named) continue;
    named += 1;
    rivals.set(each.candidate.priority, (rivals.get(each.candidate.priority) ?? 0) + 1);
  }
  return chosen.map((ranked, index) =>
    describe(ranked.candidate, index + 1, reasonOfPlace(ranked, index, named, rivals)),
  );
}

function reasonOfPlace(
  ranked: Ranked,
  index: number,
  named: number,
  rivals: ReadonlyMap<number, number>,
): Refusal {
  const { candidate, continues, ailing, probing } = ranked;
  const { priority, weight } = candidate;
  if (continues > 0)
    return { code: 'CONTINUATION', reason: 'It made, or can take up, the conversation’s continuation' };
  if (ailing === 2)
    return {
      code: 'UNHEALTHY_LAST',
      reason: 'Its last health check failed, so it is tried after the others',
    };
  if (ailing === 1)
    return { code: 'QUIET_LAST', reason: 'Its provider asked for quiet, so it is tried after the others' };
  if (probing)
    return { code: 'PROBE', reason: 'Its circuit lets one call through to see whether it has recovered' };
  if (!ranked.named) return { code: 'FALLBACK', reason: `Fallback, with priority ${priority}` };
  const same = rivals.get(priority) ?? 1;
  if (same > 1) {
    return { code: 'WEIGHT', reason: `Priority ${priority}, drawn by weight ${weight} among ${same}` };
  }
  if (named === 1) return { code: 'NAMED', reason: 'It is what was asked for' };
  return { code: 'PRIORITY', reason: `Priority ${priority}${index === 0 ? ', the highest' : ''}` };
}

function refusalOfOpen({ reason }: CircuitView): Refusal {
  return {
    code: 'CIRCUIT_OPEN',
    reason: `Its circuit is open for some seconds: ${reason ?? 'it kept failing'}`,
  };
}

function lastResort({ reason }: CircuitView): Refusal {
  return {
    code: 'LAST_RESORT',
    reason: `Its circuit is open (${reason ?? 'it kept failing'}), but so is every other; it is tried once`,
  };
}

function describe(candidate: Candidate, place: number | null, { code, reason }: Refusal): PlannedCandidate {
  return {
    place,
    label: candidate.label,
    instanceId: candidate.instance?.id ?? null,
    configId: candidate.config.id,
    canonicalId: candidate.canonicalId,
    priority: candidate.priority,
    weight: candidate.weight,
    code,
    reason,
  };
}

/** Names in a sentence; a long list is cut. */
const MOST_NAMES = 5;

function summarize(
  model: string,
  selection: Selection,
  placed: readonly PlannedCandidate[],
  leftOut: readonly PlannedCandidate[],
): string {
  const [first, ...rest] = placed;
  if (!first) {
    const why = leftOut[0];
    if (selection.unknown) return `"${model}" names nothing that is known here.`;
    return why
      ? `"${model}" cannot be served: ${why.reason}.`
      : `"${model}" is known, but nothing is configured to serve it.`;
  }
  const names = rest.slice(0, MOST_NAMES).map(({ label }) => `"${label}"`);
  const more = rest.length > MOST_NAMES ? ` and ${rest.length - MOST_NAMES} more` : '';
  const next = rest.length > 0 ? `, then ${names.join(', ')}${more}` : '';
  const without = leftOut.length > 0 ? `; ${leftOut.length} left out` : '';
  return `"${model}" is served by "${first.label}" (${first.reason.charAt(0).toLowerCase()}${first.reason.slice(1)})${next}${without}.`;
}
