// Owns the explanation of a run in a few sentences: what was asked for, which candidate answered, what failed before, and why others were not called.
import { tellNotAsked } from '../routing/plan-words.ts';
import type { PlannedCandidate } from '../routing/route-plan.ts';
import type { RunAttempt, RunRecord } from './run-record.ts';

const ORDINALS = [
  'first',
  'second',
  'third',
  'fourth',
  'fifth',
  'sixth',
  'seventh',
  'eighth',
  'ninth',
  'tenth',
];
const MAX_MESSAGE = 160;

export function explainRun(
  run: Pick<RunRecord, 'model' | 'plan' | 'status' | 'error' | 'warnings'>,
  attempts: readonly RunAttempt[],
): string {
  if (run.status === 'RUNNING') return run.plan.summary;
  const answering = attempts.find(({ outcome }) => outcome === 'SUCCEEDED');
  const asked = new Set(attempts.map((attempt) => plannedOf(run.plan, attempt)));
  const notAsked = tellNotAsked(run.plan.candidates, answering && plannedOf(run.plan, answering), (planned) =>
    asked.has(planned),
  );
  const skipped = run.warnings
    .filter(({ code }) => code === 'FUNDS')
    .map(({ message }) => ` ${message.replace(/^FUNDS: /, '')}.`);
  return `${outcomeOf(run, attempts, answering)}${notAsked}${skipped.join('')}`;
}

function outcomeOf(
  run: Pick<RunRecord, 'model' | 'plan' | 'status' | 'error'>,
  attempts: readonly RunAttempt[],
  answering: RunAttempt | undefined,
): string {
  const asked = `"${run.model}"`;
  const failures = attempts
    .filter(({ error }) => error !== null)
    .map((attempt) => `${labelOf(run.plan, attempt)} failed (${wordsOf(attempt)})`);
  const story = failures.length > 0 ? `: ${failures.join(', ')}` : '';
  if (answering) {
    const place = ORDINALS[answering.number - 1] ?? `${answering.number}th`;
    return `${asked} was answered by ${labelOf(run.plan, answering)} at the ${place} attempt${story}.`;
  }
  if (run.status === 'CANCELLED') return `${asked} was cancelled${story}.`;
  if (run.status === 'INTERRUPTED') return `${asked} was interrupted when its node stopped${story}.`;
  const count = attempts.length === 1 ? 'one attempt' : `${attempts.length} attempts`;
  return attempts.length > 0
    ? `${asked} failed after ${count}${story}.`
    : `${asked} failed: ${run.error?.message ?? 'no candidate could be called'}.`;
}

function plannedOf(plan: RunRecord['plan'], attempt: RunAttempt): PlannedCandidate | undefined {
  return plan.candidates.find(
    ({ instanceId, configId, canonicalId }) =>
      instanceId === attempt.instanceId &&
      configId === attempt.configId &&
      canonicalId === attempt.canonicalId,
  );
}

function labelOf(plan: RunRecord['plan'], attempt: RunAttempt): string {
  return `"${plannedOf(plan, attempt)?.label ?? attempt.canonicalId}"`;
}

function wordsOf({ error }: RunAttempt): string {
  if (!error) return '';
  const status = error.status === null ? '' : ` ${error.status}`;
  const message =
    error.message.length > MAX_MESSAGE ? `${error.message.slice(0, MAX_MESSAGE)}…` : error.message;
  return `${error.code}${status}: ${message.replace(/\.$/, '')}`;
}
