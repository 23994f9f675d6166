// Owns the order of attempts: pure, so that the same snapshot, health and random numbers give the same plan, with a reason for each place.
//
// 1. What the name stands for (`candidates.ts`), and what the fallback adds behind it.
// 2. Each candidate is kept, or left out with the first reason that holds.
// 3. Kept ones are ordered: what made the continuation, then health, then higher priority, then a draw by weight.
// 4. Named ones go before what only the fallback brings in.
import type { Unsupported } from '../../providers/contract.ts';
import type { WorkspaceCatalog } from '../catalog/snapshot.ts';
import { type Candidate, type Selection, selectCandidates } from './candidates.ts';
import type { Fallback, PlannedCandidate, ReasonCode, RoutePlan } from './route-plan.ts';

export interface RouteInput {
  readonly catalog: WorkspaceCatalog;
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
  /** Whether this node speaks the protocol. */
  readonly speaks: (protocol: string) => boolean;
  /** What of the request the candidate's protocol cannot express, unless the caller lets it be dropped. */
  readonly unsupportedBy: (candidate: Candidate) => readonly Unsupported[];
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export interface Route {
  readonly plan: RoutePlan;
  /** In the order of their places. */
  readonly candidates: readonly Candidate[];
  readonly unknown: boolean;
}

interface Refusal {
  readonly code: ReasonCode;
  readonly reason: string;
}

interface Ranked {
  readonly candidate: Candidate;
  readonly named: boolean;
  readonly continues: number;
  readonly unhealthy: boolean;
  readonly draw: number;
}

export function planRoute(input: RouteInput): Route {
  const selection = selectCandidates(input.catalog, input.model, input.fallback);
  const kept: Ranked[] = [];
  const leftOut: PlannedCandidate[] = [];
  const seen = new Set<string>();
  for (const [candidates, named] of [
    [selection.named, true],
    [selection.others, false],
  ] as const) {
    for (const candidate of candidates) {
      if (seen.has(candidate.label)) continue;
      seen.add(candidate.label);
      const refusal = refusalOf(candidate, input);
      if (refusal) leftOut.push(describe(candidate, null, refusal));
      else kept.push(rank(candidate, named, input));
    }
  }
  kept.sort(compareRanked);
  const chosen = selection.fallback === 'NONE' ? kept.slice(0, 1) : kept;
  const notChosen = kept.slice(chosen.length);
  const placed = chosen.map((ranked, index) =>
    describe(ranked.candidate, index + 1, reasonOfPlace(ranked, index, chosen)),
  );
  const passedOver = notChosen.map(({ candidate }) =>
    describe(candidate, null, {
      code: 'NOT_NAMED',
      reason: 'Fallback is NONE, and another candidate comes first',
    }),
  );
  const plan: RoutePlan = {
    model: input.model,
    kind: selection.kind,
    fallback: selection.fallback,
    candidates: [...placed, ...passedOver, ...leftOut],
    summary: summarize(input.model, selection, placed, leftOut),
  };
  return { plan, candidates: chosen.map(({ candidate }) => candidate), unknown: selection.unknown };
}

/** The first reason why a candidate cannot serve, if there is one. */
function refusalOf(candidate: Candidate, input: RouteInput): Refusal | undefined {
  return refusalOfState(candidate, input) ?? refusalOfRequest(candidate, input);
}

function refusalOfState(candidate: Candidate, input: RouteInput): Refusal | undefined {
  const { instance, config, spec, model, protocol } = candidate;
  if (instance && !instance.enabled) {
    return {
      code: 'INSTANCE_DISABLED',
      reason: `The instance "${instance.slug}" is switched off; enable it to call it`,
    };
  }
  if (!config.enabled) {
    return {
      code: 'CONFIG_DISABLED',
      reason: `The provider config "${config.name}" is switched off; enable it to call its models`,
    };
  }
  if (!spec?.enabled) {
    return { code: 'PROVIDER_DISABLED', reason: `The provider "${config.providerKey}" is switched off here` };
  }
  if (!model) {
    return {
      code: 'MODEL_MISSING',
      reason: `The catalogue has no model "${candidate.canonicalId}"; create or sync it`,
    };
  }
  if (!model.available) {
    return {
      code: 'MODEL_UNAVAILABLE',
      reason: `The model "${model.canonicalId}" is switched off or was withdrawn by its provider`,
    };
  }
  if (protocol === undefined || !input.speaks(protocol)) {
    const why =
      protocol === undefined
        ? (spec.unservableReason ?? 'no protocol is set')
        : `this node does not speak "${protocol}"`;
    return { code: 'PROTOCOL_MISSING', reason: `The provider "${spec.key}" cannot be called: ${why}` };
  }
  if (!config.secret && needsSecret(spec.auth)) {
    return { code: 'NO_CREDENTIALS', reason: `The provider config "${config.name}" has no secret; set one` };
  }
  return undefined;
}

function refusalOfRequest(candidate: Candidate, input: RouteInput): Refusal | undefined {
  const { model } = candidate;
  if (!model) return undefined;
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
  if (unsupported)
    return { code: 'CAPABILITY_MISSING', reason: `${unsupported.path}: ${unsupported.message}` };
  return undefined;
}

function needsSecret(auth: unknown): boolean {
  const scheme = auth as { readonly type: string; readonly optional?: boolean };
  return scheme.type !== 'none' && scheme.optional !== true;
}

function rank(candidate: Candidate, named: boolean, input: RouteInput): Ranked {
  const { continuation } = input;
  const made = continuation !== undefined && continuation.instanceId === (candidate.instance?.id ?? null);
  const fits =
    continuation !== undefined &&
    continuation.canonicalId === candidate.canonicalId &&
    continuation.protocol === candidate.protocol;
  return {
    candidate,
    named,
    continues: fits ? (made ? 2 : 1) : 0,
    unhealthy: candidate.config.health === 'UNHEALTHY',
    // Weighted sampling without replacement (Efraimidis and Spirakis): the largest of u^(1/w) first.
    draw:
      candidate.weight > 0
        ? Math.log(input.random() || Number.MIN_VALUE) / candidate.weight
        : Number.NEGATIVE_INFINITY,
  };
}

function compareRanked(a: Ranked, b: Ranked): number {
  return (
    b.continues - a.continues ||
    Number(b.named) - Number(a.named) ||
    Number(a.unhealthy) - Number(b.unhealthy) ||
    b.candidate.priority - a.candidate.priority ||
    (a.draw === b.draw ? 0 : b.draw > a.draw ? 1 : -1)
  );
}

function reasonOfPlace(ranked: Ranked, index: number, all: readonly Ranked[]): Refusal {
  const { candidate, named, continues, unhealthy } = ranked;
  if (continues > 0)
    return { code: 'CONTINUATION', reason: 'It made, or can take up, the conversation’s continuation' };
  if (unhealthy)
    return {
      code: 'UNHEALTHY_LAST',
      reason: 'Its last health check failed, so it is tried after the others',
    };
  if (!named) return { code: 'FALLBACK', reason: `Fallback, with priority ${candidate.priority}` };
  const rivals = all.filter((other) => other.named && other.candidate.priority === candidate.priority);
  if (rivals.length > 1) {
    return {
      code: 'WEIGHT',
      reason: `Priority ${candidate.priority}, drawn by weight ${candidate.weight} among ${rivals.length}`,
    };
  }
  if (all.filter((other) => other.named).length === 1)
    return { code: 'NAMED', reason: 'It is what was asked for' };
  return { code: 'PRIORITY', reason: `Priority ${candidate.priority}${index === 0 ? ', the highest' : ''}` };
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
  const next = rest.length > 0 ? `, then ${rest.map(({ label }) => `"${label}"`).join(', ')}` : '';
  const without = leftOut.length > 0 ? `; ${leftOut.length} left out` : '';
  return `"${model}" is served by "${first.label}" (${first.reason.charAt(0).toLowerCase()}${first.reason.slice(1)})${next}${without}.`;
}
