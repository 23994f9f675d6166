import { expect, test } from 'vitest';
import { decodeEvent, encodeEvent } from '../../../src/domain/runs/event-codec.ts';
import type { RunEvent } from '../../../src/domain/runs/run-event.ts';
import type { RunAttempt, RunRecord } from '../../../src/domain/runs/run-record.ts';
import { kinds } from '../../support/kinds.ts';

const base = { seq: 3, fromSeq: 2, runId: 'r', atMs: 1_764_000_000_123 };
const attempt = (over: Partial<RunAttempt> = {}) =>
  ({ number: 1, configId: 'c', startedAt: new Date(5), costNano: 7n, error: null, ...over }) as RunAttempt;
const record = (over: Partial<RunRecord> = {}) =>
  ({
    id: 'r',
    kind: 'completion',
    status: 'FINISHED',
    costNano: 9_007_199_254_740_993n,
    createdAt: new Date(1_764_000_000_001),
    endedAt: new Date(1_764_000_000_123),
    contentRemovedAt: null,
    attempts: [attempt()],
    result: { text: 'one\n"two" 😀', reasoning: '', toolCalls: [], continuation: null },
    ...over,
  }) as unknown as RunRecord;
const roundTrip = (event: object) => decodeEvent(encodeEvent(event as RunEvent), kinds);

test.each<[string, object]>([
  ['a start', { ...base, type: 'started', plan: { summary: 'x' } }],
  ['a piece of text', { ...base, type: 'text-delta', text: 'a\u2028b"\\' }],
  ['a piece of a tool call', { ...base, type: 'tool-call-delta', index: 0, callId: 'c', argumentsText: '{' }],
  ['a fail-over', { ...base, type: 'rerouted', from: 'a', to: 'b', reason: 'x', discard: true }],
  ['content of an unknown kind', { ...base, type: 'unheard-of', letter: 'x' }],
  ['an end', { ...base, type: 'finished', run: record() }],
  ['an end without a cost', { ...base, type: 'failed', run: record({ costNano: null }) }],
  ['an end without attempts', { ...base, type: 'failed', run: record({ attempts: [] }) }],
  ['an end whose attempts were not read', { ...base, type: 'failed', run: record({ attempts: undefined }) }],
  [
    'an attempt without a cost',
    { ...base, type: 'failed', run: record({ attempts: [attempt({ costNano: null })] }) },
  ],
  ['an end without its moment', { ...base, type: 'interrupted', run: record({ endedAt: null }) }],
  ['a cost of nothing', { ...base, type: 'finished', run: record({ costNano: 0n }) }],
])('%s comes back from its text as it was, money and moments included', (_what, event) => {
  expect(roundTrip(event)).toEqual(event);
});

test('an event is one line of text, so that a log can be split by lines', () => {
  expect(encodeEvent({ ...base, type: 'text-delta', text: 'a\nb\r\n' } as RunEvent)).not.toMatch(/[\r\n]/);
});

test('a terminal event that was written before runs had kinds is read as that of a completion', () => {
  const event = { ...base, type: 'finished', run: record() };
  const { run: written, ...rest } = JSON.parse(encodeEvent(event as RunEvent));
  const { kind: _kind, result: texts, ...run } = written;
  const before = JSON.stringify({ ...rest, run: { ...run, ...texts } });
  expect(decodeEvent(before, kinds)).toMatchObject(event);
});
