import { expect, test } from 'vitest';
import type { Logger } from '../../src/kernel/logger.ts';
import type { AttemptEnded, TelemetryEvent } from '../../src/kernel/telemetry.ts';
import { createLogListener } from '../../src/telemetry/log-listener.ts';

/** The lines that the events make: level, fields, message. */
function linesOf(...events: TelemetryEvent[]): unknown[] {
  const lines: unknown[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push([level, fields, message]);
  const logger: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  };
  const listener = createLogListener(logger);
  for (const event of events) listener(event);
  return lines;
}

const ERROR = new Error('overloaded');
const REQUEST = { requestId: 'request-1', workspaceId: 'workspace-1', trace: undefined };
const ATTEMPT: AttemptEnded = {
  type: 'attempt-ended',
  ...REQUEST,
  runId: 'run-1',
  attempt: 2,
  provider: 'openai',
  config: 'OpenAI',
  candidate: 'fast',
  canonicalId: 'openai/gpt',
  startedAt: new Date(0),
  firstTokenMs: 120,
  durationMs: 900,
  stopped: false,
};
const ATTEMPT_FIELDS = {
  requestId: 'request-1',
  runId: 'run-1',
  provider: 'openai',
  config: 'OpenAI',
  candidate: 'fast',
  attempt: 2,
  firstTokenMs: 120,
  durationMs: 900,
};
const FAULT = {
  code: 'PROVIDER_UNAVAILABLE',
  status: 503,
  providerRequestId: 'p-1',
  error: ERROR,
} as const;

test('an attempt that succeeded, or whose run was stopped, is a line of the log at debug', () => {
  expect(linesOf(ATTEMPT, { ...ATTEMPT, stopped: true, fault: FAULT })).toEqual([
    ['debug', ATTEMPT_FIELDS, 'An attempt ended'],
    ['debug', ATTEMPT_FIELDS, 'An attempt ended'],
  ]);
});

test('an attempt that failed is an error in the log with the provider’s own id of the request', () => {
  expect(linesOf({ ...ATTEMPT, fault: FAULT })).toEqual([
    [
      'error',
      {
        ...ATTEMPT_FIELDS,
        code: 'PROVIDER_UNAVAILABLE',
        status: 503,
        providerRequestId: 'p-1',
        err: ERROR,
      },
      'A provider failed',
    ],
  ]);
});

test('a run that ended is one line in the log with its cost as text, and a warning where its node was lost', () => {
  const usage = {
    inputTokens: 1,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 2,
    reasoningTokens: 0,
    estimated: false,
  };
  const fields = {
    requestId: 'request-1',
    runId: 'run-1',
    status: 'FINISHED',
    model: 'auto',
    canonicalId: 'openai/gpt',
    usage,
    attempts: 1,
    explanation: 'It answered.',
    durationMs: 5,
  };
  const event = { type: 'run-ended', by: 'its node', kind: 'completion', ...REQUEST, ...fields } as const;
  expect(linesOf({ ...event, costNano: 7n }, { ...event, costNano: null, code: 'INTERNAL' })).toEqual([
    ['info', { ...fields, costNano: '7' }, 'A completion ended'],
    ['info', { ...fields, costNano: null, code: 'INTERNAL' }, 'A completion ended'],
  ]);
  expect(linesOf({ ...event, by: 'another node', costNano: null })).toEqual([
    ['warn', { runId: 'run-1' }, 'A run that no node carried on was ended as interrupted'],
  ]);
});

test('a request to a provider is a line in the log at debug', () => {
  const event = { type: 'upstream-answered', method: 'POST', host: 'h', path: '/p', ms: 3 } as const;
  expect(
    linesOf({ ...event, outcome: { status: 429 } }, { ...event, outcome: { fault: 'aborted' } }),
  ).toEqual([
    ['debug', { method: 'POST', host: 'h', path: '/p', status: 429, ms: 3 }, 'upstream request'],
    ['debug', { method: 'POST', host: 'h', path: '/p', fault: 'aborted', ms: 3 }, 'upstream request'],
  ]);
});

test('the log tells of Redis when it is left out and when it is back, not for each miss', () => {
  expect(
    linesOf(
      { type: 'redis-missed', error: ERROR, leftOut: undefined },
      { type: 'redis-missed', error: ERROR, leftOut: 'does not answer' },
      { type: 'redis-returned' },
    ),
  ).toEqual([
    ['warn', { err: ERROR }, 'Redis does not answer; it is left out until it does'],
    ['info', {}, 'Redis answers again'],
  ]);
});

test('the log tells of a circuit when it turns', () => {
  expect(
    linesOf(
      { type: 'circuit-turned', circuit: 'c', to: 'OPEN', reason: 'it failed' },
      { type: 'circuit-turned', circuit: 'c', to: 'CLOSED', reason: null },
    ),
  ).toEqual([
    ['warn', { circuit: 'c', reason: 'it failed' }, 'A circuit opened: its calls are held back'],
    ['info', { circuit: 'c' }, 'A circuit closed: its provider answers again'],
  ]);
});

test('an event that is a figure only makes no line in the log', () => {
  expect(
    linesOf(
      { type: 'group-committed', group: 'ends', items: 3, ms: 2 },
      { type: 'limit-refused', ...REQUEST, scope: 'CALLER', limit: 'requestsPerMinute' },
      { type: 'stream-resumed', runId: 'run-1', after: 5, local: true },
    ),
  ).toEqual([]);
});
