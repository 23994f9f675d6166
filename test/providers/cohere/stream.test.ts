// Holds how answers of Cohere become stream parts, whole and cut at every byte.
import { describe, expect, test } from 'vitest';
import { createCohereAdapter } from '../../../src/providers/cohere/adapter.ts';
import { toProviderUsage } from '../../../src/providers/cohere/decode.ts';
import { providerRequest, providerTarget, startProvider } from '../../support/provider-calls.ts';
import {
  callCohere,
  content,
  end,
  events,
  JSON_TYPE,
  plan,
  SSE,
  START,
  start,
  toolCall,
  USAGE,
} from './calls.ts';

describe.each([undefined, 'every-byte'] as const)('an answer of Cohere, cut %s', (cut) => {
  const stream = (body: string) => callCohere({ headers: SSE, body, ...(cut ? { cut } : {}) });

  test('an answer of Cohere gives thinking, text and what is billed, in order', async () => {
    const { parts, fault } = await stream(
      events(
        start,
        content('content-start', 0, { type: 'thinking', thinking: '' }),
        content('content-delta', 0, { thinking: 'Hm, é' }),
        { type: 'content-end', index: 0 },
        content('content-start', 1, { type: 'text', text: 'Gr' }),
        content('content-delta', 1, { text: 'üße 🌍' }),
        { type: 'citation-start', index: 0, delta: { message: { citations: { start: 0, end: 2 } } } },
        { type: 'debug', prompt: 'x' },
        end('COMPLETE'),
      ),
    );
    expect(fault).toBeUndefined();
    expect(parts).toEqual([
      START,
      { type: 'reasoning-delta', text: 'Hm, é' },
      { type: 'text-delta', text: 'Gr' },
      { type: 'text-delta', text: 'üße 🌍' },
      USAGE,
      { type: 'finish', reason: 'stop', providerReason: 'COMPLETE', continuation: { thinking: 'Hm, é' } },
    ]);
  });

  test('an answer of Cohere gives a plan as reasoning, and calls whose empty arguments are an object', async () => {
    const { parts } = await stream(
      events(
        start,
        plan('I will '),
        plan('look.'),
        toolCall('tool-call-start', 0, {
          id: 'time_1',
          type: 'function',
          function: { name: 'time', arguments: '' },
        }),
        { type: 'tool-call-end', index: 0 },
        toolCall('tool-call-start', 1, { function: { name: 'weather', arguments: '' } }),
        toolCall('tool-call-delta', 1, { function: { arguments: '{"city":' } }),
        toolCall('tool-call-delta', 1, { function: { arguments: '"Łódź"}' } }),
        { type: 'tool-call-end', index: 1 },
        toolCall('tool-call-start', 2, { id: 'dice_1', function: { name: 'dice', arguments: null } }),
        end('TOOL_CALL'),
      ),
    );
    expect(parts).toEqual([
      START,
      { type: 'reasoning-delta', text: 'I will ' },
      { type: 'reasoning-delta', text: 'look.' },
      { type: 'tool-call-delta', index: 0, callId: 'time_1', name: 'time', argumentsText: '' },
      { type: 'tool-call-delta', index: 0, argumentsText: '{}' },
      { type: 'tool-call-delta', index: 1, callId: 'call_minted-0', name: 'weather', argumentsText: '' },
      { type: 'tool-call-delta', index: 1, argumentsText: '{"city":' },
      { type: 'tool-call-delta', index: 1, argumentsText: '"Łódź"}' },
      { type: 'tool-call-delta', index: 2, callId: 'dice_1', name: 'dice', argumentsText: '' },
      { type: 'tool-call-delta', index: 2, argumentsText: '{}' },
      USAGE,
      {
        type: 'finish',
        reason: 'tool-calls',
        providerReason: 'TOOL_CALL',
        continuation: { toolPlan: 'I will look.' },
      },
    ]);
  });

  test('an answer of Cohere raises the fault that ends it, after what came before', async () => {
    const { parts, fault } = await stream(
      events(
        start,
        content('content-delta', 0, { text: 'Hi' }),
        end('ERROR', { error: 'no valid response' }),
      ),
    );
    expect(parts).toEqual([START, { type: 'text-delta', text: 'Hi' }, USAGE]);
    expect(fault).toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      message: 'no valid response',
      providerCode: 'ERROR',
      phase: 'stream',
      transient: true,
    });
  });

  test('an answer of Cohere that ends without its end is a broken protocol', async () => {
    const { parts, fault } = await stream(events(start, content('content-delta', 0, { text: 'Hi' })));
    expect(parts).toEqual([START, { type: 'text-delta', text: 'Hi' }]);
    expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL', phase: 'stream' });
  });
});

test.each([
  ['COMPLETE', 'stop'],
  ['STOP_SEQUENCE', 'stop'],
  ['MAX_TOKENS', 'length'],
  ['TOOL_CALL', 'tool-calls'],
  ['ERROR_TOXIC', 'content-filter'],
  ['SOMETHING_NEW', 'other'],
])('the finish reason %s of Cohere is %s', async (providerReason, reason) => {
  const { parts } = await callCohere({ headers: SSE, body: events(start, end(providerReason)) });
  expect(parts.at(-1)).toEqual({ type: 'finish', reason, providerReason });
});

test.each([
  [end('TIMEOUT'), { code: 'PROVIDER_TIMEOUT', message: expect.stringContaining('too long') }],
  [end('ERROR'), { code: 'PROVIDER_UNAVAILABLE' }],
  [end(undefined, { error: 'lost' }), { code: 'PROVIDER_UNAVAILABLE', message: 'lost' }],
  [end(undefined), { code: 'PROVIDER_UNAVAILABLE' }],
])('the end %j of Cohere is a fault', async (event, expected) => {
  const { fault } = await callCohere({ headers: SSE, body: events(start, event) });
  expect(fault).toMatchObject(expected);
});

test.each([
  ['an event that is no JSON', 'data: {"type":\n\n'],
  ['an event without a type', 'data: {"id":"x"}\n\n'],
  ['JSON that is no answer', '{"id":"x"}'],
  ['nothing', ''],
])('%s is a broken protocol of Cohere', async (_name, body) => {
  const { fault } = await callCohere({ headers: SSE, body });
  expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL' });
});

test('an answer of Cohere in one piece is read alike', async () => {
  const body = JSON.stringify({
    id: 'msg-1',
    message: {
      role: 'assistant',
      tool_plan: 'Plan.',
      content: [
        { type: 'thinking', thinking: 'Hm.' },
        { type: 'text', text: 'Hi' },
      ],
      tool_calls: [{ id: 't1', type: 'function', function: { name: 'dice', arguments: '' } }],
    },
    ...end('TOOL_CALL').delta,
  });
  const { parts } = await callCohere({ headers: JSON_TYPE, body });
  expect(parts).toEqual([
    START,
    { type: 'reasoning-delta', text: 'Plan.' },
    { type: 'reasoning-delta', text: 'Hm.' },
    { type: 'text-delta', text: 'Hi' },
    { type: 'tool-call-delta', index: 0, callId: 't1', name: 'dice', argumentsText: '' },
    { type: 'tool-call-delta', index: 0, argumentsText: '{}' },
    USAGE,
    {
      type: 'finish',
      reason: 'tool-calls',
      providerReason: 'TOOL_CALL',
      continuation: { toolPlan: 'Plan.', thinking: 'Hm.' },
    },
  ]);
});

test('an error of Cohere in a 200 is an error, with its words', async () => {
  const { fault } = await callCohere({ headers: JSON_TYPE, body: '{"id":"x","message":"internal"}' });
  expect(fault).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', message: 'internal' });
});

test('tokens that Cohere bills are counted; real counts stand in only where nothing says what is billed', () => {
  const tokens = { input_tokens: 500, output_tokens: 40, reasoning_tokens: 8 };
  const billed_units = { input_tokens: 5, output_tokens: 20 };
  expect(toProviderUsage({ billed_units, tokens, cached_tokens: 448 })).toEqual(USAGE.usage);
  expect(toProviderUsage({ tokens, cached_tokens: 448 })).toEqual({
    inputTokens: 52,
    cacheReadTokens: 448,
    cacheWriteTokens: 0,
    outputTokens: 32,
    reasoningTokens: 8,
  });
  expect(toProviderUsage({ billed_units: { output_tokens: 3 } })).toMatchObject({
    inputTokens: 0,
    outputTokens: 3,
  });
  expect(toProviderUsage({ cached_tokens: 3 })).toBeUndefined();
});

test.each(['leaving the loop', 'the signal'])(
  'leaving an answer of Cohere stops the upstream request: %s',
  async (how) => {
    const body = events(
      start,
      content('content-delta', 0, { text: 'Hi' }),
      content('content-delta', 0, { text: 'on' }),
    );
    await using provider = await startProvider({ headers: SSE, body, fault: { stallAfterBytes: 300 } });
    const abort = new AbortController();
    const adapter = createCohereAdapter(provider);
    const request = providerRequest({ target: providerTarget({ baseUrl: provider.upstream.url }) });
    const read = async () => {
      for await (const _parts of adapter.completions.stream(request, { signal: abort.signal })) {
        if (how === 'leaving the loop') return;
        abort.abort(new Error('enough'));
      }
    };
    if (how === 'leaving the loop') await read();
    else await expect(read()).rejects.toThrow('enough');
    await provider.upstream.requests[0]?.aborted;
  },
);
