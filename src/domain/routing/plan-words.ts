// Owns the words of a plan: the reason for each candidate's place or for leaving it out, and a summary of the whole choice.
import type { Refusal } from './candidate-state.ts';
import type { Candidate, Selection } from './candidates.ts';
import type { CircuitView } from './circuits.ts';
import type { PlannedCandidate, ReasonCode } from './route-plan.ts';

/** The facts that a candidate's place depends on. */
export interface PlaceFacts {
  readonly candidate: Candidate;
  readonly named: boolean;
  /** 2: it made the continuation; 1: it can use the continuation of another instance; 0: neither. */
  readonly continues: number;
  /** 0: healthy; 1: its provider has asked to receive no calls for a while; 2: it failed its health check. */
  readonly ailing: number;
  /** True if its circuit is half open. */
  readonly probing: boolean;
}

/** Gives the candidates, in the given order, their places and the reason for each. */
export function placesOf(chosen: readonly PlaceFacts[]): PlannedCandidate[] {
  const rivals = new Map<number, number>();
  let named = 0;
  for (const each of chosen) {
    if (!each.named) continue;
    named += 1;
    rivals.set(each.candidate.priority, (rivals.get(each.candidate.priority) ?? 0) + 1);
  }
  return chosen.map((ranked, index) =>
    describe(ranked.candidate, index + 1, !ranked.named, reasonOfPlace(ranked, index, named, rivals)),
  );
}

function reasonOfPlace(
  ranked: PlaceFacts,
  index: number,
  named: number,
  rivals: ReadonlyMap<number, number>,
): Refusal {
  const { candidate, continues, ailing, probing } = ranked;
  const { priority, weight } = candidate;
  if (continues > 0)
    return { code: 'CONTINUATION', reason: 'It made the conversation’s continuation, or can use it' };
  if (ailing === 2)
    return {
      code: 'UNHEALTHY_LAST',
      reason: 'Its last health check failed, so it is tried after the others',
    };
  if (ailing === 1)
    return {
      code: 'QUIET_LAST',
      reason: 'Its provider has asked to receive no calls for a while, so it is tried after the others',
    };
  if (probing) {
    const reason =
      index === 0
        ? 'Its circuit is half open: one call is made to see whether it has recovered'
        : 'It kept failing, and a small request of the gateway’s own finds out whether it has recovered, so it is tried after the others';
    return { code: 'PROBE', reason };
  }
  if (!ranked.named) return { code: 'FALLBACK', reason: `Fallback, with priority ${priority}` };
  const same = rivals.get(priority) ?? 1;
  if (same > 1) {
    return { code: 'WEIGHT', reason: `Priority ${priority}, drawn by weight ${weight} among ${same}` };
  }
  if (named === 1) return { code: 'NAMED', reason: 'The request names it' };
  return { code: 'PRIORITY', reason: `Priority ${priority}${index === 0 ? ', the highest' : ''}` };
}

export function refusalOfOpen({ reason }: CircuitView): Refusal {
  return {
    code: 'CIRCUIT_OPEN',
    reason: `Its circuit is open for some seconds: ${reason ?? 'it kept failing'}`,
  };
}

export function lastResort({ reason }: CircuitView): Refusal {
  return {
    code: 'LAST_RESORT',
    reason: `Its circuit is open (${reason ?? 'it kept failing'}), but so is every other; it is tried once`,
  };
}

export function describe(
  candidate: Candidate,
  place: number | null,
  isFallback: boolean,
  { code, reason }: Refusal,
): PlannedCandidate {
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
    ...(isFallback ? { isFallback } : {}),
  };
}

/** The most names in a sentence; more are counted only. Long reasons are cut as well. */
const MOST_NAMES = 5;
const LONGEST_REASON = 160;
/** Reasons that put a candidate behind others whatever its priority. */
const DEMOTED: ReadonlySet<ReasonCode> = new Set(['PROBE', 'QUIET_LAST', 'UNHEALTHY_LAST']);

/** Tells why candidates were not called that precede `chosen` by name and priority; empty if there is none. */
export function tellNotAsked(
  candidates: readonly PlannedCandidate[],
  chosen: PlannedCandidate | undefined,
  wasAsked: (candidate: PlannedCandidate) => boolean,
): string {
  const passed = candidates.filter((each) => {
    const held = each.place === null ? each.code !== 'NOT_NAMED' : DEMOTED.has(each.code);
    return held && each !== chosen && isBefore(each, chosen) && !wasAsked(each);
  });
  if (passed.length === 0) return '';
  passed.sort(
    (a, b) => Number(a.isFallback ?? false) - Number(b.isFallback ?? false) || b.priority - a.priority,
  );
  const told = passed.slice(0, MOST_NAMES).map(({ label, reason }) => `"${label}" (${inSentence(reason)})`);
  const more = passed.length > MOST_NAMES ? ` and ${passed.length - MOST_NAMES} more` : '';
  return ` Not called: ${told.join(', ')}${more}.`;
}

function isBefore(candidate: PlannedCandidate, chosen: PlannedCandidate | undefined): boolean {
  if (!chosen) return !candidate.isFallback;
  if (Boolean(candidate.isFallback) !== Boolean(chosen.isFallback)) return !candidate.isFallback;
  return candidate.priority >= chosen.priority;
}

function inSentence(reason: string): string {
  const cut = reason.length > LONGEST_REASON ? `${reason.slice(0, LONGEST_REASON)}…` : reason;
  return cut.charAt(0).toLowerCase() + cut.slice(1);
}

export function summarize(
  model: string,
  selection: Selection,
  placed: readonly PlannedCandidate[],
  leftOut: readonly PlannedCandidate[],
  all: readonly PlannedCandidate[],
): string {
  const [first, ...rest] = placed;
  if (!first) {
    const why = leftOut[0];
    if (selection.unknown) return `"${model}" is the name of no known instance, model or tag.`;
    return why
      ? `"${model}" cannot be served: ${why.reason}.`
      : `"${model}" is known, but nothing is configured to serve it.`;
  }
  const names = rest.slice(0, MOST_NAMES).map(({ label }) => `"${label}"`);
  const more = rest.length > MOST_NAMES ? ` and ${rest.length - MOST_NAMES} more` : '';
  const next = rest.length > 0 ? `, then ${names.join(', ')}${more}` : '';
  const without = leftOut.length > 0 ? `; ${leftOut.length} left out` : '';
  const why = tellNotAsked(all, first, () => false);
  return `"${model}" is served by "${first.label}" (${inSentence(first.reason)})${next}${without}.${why}`;
}
