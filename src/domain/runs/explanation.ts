// Owns the story of a run in one sentence: what was asked for, who answered, and what went wrong before.
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
  run: Pick<RunRecord, 'model' | 'plan' | 'status' | 'error'>,
  attempts: readonly RunAttempt[],
): string {
  const asked = `"${run.model}"`;
  if (run.status === 'RUNNING') return run.plan.summary;
  const answering = attempts.find(({ outcome }) => outcome === 'SUCCEEDED');
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
    : `${asked} failed: ${run.error?.message ?? 'nothing could be tried'}.`;
}

function labelOf(plan: RunRecord['plan'], attempt: RunAttempt): string {
  const planned = plan.candidates.find(
    ({ instanceId, configId, canonicalId }) =>
      instanceId === attempt.instanceId &&
      configId === attempt.configId &&
      canonicalId === attempt.canonicalId,
  );
  return `"${planned?.label ?? attempt.canonicalId}"`;
}

function wordsOf({ error }: RunAttempt): string {
  if (!error) return '';
  const status = error.status === null ? '' : ` ${error.status}`;
  const message =
    error.message.length > MAX_MESSAGE ? `${error.message.slice(0, MAX_MESSAGE)}…` : error.message;
  return `${error.code}${status}: ${message.replace(/\.$/, '')}`;
}
