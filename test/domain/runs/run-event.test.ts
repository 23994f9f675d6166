import { expect, test } from 'vitest';
import { isContent, isEnd, type RunEvent, toEndedEvent } from '../../../src/domain/runs/run-event.ts';
import type { RunRecord } from '../../../src/domain/runs/run-record.ts';

const run = (over: Partial<RunRecord>) =>
  ({
    id: 'r',
    status: 'FINISHED',
    lastSeq: 7,
    createdAt: new Date(1),
    endedAt: new Date(2),
    ...over,
  }) as RunRecord;

test.each([
  ['started', false],
  ['rerouted', false],
  ['finished', false],
  ['failed', false],
  ['cancelled', false],
  ['interrupted', false],
  ['text-delta', true],
  ['unheard-of', true],
])('whether an event of the type %s is content is %s', (type, expected) => {
  expect(isContent({ type } as RunEvent)).toBe(expected);
});

test.each([
  ['FINISHED', 'finished'],
  ['FAILED', 'failed'],
  ['CANCELLED', 'cancelled'],
  ['INTERRUPTED', 'interrupted'],
] as const)(
  'a run with the status %s ends with one event of the type %s, at its last place',
  (status, type) => {
    const ended = run({ status });
    const event = toEndedEvent(ended);
    expect(event).toEqual({ type, seq: 7, fromSeq: 7, runId: 'r', atMs: 2, run: ended });
    expect(isEnd(event as RunEvent)).toBe(true);
  },
);

test('a run that goes on, or whose last place is not known, has no end', () => {
  expect(toEndedEvent(run({ status: 'RUNNING' }))).toBeUndefined();
  expect(toEndedEvent(run({ lastSeq: null }))).toBeUndefined();
});

test('an end whose moment is not known is told at the moment of the beginning', () => {
  expect(toEndedEvent(run({ endedAt: null }))?.atMs).toBe(1);
});
