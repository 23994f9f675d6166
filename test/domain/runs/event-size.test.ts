import { expect, test } from 'vitest';
import { bytesOfEvent } from '../../../src/domain/runs/event-size.ts';
import type { RunEvent } from '../../../src/domain/runs/run-event.ts';
import { kinds } from '../../support/kinds.ts';

const sizeOf = (event: object) =>
  bytesOfEvent({ seq: 1, fromSeq: 1, runId: 'r', atMs: 0, ...event } as RunEvent, kinds);
const text = (length: number) => ({ type: 'text-delta', text: 'x'.repeat(length) });
const ended = (result: object = {}) => ({
  type: 'finished',
  run: {
    kind: 'completion',
    result: { text: '', reasoning: '', toolCalls: [], continuation: null, ...result },
  },
});
const rerouted = (reason: string) => ({ type: 'rerouted', from: 'a', to: 'b', reason, discard: false });

test('an event takes memory for what it holds, character by character', () => {
  expect(sizeOf(text(5_000)) - sizeOf(text(0))).toBe(5_000);
  const calling = (argumentsText: string) => ({ type: 'tool-call-delta', index: 0, argumentsText });
  expect(sizeOf(calling('{"a":1}')) - sizeOf(calling(''))).toBe(7);
  expect(sizeOf(rerouted('x'.repeat(300))) - sizeOf(rerouted(''))).toBe(300);
});

test('an empty event takes memory too, so that a log of countless empty ones is bounded', () => {
  for (const event of [text(0), rerouted('')]) expect(sizeOf(event)).toBeGreaterThan(0);
});

test('an end takes memory for its whole result', () => {
  const toolCalls = [{ callId: 'c', name: 'f', argumentsText: 'x'.repeat(30) }];
  const result = {
    text: 'x'.repeat(1_000),
    reasoning: 'x'.repeat(200),
    toolCalls,
    continuation: 'x'.repeat(4),
  };
  expect(sizeOf(ended(result)) - sizeOf(ended())).toBe(1_234);
});

test('an event that carries a plan or a record is taken for larger than a piece of text', () => {
  for (const event of [{ type: 'started', plan: {} }, ended()])
    expect(sizeOf(event)).toBeGreaterThan(sizeOf(text(1_000)));
});

test('content of a kind that this node does not know is sized as an empty event', () => {
  expect(sizeOf({ type: 'unheard-of', text: 'x'.repeat(1_000) })).toBe(sizeOf(text(0)));
});
