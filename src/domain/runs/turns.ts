// Owns the order of candidates within a run: those that have not been called, in the order of the plan, and those that failed and may be called again.
import type { ProviderError } from '../../kernel/errors.ts';
import type { Candidate } from '../routing/candidates.ts';
import { ruledOutBy } from '../routing/fault-meanings.ts';
import type { Route } from '../routing/planner.ts';

export interface Turn {
  readonly candidate: Candidate;
  /** True if only the fallback added it. */
  readonly isFallback: boolean;
  /** How many times the run has called it. */
  calls: number;
  /** It is not called again before this moment of the monotonic clock. */
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

  /** Candidates that have not been called. */
  get waiting(): readonly Turn[] {
    return this.#waiting;
  }

  get returning(): readonly Turn[] {
    return this.#returning;
  }

  /** How many candidates that were not called have at least the same claim to a call; those that the caller named come before those that the fallback added. */
  peersOf(turn: Turn): number {
    return this.#waiting.filter(({ isFallback }) => turn.isFallback || !isFallback).length;
  }

  /** All candidates that may be called, in order. */
  all(): Turn[] {
    return [...this.#waiting, ...this.#returning];
  }

  take(turn: Turn): void {
    this.#keep((other) => other !== turn);
  }

  /** Puts a candidate that failed behind those that have not been called. */
  comeBack(turn: Turn, readyAtMs: number): void {
    turn.readyAtMs = readyAtMs;
    this.#returning.push(turn);
  }

  /** Removes the candidates that would fail for the same reason. */
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

/** If the request exceeds one context, it exceeds every context that is known to be no larger. */
function isNoLarger(other: Candidate, candidate: Candidate): boolean {
  const size = candidate.model?.contextLength;
  const otherSize = other.model?.contextLength;
  if (other.canonicalId === candidate.canonicalId) return true;
  return size != null && otherSize != null && otherSize <= size;
}
