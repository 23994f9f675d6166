import { expect, test } from 'vitest';
import type { PlannedCandidate, RoutePlan } from '../../../src/domain/routing/route-plan.ts';
import { explainRun } from '../../../src/domain/runs/explanation.ts';
import type { RunAttempt } from '../../../src/domain/runs/run-record.ts';

const candidate = (label: string, over: Partial<PlannedCandidate> = {}): PlannedCandidate => ({
  place: null,
  label,
  instanceId: label,
  configId: 'c',
  canonicalId: 'p/m',
  priority: 5,
  weight: 1,
  code: 'PRIORITY',
  reason: 'Priority 5',
  ...over,
});
const attempt = (label: string, over: Partial<RunAttempt> = {}): RunAttempt =>
  ({
    number: 1,
    instanceId: label,
    configId: 'c',
    canonicalId: 'p/m',
    outcome: 'SUCCEEDED',
    error: null,
    ...over,
  }) as RunAttempt;
const explain = (
  candidates: readonly PlannedCandidate[],
  attempts: readonly RunAttempt[],
  over: { status?: 'FINISHED' | 'FAILED'; warnings?: { code: string; message: string }[] } = {},
) =>
  explainRun(
    {
      model: 'tag:chat',
      status: 'FINISHED',
      error: null,
      warnings: [],
      plan: { candidates } as unknown as RoutePlan,
      ...over,
    },
    attempts,
  );

const answering = candidate('b', { place: 1 });

test('the explanation of a run names each instance above the one that answered, with the reason why it was not asked', () => {
  expect(
    explain(
      [
        answering,
        candidate('unpriced', {
          priority: 9,
          code: 'UNPRICED',
          reason: 'No price of "p/m" is known, and it has to be paid for',
        }),
        candidate('open', {
          priority: 8,
          code: 'CIRCUIT_OPEN',
          reason: 'Its circuit is open for some seconds: it is down',
        }),
        candidate('same', { code: 'INSTANCE_DISABLED', reason: 'It is off' }),
        candidate('below', { priority: 1, code: 'INSTANCE_DISABLED', reason: 'It is off' }),
        candidate('fallback', {
          priority: 99,
          code: 'INSTANCE_DISABLED',
          reason: 'It is off',
          isFallback: true,
        }),
      ],
      [attempt('b')],
    ),
  ).toBe(
    '"tag:chat" was answered by "b" at the first attempt. Not called: "unpriced" (no price of "p/m" is known, and it has to be paid for), "open" (its circuit is open for some seconds: it is down), "same" (it is off).',
  );
});

test('the explanation of a run tells of instances that were put behind, unless they were asked in the end', () => {
  const behind = candidate('sick', {
    place: 2,
    priority: 9,
    code: 'UNHEALTHY_LAST',
    reason: 'Its last health check failed, so it is tried after the others',
  });
  expect(explain([answering, behind], [attempt('b')])).toContain(
    'Not called: "sick" (its last health check failed',
  );
  const failed = {
    outcome: 'FAILED' as const,
    error: { code: 'PROVIDER_UNAVAILABLE', message: 'No', status: 503 },
  };
  const attempts = [attempt('b', failed as never), attempt('sick', { number: 2 })];
  expect(explain([answering, behind], attempts)).toBe(
    '"tag:chat" was answered by "sick" at the second attempt: "b" failed (PROVIDER_UNAVAILABLE 503: No).',
  );
});

test('the explanation of a run tells of an instance that the funds did not cover', () => {
  const warnings = [
    { code: 'FUNDS', message: 'FUNDS: "dear" was skipped, since the funds do not cover it' },
    { code: 'UNPRICED_MODEL', message: 'Something else' },
  ];
  expect(explain([answering], [attempt('b')], { warnings })).toBe(
    '"tag:chat" was answered by "b" at the first attempt. "dear" was skipped, since the funds do not cover it.',
  );
});

test('the explanation of a failed run tells who was left out of what was named, a few of them by name', () => {
  const many = Array.from({ length: 9 }, (_value, index) =>
    candidate(`i${index}`, { code: 'INSTANCE_DISABLED', reason: 'It is off' }),
  );
  const failed = {
    outcome: 'FAILED' as const,
    error: { code: 'PROVIDER_TIMEOUT', message: 'Late', status: null },
  };
  const told = explain([answering, ...many], [attempt('b', failed as never)], { status: 'FAILED' });
  expect(told).toMatch(
    /^"tag:chat" failed after one attempt: "b" failed \(PROVIDER_TIMEOUT: Late\)\. Not called: "i0"/,
  );
  expect(told).toMatch(/"i4" \(it is off\) and 4 more\.$/);
});
