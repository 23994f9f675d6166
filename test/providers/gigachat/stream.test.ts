// Holds how GigaChat's answers become stream parts, whole and cut at every byte.
import { describe, expect, test } from 'vitest';
import type { StreamPart, Tool } from '../../../src/providers/contract/completions.ts';
import type { Reply } from '../../support/fake-upstream.ts';
import { collectParts, providerRequest } from '../../support/provider-calls.ts';
import { json, startGigaChat, whole } from './fake-gigachat.ts';

const SSE = { 'content-type': 'text/event-stream', 'x-request-id': 'rq-1', 'x-session-id': 's-1' };
const MODEL = 'GigaChat-2-Pro:2.0.28.2';

const chunk = (delta: object, over: object = {}, choice: object = {}) =>
  `data: ${JSON.stringify({ choices: [{ delta, index: 0, ...choice }], created: 1_800_000_000, model: MODEL, object: 'chat.completion', ...over })}\n\n`;
const DONE = 'data: [DONE]\n\n';
const usage = { prompt_tokens: 17, completion_tokens: 42, total_tokens: 59, precached_prompt_tokens: 2 };

const start: StreamPart = { type: 'response-start', servedModel: MODEL, providerRequestId: 'rq-1' };
const used: StreamPart = {
  type: 'usage',
  usage: { inputTokens: 17, cacheReadTokens: 2, cacheWriteTokens: 0, outputTokens: 42, reasoningTokens: 0 },
};

async function read(reply: Reply, tools: readonly Tool[] = []) {
  await using fake = await startGigaChat({ answer: () => reply, dependencies: { newId: () => 'minted' } });
  return await collectParts(fake.adapter, providerRequest({ target: fake.target, tools }));
}

/** The parts, which are the same however the bytes are cut. */
async function partsOf(body: string, tools: readonly Tool[] = []): Promise<StreamPart[]> {
  const all = await read({ headers: SSE, body }, tools);
  expect(all.fault).toBeUndefined();
  const cut = await read({ headers: SSE, body, cut: 'every-byte' }, tools);
  expect(cut.parts).toEqual(all.parts);
  return all.parts;
}

describe('streams', () => {
  test('a GigaChat stream of text gives every part in order, with the cached tokens on top of the prompt', async () => {
    const body =
      chunk({ content: 'Раз, ', role: 'assistant' }) +
      chunk({ content: 'два 👍' }) +
      chunk({ content: '' }, { usage }, { finish_reason: 'stop' }) +
      DONE;
    expect(await partsOf(body)).toEqual([
      start,
      { type: 'text-delta', text: 'Раз, ' },
      { type: 'text-delta', text: 'два 👍' },
      used,
      { type: 'finish', reason: 'stop', providerReason: 'stop' },
    ]);
  });

  test('a GigaChat stream of reasoning and a function call mints an id, and keeps state and reasoning for the next turn', async () => {
    const call = { name: 'fn_2fa', arguments: { user: 'Ая', tries: [1, 2] } };
    const body =
      chunk({ role: 'assistant', reasoning_content: 'Надо ' }) +
      chunk({ reasoning_content: 'спросить.' }) +
      chunk(
        { role: 'assistant', content: '', function_call: call, functions_state_id: 'state-1' },
        { usage },
        { finish_reason: 'function_call' },
      ) +
      DONE;
    expect(await partsOf(body, [{ name: '2fa', parameters: {} }])).toEqual([
      start,
      { type: 'reasoning-delta', text: 'Надо ' },
      { type: 'reasoning-delta', text: 'спросить.' },
      {
        type: 'tool-call-delta',
        index: 0,
        callId: 'call_minted',
        name: '2fa',
        argumentsText: '{"user":"Ая","tries":[1,2]}',
      },
      used,
      {
        type: 'finish',
        reason: 'tool-calls',
        providerReason: 'function_call',
        continuation: { functionsStateId: 'state-1', reasoning: 'Надо спросить.' },
      },
    ]);
  });

  test('a GigaChat stream tells nothing of the service’s own functions but their state', async () => {
    const body =
      chunk({ role: 'function_in_progress', content: 'searching', functions_state_id: 'state-2' }) +
      chunk({ role: 'assistant', content: 'Found.' }) +
      chunk({ content: '' }, {}, { finish_reason: 'stop' });
    expect(await partsOf(body)).toEqual([
      start,
      { type: 'text-delta', text: 'Found.' },
      {
        type: 'finish',
        reason: 'stop',
        providerReason: 'stop',
        continuation: { functionsStateId: 'state-2' },
      },
    ]);
  });

  test.each([
    ['length', 'length'],
    ['blacklist', 'content-filter'],
    ['error', 'other'],
    ['brand_new', 'other'],
  ])('a GigaChat stream that finishes with %s ends with %s', async (finishReason, reason) => {
    const body =
      chunk({ content: 'Не могу' }) +
      chunk({ content: '' }, { usage }, { finish_reason: finishReason }) +
      DONE;
    expect((await partsOf(body)).at(-1)).toEqual({ type: 'finish', reason, providerReason: finishReason });
  });

  test('a GigaChat stream with a call that has no arguments, or text for them, is a call all the same', async () => {
    const body =
      chunk({ function_call: { name: 'now' } }) +
      chunk({ function_call: { name: 'say', arguments: '{"a":1}' } }, {}, { finish_reason: 'stop' }) +
      DONE;
    expect(await partsOf(body)).toEqual([
      start,
      { type: 'tool-call-delta', index: 0, callId: 'call_minted', name: 'now', argumentsText: '{}' },
      { type: 'tool-call-delta', index: 1, callId: 'call_minted', name: 'say', argumentsText: '{"a":1}' },
      { type: 'finish', reason: 'tool-calls', providerReason: 'stop' },
    ]);
  });
});

test('a whole JSON answer of GigaChat gives the same parts as a stream', async () => {
  const reply = whole(
    { content: 'Привет', function_call: { name: 'f', arguments: {} }, functions_state_id: 's' },
    'function_call',
    usage,
  );
  expect((await read(reply)).parts).toEqual([
    { type: 'response-start', servedModel: 'GigaChat:2.0', providerRequestId: 'rq-1' },
    { type: 'text-delta', text: 'Привет' },
    { type: 'tool-call-delta', index: 0, callId: 'call_minted', name: 'f', argumentsText: '{}' },
    used,
    {
      type: 'finish',
      reason: 'tool-calls',
      providerReason: 'function_call',
      continuation: { functionsStateId: 's' },
    },
  ]);
});

describe('faults within a stream', () => {
  const begun = chunk({ content: 'par' });
  test.each([
    [
      'data: {"status":500,"message":"Internal Server Error"}\n\n',
      { code: 'PROVIDER_UNAVAILABLE', message: 'Internal Server Error' },
    ],
    [
      'data: {"status":429,"message":"Too Many Requests"}\n\n',
      { code: 'PROVIDER_RATE_LIMITED', transient: true },
    ],
    ['data: {"error":{"message":"oh"}}\n\n', { code: 'PROVIDER_UNAVAILABLE', message: 'oh' }],
    ['error: {"message":"crash"}\n\n', { code: 'PROVIDER_UNAVAILABLE', message: 'crash' }],
    ['data: {"choices":7}\n\n', { code: 'PROVIDER_PROTOCOL' }],
    ['data: {"choi\n\n', { code: 'PROVIDER_PROTOCOL' }],
    [DONE, { code: 'PROVIDER_PROTOCOL' }],
    ['', { code: 'PROVIDER_PROTOCOL', message: 'The stream ended without a finish reason.' }],
  ])(
    'a GigaChat fault within a stream such as %j is raised after the content before it',
    async (body, expected) => {
      for (const cut of [undefined, 'every-byte'] as const) {
        const result = await read({ headers: SSE, body: begun + body, ...(cut ? { cut } : {}) });
        expect(result.parts).toEqual([start, { type: 'text-delta', text: 'par' }]);
        expect(result.fault).toMatchObject({ phase: 'stream', ...expected });
      }
    },
  );

  test('a GigaChat connection that breaks off is a fault within a stream', async () => {
    const { fault } = await read({ headers: SSE, body: begun, fault: { cutAfterBytes: begun.length } });
    expect(fault).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', phase: 'stream' });
  });
});

describe('GigaChat error answers', () => {
  test.each([
    [
      400,
      { status: 400, message: 'Bad request' },
      { code: 'PROVIDER_INVALID_REQUEST', providerRequestId: 'rq-1' },
    ],
    [
      402,
      { status: 402, message: 'Payment Required' },
      { code: 'PROVIDER_AUTHENTICATION', transient: false },
    ],
    [403, { status: 403, message: 'Permission denied' }, { code: 'PROVIDER_AUTHENTICATION' }],
    [404, { status: 404, message: 'No such model' }, { code: 'MODEL_UNAVAILABLE', message: 'No such model' }],
    [413, { status: 413, message: 'Payload too large' }, { code: 'PROVIDER_INVALID_REQUEST' }],
    [
      422,
      { status: 422, message: 'Invalid params: system message must be the first message' },
      { code: 'PROVIDER_INVALID_REQUEST' },
    ],
    [
      422,
      { status: 422, message: 'Requested model does not support functions' },
      { code: 'CAPABILITY_MISSING' },
    ],
    [
      422,
      { status: 422, message: 'Invalid params: prompt tokens exceed the limit' },
      { code: 'CONTEXT_LENGTH_EXCEEDED' },
    ],
    [429, { status: 429, message: 'Too Many Requests' }, { code: 'PROVIDER_RATE_LIMITED', transient: true }],
    [
      500,
      { status: 500, message: 'Internal Server Error' },
      { code: 'PROVIDER_UNAVAILABLE', transient: true },
    ],
  ])('a GigaChat error answer of status %i is translated once: %j', async (status, body, expected) => {
    const { fault, parts } = await read(json(body, status));
    expect(parts).toEqual([]);
    expect(fault).toMatchObject({ status, phase: 'headers', ...expected });
  });

  test('a GigaChat error answer can be a page of the gateway, even with status 200, or a redirect', async () => {
    const page = '<html><head><title>504 Gateway Time-out</title></head></html>';
    expect((await read({ status: 504, body: page })).fault).toMatchObject({
      code: 'PROVIDER_TIMEOUT',
      message: '504 Gateway Time-out',
    });
    expect((await read({ status: 200, body: page })).fault).toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      message: expect.stringContaining('504 Gateway Time-out'),
    });
    expect((await read({ status: 307, headers: { location: '/x' }, body: '' })).fault).toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
    });
  });
});

test('aborting the signal of a stream of GigaChat stops the upstream request, and so does leaving the loop', async () => {
  await using fake = await startGigaChat({
    answer: () => ({ headers: SSE, body: chunk({ content: 'a' }), fault: { stallAfterBytes: 10_000 } }),
  });
  const request = providerRequest({ target: fake.target });
  const controller = new AbortController();
  const reason = new Error('enough');
  const run = async () => {
    for await (const _read of fake.adapter.completions.stream(request, { signal: controller.signal }))
      controller.abort(reason);
  };
  await expect(run()).rejects.toBe(reason);
  for await (const _read of fake.adapter.completions.stream(request, {
    signal: new AbortController().signal,
  }))
    break;
  for (const call of fake.requestsTo('/api/chat/completions')) await call.aborted;
  expect(fake.bodies()).toHaveLength(2);
});
