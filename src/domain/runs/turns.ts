// Owns whose turn it is within a run: who has not been asked yet, in the order of the plan, and who was left for them and may be asked again.
import type { ProviderError } from '../../kernel/errors.ts';
import type { Candidate } from '../routing/candidates.ts';
import { ruledOutBy } from '../routing/fault-meanings.ts';
import type { Route } from '../routing/planner.ts';

export interface Turn {
  readonly candidate: Candidate;
  /** Only the fallback brought it in. */
  readonly isFallback: boolean;
  /** How often it has been called within the run. */
  calls: number;
  /** By the monotonic clock; it is not called again before. */
  readyAtMs: number;
}

export class Turns {
  #waiting: Turn[];
  #returning: Turn[] = [];

  constructor({ candidates, plan }: Route) {
    this.#waiting = candidates.map((candidate, index) => {
      const isFallback = plan.candidates[index]?.isFallback ?? false;
      return { candidate, isFallback, calls: 0, readyAtMs: 0 };
    });
  }

  /** Those that have not been asked. */
  get waiting(): readonly Turn[] {
    return this.#waiting;
  }

  get returning(): readonly Turn[] {
    return this.#returning;
  }

  /** Those that have not been asked and have the same claim to a call: what was asked for goes before its fallback. */
  peersOf(turn: Turn): number {
    return this.#waiting.filter(({ isFallback }) => turn.isFallback || !isFallback).length;
  }

  /** In the order in which they are to be asked. */
  all(): Turn[] {
    return [...this.#waiting, ...this.#returning];
  }

  take(turn: Turn): void {
    this.#keep((other) => other !== turn);
  }

  /** It was left for those that wait, and is asked again after them. */
  comeBack(turn: Turn, readyAtMs: number): void {
    turn.readyAtMs = readyAtMs;
    this.#returning.push(turn);
  }

  /** Takes out those that would fail for the same reason. */
  ruleOut(candidate: Candidate, error: ProviderError): void {
    const rule = ruledOutBy(error);
    if (!rule) return;
    this.#keep(({ candidate: other }) => {
      const sameConfig = other.config.id === candidate.config.id;
      if (rule === 'CONFIG') return !sameConfig;
      if (rule === 'MODEL') return !(sameConfig && other.canonicalId === candidate.canonicalId);
      return !isNoLarger(other, candidate);
    });
  }

  #keep(stays: (turn: Turn) => boolean): void {
    this.#waiting = this.#waiting.filter(stays);
    this.#returning = this.#returning.filter(stays);
  }
}

/** A context that has overflown overflows every other that is known to be no larger. */
function isNoLarger(other: Candidate, candidate: Candidate): boolean {
  const size = candidate.model?.contextLength;
  const otherSize = other.model?.contextLength;
  if (other.canonicalId === candidate.canonicalId) return true;
  return size != null && otherSize != null && otherSize <= size;
}
