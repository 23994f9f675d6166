import { expect, test } from 'vitest';
import type { CompletionRecord } from '../../../src/domain/completions/completion-result.ts';
import { decodeEvent, encodeEvent } from '../../../src/domain/runs/event-codec.ts';
import { type RunEvent, toEndedEvent } from '../../../src/domain/runs/run-event.ts';
import { kinds } from '../../support/kinds.ts';

const usage = {
  inputTokens: 1,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 2,
  reasoningTokens: 0,
  estimated: false,
};
const result = {
  text: 'Hello',
  reasoning: '',
  toolCalls: [{ callId: 'c', name: 'f', argumentsText: '{}' }],
  continuation: null,
};
const run: CompletionRecord = {
  id: 'r',
  kind: 'completion',
  workspaceId: 'w',
  caller: 'key:1',
  requestId: null,
  status: 'FINISHED',
  model: 'auto',
  plan: { model: 'auto', kind: 'AUTO', fallback: 'ANY', candidates: [], summary: '' },
  metadata: { a: 1 },
  instanceId: null,
  canonicalId: 'p/m',
  result,
  finishReason: 'stop',
  providerFinishReason: null,
  usage,
  costNano: 12_345_678_901_234_567_890n,
  costLines: [],
  priceVersionId: null,
  warnings: [],
  error: null,
  attempts: [
    {
      number: 1,
      instanceId: null,
      configId: 'c',
      canonicalId: 'p/m',
      outcome: 'SUCCEEDED',
      error: null,
      servedModel: null,
      providerRequestId: null,
      startedAt: new Date(1_000),
      firstTokenMs: 1,
      durationMs: 2,
      usage,
      costNano: 7n,
      costLines: [],
      priceVersionId: null,
      absorbed: false,
    },
  ],
  lastSeq: 3,
  createdAt: new Date(500),
  endedAt: new Date(2_000),
  contentRemovedAt: null,
};
const ended = toEndedEvent(run) as RunEvent;

test('the terminal event of a run comes back from its text as it was, money and moments included', () => {
  expect(decodeEvent(encodeEvent(ended), kinds)).toEqual(ended);
});

test('a delta comes back from its text as it was', () => {
  const delta: RunEvent = {
    type: 'text-delta',
    seq: 2,
    fromSeq: 2,
    runId: 'r',
    atMs: 1,
    text: 'Hel',
  } as never;
  expect(decodeEvent(encodeEvent(delta), kinds)).toEqual(delta);
});

test('a terminal event that was written before runs had kinds is read as that of a completion', () => {
  const { run: written, ...event } = JSON.parse(encodeEvent(ended));
  const { kind: _kind, result: texts, ...rest } = written;
  const before = JSON.stringify({ ...event, run: { ...rest, ...texts } });
  expect(decodeEvent(before, kinds)).toMatchObject(ended);
});
