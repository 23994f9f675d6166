// Owns the order of attempts: pure, so that the same snapshot, health and random numbers give the same plan, with a reason for each place.
//
// 1. What the name stands for (`candidates.ts`), and what the fallback adds behind it.
// 2. Each candidate is kept, or left out with the first reason that holds: off, not able, too dear, excluded, its circuit open.
// 3. Kept ones are ordered: closed circuits before half-open ones, what made the continuation, what was named, the healthy, then higher priority, then a
// draw by weight.
// 4. If only open circuits are left, the best of them is tried once.
import { createHash } from 'node:crypto';
import type { Nano } from '../../kernel/money.ts';
import type { Unsupported } from '../../providers/contract/completions.ts';
import type { WorkspaceCatalogue } from '../catalogue/snapshot.ts';
import { mayUse, NOT_ALLOWED } from './allowed-models.ts';
import { type Refusal, refusalOfState, type Speaks } from './candidate-state.ts';
import { type Candidate, type Selection, selectCandidates } from './candidates.ts';
import type { CircuitView } from './circuits.ts';
import type { ModelNeeds } from './model-needs.ts';
import { describe, lastResort, type PlaceFacts, placesOf, refusalOfOpen, summarize } from './plan-words.ts';
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
  readonly needs: ModelNeeds;
  /** Labels of candidates that must not be called. */
  readonly exclude?: ReadonlySet<string>;
  /** The models that the caller may use; absent: all. */
  readonly allowed?: ReadonlySet<string>;
  /** True: candidates without a price are left out. */
  readonly mustBePriced?: boolean;
  readonly maxPrice?: PriceBound;
  /** What the candidate costs now; `undefined` if that is not known. It is called only if a price matters. */
  readonly priceOf?: (candidate: Candidate) => { readonly input: Nano; readonly output: Nano } | undefined;
  /** Requests with the same text get the same candidate while it can serve. */
  readonly stickyKey?: string;
  readonly speaks: Speaks;
  /** Whether the adapter of a protocol has the kind of call that is asked for. */
  readonly offers: Speaks;
  /** The kind of call in one word, for messages: `completion`. */
  readonly callName: string;
  /** Whether the answers of a protocol are simulated; absent: no protocol is. */
  readonly isSimulated?: (protocol: string) => boolean;
  /** The parts of the request that the candidate's protocol cannot express; empty if the caller lets them be dropped. */
  readonly unsupportedBy: (candidate: Candidate) => readonly Unsupported[];
  readonly circuitOf: (candidate: Candidate) => CircuitView;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export interface Route {
  readonly plan: RoutePlan;
  /** The candidates to call, in the order of their places. */
  readonly candidates: readonly Candidate[];
  /** Candidates that could serve but whose circuit is half open, the best first. */
  readonly halfOpen: readonly Candidate[];
  readonly unknown: boolean;
}

interface Ranked extends PlaceFacts {
  /** The rank that counts before any priority, as one number; the higher goes first. */
  readonly tier: number;
  readonly draw: number;
}

interface Open {
  readonly candidate: Candidate;
  readonly named: boolean;
  readonly circuit: CircuitView;
}

/** Added to the rank of a half-open circuit: a request is not used as a probe while a candidate with a closed circuit waits. */
const BEHIND_ALL = 100;
const SIMULATED: Refusal = {
  code: 'SIMULATED',
  reason: 'Its model is simulated: it answers requests that name it, and never stands in for a real one',
};
const NOT_CHOSEN: Refusal = {
  code: 'NOT_NAMED',
  reason: 'Fallback is NONE, and another candidate comes first',
};

export function planRoute(input: RouteInput): Route {
  const selection = withinAllowed(
    selectCandidates(input.catalogue, input.model, input.fallback),
    input.allowed,
  );
  const kept: Ranked[] = [];
  const open: Open[] = [];
  const leftOut: PlannedCandidate[] = [];
  sift(selection, input, kept, open, leftOut);
  kept.sort(compareRanked);
  const tried = kept.length === 0 ? bestOf(open) : undefined;
  for (const each of open) {
    if (each !== tried) {
      leftOut.push(describe(each.candidate, null, !each.named, refusalOfOpen(each.circuit)));
    }
  }
  const chosen = selection.fallback === 'NONE' ? kept.slice(0, 1) : kept;
  const placed = placesOf(chosen);
  if (tried) placed.push(describe(tried.candidate, 1, !tried.named, lastResort(tried.circuit)));
  const passedOver = kept
    .slice(chosen.length)
    .map(({ candidate, named }) => describe(candidate, null, !named, NOT_CHOSEN));
  const planned = [...placed, ...passedOver, ...leftOut];
  const plan: RoutePlan = {
    model: input.model,
    kind: selection.kind,
    fallback: selection.fallback,
    candidates: planned,
    summary: summarize(input.model, selection, placed, leftOut, planned),
  };
  return {
    plan,
    candidates: tried ? [tried.candidate] : chosen.map(({ candidate }) => candidate),
    halfOpen: kept.filter(({ probing }) => probing).map(({ candidate }) => candidate),
    unknown: selection.unknown,
  };
}

/** If the caller may use none of the candidates that it named, the request is refused; the fallback does not replace them by candidates that it may use. */
function withinAllowed(selection: Selection, allowed: RouteInput['allowed']): Selection {
  const { named } = selection;
  if (!allowed || named.length === 0 || named.some((candidate) => mayUse(candidate, allowed))) {
    return selection;
  }
  return { ...selection, others: [] };
}

/** Sorts the candidates into kept, open and left out; each one appears once, the named ones before those that the fallback adds. */
function sift(
  selection: Selection,
  input: RouteInput,
  kept: Ranked[],
  open: Open[],
  leftOut: PlannedCandidate[],
): void {
  const { named, others, kind } = selection;
  const take = (candidate: Candidate, isNamed: boolean) => {
    const refusal = refusalOf(candidate, isNamed && kind !== 'AUTO', selection, input);
    if (refusal) {
      leftOut.push(describe(candidate, null, !isNamed, refusal));
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

function refusalOf(
  candidate: Candidate,
  isNamed: boolean,
  selection: Selection,
  input: RouteInput,
): Refusal | undefined {
  if (input.allowed && !mayUse(candidate, input.allowed)) return NOT_ALLOWED;
  const refusal = refusalOfState(candidate, input.speaks);
  if (refusal) return refusal;
  if (!isNamed && isSimulated(candidate, input) && standsIn(candidate, selection, input)) return SIMULATED;
  return refusalOfRequest(candidate, input);
}

function isSimulated({ protocol }: Candidate, input: RouteInput): boolean {
  return protocol !== undefined && (input.isSimulated?.(protocol) ?? false);
}

/** True if a simulated model would answer in place of a real one: `auto` uses a simulated model only if the caller may use no real one. */
function standsIn({ canonicalId }: Candidate, { kind, named }: Selection, input: RouteInput): boolean {
  const { allowed } = input;
  return kind === 'AUTO'
    ? named.some((other) => !isSimulated(other, input) && (!allowed || mayUse(other, allowed)))
    : !named.some((other) => other.canonicalId === canonicalId);
}

function refusalOfRequest(candidate: Candidate, input: RouteInput): Refusal | undefined {
  const { model, protocol } = candidate;
  const { needs } = input;
  if (!model) return undefined;
  if (input.exclude?.has(candidate.label)) {
    return { code: 'EXCLUDED', reason: 'The request excludes it' };
  }
  if (!model.outputModalities.includes(needs.output)) {
    return {
      code: 'OUTPUT_NOT_TEXT',
      reason: `The model "${model.canonicalId}" gives ${model.outputModalities.join(', ')}, not ${needs.output}`,
    };
  }
  if (protocol !== undefined && !input.offers(protocol)) {
    return {
      code: 'CAPABILITY_MISSING',
      reason: `The protocol "${protocol}" offers no ${input.callName}s here; call another model`,
    };
  }
  const lacking = needs.inputs.find((modality) => !model.inputModalities.includes(modality));
  if (lacking !== undefined) {
    return { code: 'CAPABILITY_MISSING', reason: `The model "${model.canonicalId}" takes no ${lacking}s` };
  }
  if (model.contextLength && needs.inputTokensAtLeast > model.contextLength) {
    return {
      code: 'CONTEXT_TOO_SMALL',
      reason: `The input has at least ${needs.inputTokensAtLeast} tokens; "${model.canonicalId}" takes ${model.contextLength}`,
    };
  }
  if (model.maxOutputTokens && needs.maxTokens && needs.maxTokens > model.maxOutputTokens) {
    return {
      code: 'MAX_TOKENS_TOO_HIGH',
      reason: `parameters.maxTokens is ${needs.maxTokens}; "${model.canonicalId}" gives at most ${model.maxOutputTokens}`,
    };
  }
  const [unsupported] = input.unsupportedBy(candidate);
  if (unsupported) {
    return { code: 'CAPABILITY_MISSING', reason: `${unsupported.path}: ${unsupported.message}` };
  }
  if (input.mustBePriced && !input.priceOf?.(candidate)) {
    return {
      code: 'UNPRICED',
      reason: `No price of "${candidate.canonicalId}" is known, but an account or a budget has to pay for it; set one, or mark the instance as free`,
    };
  }
  return input.maxPrice ? refusalOfPrice(candidate, input.maxPrice, input) : undefined;
}

function refusalOfPrice(candidate: Candidate, bound: PriceBound, input: RouteInput): Refusal | undefined {
  const price = input.priceOf?.(candidate);
  if (!price) {
    return {
      code: 'OVER_PRICE',
      reason: `No price of "${candidate.canonicalId}" is known, and the request sets a maximum price`,
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
  const { stickyKey } = input;
  const { continuation } = input.needs;
  const made = continuation !== undefined && continuation.instanceId === (candidate.instance?.id ?? null);
  const fits =
    continuation !== undefined &&
    continuation.canonicalId === candidate.canonicalId &&
    continuation.protocol === candidate.protocol;
  const uniform = stickyKey === undefined ? input.random() : uniformOf(stickyKey, candidate.label);
  const continues = fits ? (made ? 2 : 1) : 0;
  const probing = circuit.state === 'HALF_OPEN';
  const ailing = candidate.config.health === 'UNHEALTHY' ? 2 : circuit.quietUntilMs === null ? 0 : 1;
  return {
    candidate,
    named,
    continues,
    ailing,
    tier: continues * 8 + (named ? 4 : 0) - ailing - (probing ? BEHIND_ALL : 0),
    probing,
    // Weighted sampling without replacement (Efraimidis and Spirakis): the largest of u^(1/w) first.
    draw:
      candidate.weight > 0
        ? Math.log(uniform || Number.MIN_VALUE) / candidate.weight
        : Number.NEGATIVE_INFINITY,
  };
}

/** Rendezvous hashing: when one candidate comes or goes, the choice changes only for sticky keys that are mapped to it. */
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
