// Owns which time limits an attempt has: the instance's, else its config's, else the defaults.
import type { Candidate } from '../routing/candidates.ts';
import type { AttemptLimits } from './time-guard.ts';

const TOTAL_MS = 600_000;
/** Shorter limits for an attempt while another candidate waits. */
const HURRIED = { firstTokenMs: 10_000, betweenTokensMs: 10_000 };
const PATIENT = { firstTokenMs: 120_000, betweenTokensMs: 60_000 };

/** `remainingMs`: what is left of the caller's time limit for the whole run. */
export function attemptLimits(
  candidate: Candidate,
  anotherWaits: boolean,
  remainingMs: number,
): AttemptLimits {
  const reasons = candidate.model?.capabilities.includes('reasoning') ?? false;
  const defaults = anotherWaits ? HURRIED : PATIENT;
  const own = { ...candidate.config.timeLimits, ...candidate.instance?.timeLimits };
  return {
    firstTokenMs: own.firstTokenMs ?? (reasons ? PATIENT.firstTokenMs : defaults.firstTokenMs),
    aliveFirstTokenMs: own.firstTokenMs ?? PATIENT.firstTokenMs,
    betweenTokensMs: own.betweenTokensMs ?? defaults.betweenTokensMs,
    totalMs: Math.max(1, Math.min(own.totalMs ?? TOTAL_MS, remainingMs)),
  };
}
