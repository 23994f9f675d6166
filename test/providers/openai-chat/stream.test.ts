import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/kernel/json.ts';
import type { StreamPart } from '../../../src/providers/contract/completions.ts';
import { createOpenAiChatAdapter } from '../../../src/providers/openai-chat/adapter.ts';
import {
  collectParts,
  providerRequest,
  providerTarget,
  startProvider,
} from '../../support/provider-calls.ts';
import { chunkOf, readReply, START, sse, sseWithoutDone, usageChunk, usagePart } from './chat-calls.ts';

test('the text, finish and the usage behind it of a chat stream become parts in order, with one finish at the end', async () => {
  const { parts, fault } = await readReply({
    headers: { 'content-type': 'text/event-stream', 'x-request-id': 'req-7' },
    body: sse(
      chunkOf({ role: 'assistant', content: '', refusal: null }, null, { usage: null, obfuscation: 'x9' }),
      chunkOf({ content: 'Žluťoučký ' }),
      chunkOf({ content: 'kůň 🐎' }),
      chunkOf({}, 'stop'),
      usageChunk({
        prompt_tokens: 20,
        completion_tokens: 9,
        total_tokens: 29,
        prompt_tokens_details: { cached_tokens: 8 },
        completion_tokens_details: { reasoning_tokens: 4 },
      }),
    ),
  });
  expect(fault).toBeUndefined();
  expect(parts).toEqual([
    { type: 'response-start', servedModel: 'gpt-9-2026', providerRequestId: 'req-7' },
    { type: 'text-delta', text: 'Žluťoučký ' },
    { type: 'text-delta', text: 'kůň 🐎' },
    usagePart(12, 5, { cacheReadTokens: 8, reasoningTokens: 4 }),
    { type: 'finish', reason: 'stop', providerReason: 'stop' },
  ]);
});

test('parts that arrive in one read travel together, and no read is empty', async () => {
  await using side = await startProvider({
    body: [
      sseWithoutDone(chunkOf({ content: 'a' }), chunkOf({ content: 'b' })),
      ': keep-alive\n\n',
      sse(chunkOf({ content: 'c' }), chunkOf({}, 'stop')),
    ],
  });
  const target = providerTarget({ baseUrl: side.upstream.url });
  const reads: number[] = [];
  const stream = createOpenAiChatAdapter(side).completions.stream(providerRequest({ target }), {
    signal: new AbortController().signal,
  });
  for await (const parts of stream) reads.push(parts.length);
  expect(reads).toEqual([3, 2]);
});

test('parallel tool calls are put together by their index', async () => {
  const { parts } = await readReply({
    body: sse(
      chunkOf({
        content: null,
        tool_calls: [{ index: 0, id: 'call_a', type: 'function', function: { name: 'add', arguments: '' } }],
      }),
      chunkOf({ tool_calls: [{ index: 0, function: { arguments: '{"x"' } }] }),
      chunkOf({
        tool_calls: [{ index: 1, id: 'call_b', type: 'function', function: { name: 'now', arguments: '' } }],
      }),
      chunkOf({ tool_calls: [{ index: 0, function: { arguments: ':1}' } }] }),
      chunkOf({}, 'tool_calls'),
    ),
  });
  expect(parts).toEqual([
    START,
    { type: 'tool-call-delta', index: 0, callId: 'call_a', name: 'add', argumentsText: '' },
    { type: 'tool-call-delta', index: 0, argumentsText: '{"x"' },
    { type: 'tool-call-delta', index: 1, callId: 'call_b', name: 'now', argumentsText: '' },
    { type: 'tool-call-delta', index: 0, argumentsText: ':1}' },
    { type: 'tool-call-delta', index: 1, argumentsText: '{}' },
    { type: 'finish', reason: 'tool-calls', providerReason: 'tool_calls' },
  ]);
});

test('whole tool calls that share index 0 under different ids stay apart', async () => {
  const { parts } = await readReply({
    body: sse(
      chunkOf({ tool_calls: [{ index: 0, id: 'a', function: { name: 'add', arguments: '{"x":1}' } }] }),
      chunkOf({ tool_calls: [{ index: 0, id: 'b', function: { name: 'add', arguments: '{"x":2}' } }] }),
      chunkOf({}, 'tool_calls'),
    ),
  });
  expect(parts.filter((part) => part.type === 'tool-call-delta')).toEqual([
    { type: 'tool-call-delta', index: 0, callId: 'a', name: 'add', argumentsText: '{"x":1}' },
    { type: 'tool-call-delta', index: 1, callId: 'b', name: 'add', argumentsText: '{"x":2}' },
  ]);
});

test('a fragment that repeats the name of a tool call, or comes under a new id without one, continues its call', async () => {
  const { parts } = await readReply({
    body: sse(
      chunkOf({ tool_calls: [{ index: 0, id: 'a', function: { name: 'add', arguments: '{' } }] }),
      chunkOf({ tool_calls: [{ index: 0, id: 'a', function: { name: 'add', arguments: '"x"' } }] }),
      chunkOf({ tool_calls: [{ index: 0, id: 'z', function: { name: null, arguments: ':1}' } }] }),
      chunkOf({}, 'tool_calls'),
    ),
  });
  expect(parts.filter((part) => part.type === 'tool-call-delta')).toEqual([
    { type: 'tool-call-delta', index: 0, callId: 'a', name: 'add', argumentsText: '{' },
    { type: 'tool-call-delta', index: 0, argumentsText: '"x"' },
    { type: 'tool-call-delta', index: 0, argumentsText: ':1}' },
  ]);
});

test('tool calls without ids get some, calls without indexes their own, arguments as an object their text', async () => {
  const { parts } = await readReply({
    body: sse(
      chunkOf({
        tool_calls: [{ function: { name: 'add', arguments: { x: 1 } } }, { function: { name: 'now' } }],
      }),
      chunkOf({ tool_calls: [{ function: { arguments: '{"zone":"UTC"}' } }, 'nonsense'] }),
      chunkOf({}, 'tool_calls'),
    ),
  });
  expect(parts.filter((part) => part.type === 'tool-call-delta')).toEqual([
    { type: 'tool-call-delta', index: 0, callId: 'call_minted-1', name: 'add', argumentsText: '{"x":1}' },
    { type: 'tool-call-delta', index: 1, callId: 'call_minted-2', name: 'now', argumentsText: '' },
    { type: 'tool-call-delta', index: 1, argumentsText: '{"zone":"UTC"}' },
  ]);
});

test('a tool call without an index is known again by its id', async () => {
  const { parts } = await readReply({
    body: sse(
      chunkOf({ tool_calls: [{ id: 'a', function: { name: 'add', arguments: '{' } }] }),
      chunkOf({ tool_calls: [{ id: 'a', function: { name: 'add', arguments: '}' } }] }),
      chunkOf({}, 'tool_calls'),
    ),
  });
  expect(parts.filter((part) => part.type === 'tool-call-delta').map((part) => part.index)).toEqual([0, 0]);
});

test('arguments that come before the name of their tool call wait for it', async () => {
  const { parts } = await readReply({
    body: sse(
      chunkOf({ tool_calls: [{ index: 0, id: 'a', function: { arguments: '{' } }] }),
      chunkOf({ tool_calls: [{ index: 0, function: { name: 'now', arguments: '}' } }] }),
      chunkOf({}, 'tool_calls'),
    ),
  });
  expect(parts[1]).toEqual({
    type: 'tool-call-delta',
    index: 0,
    callId: 'a',
    name: 'now',
    argumentsText: '{}',
  });
});

test('a tool call that never gets a name is PROVIDER_PROTOCOL', async () => {
  const { fault } = await readReply({
    body: sse(chunkOf({ tool_calls: [{ index: 0, id: 'a', function: { arguments: '{}' } }] }, 'tool_calls')),
  });
  expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL' });
});

test('a call of the older form is a tool call', async () => {
  const { parts } = await readReply({
    body: sse(chunkOf({ function_call: { name: 'now', arguments: '{}' } }), chunkOf({}, 'function_call')),
  });
  expect(parts.slice(1)).toEqual([
    { type: 'tool-call-delta', index: 0, callId: 'call_minted-1', name: 'now', argumentsText: '{}' },
    { type: 'finish', reason: 'tool-calls', providerReason: 'function_call' },
  ]);
});

test.each([
  ['reasoning_content', { reasoning_content: 'Hm.' }],
  ['reasoning', { reasoning: 'Hm.', channel: 'analysis' }],
  ['both of them, said once', { reasoning_content: 'Hm.', reasoning: 'Hm.' }],
  ['details alone', { reasoning_details: [{ type: 'reasoning.summary', summary: 'Hm.', index: 0 }] }],
  ['a thinking chunk', { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] }] }],
  [
    'a thinking chunk of plain text',
    { content: [{ type: 'thinking', thinking: 'Hm.' }, { type: 'reference' }, 3] },
  ],
] as [string, JsonObject][])('reasoning is read from %s', async (_field, delta) => {
  const { parts } = await readReply({
    body: sse(chunkOf(delta), chunkOf({ content: [{ type: 'text', text: 'Yes.' }] }), chunkOf({}, 'stop')),
  });
  expect(parts).toEqual([
    START,
    { type: 'reasoning-delta', text: 'Hm.' },
    { type: 'text-delta', text: 'Yes.' },
    { type: 'finish', reason: 'stop', providerReason: 'stop' },
  ]);
});

test('a refusal is text, with a warning that says so once', async () => {
  const { parts } = await readReply({
    body: sse(chunkOf({ refusal: 'I will ' }), chunkOf({ refusal: 'not.' }), chunkOf({}, 'stop')),
  });
  expect(parts).toEqual([
    START,
    { type: 'warning', code: 'REFUSAL', message: expect.any(String) },
    { type: 'text-delta', text: 'I will ' },
    { type: 'text-delta', text: 'not.' },
    { type: 'finish', reason: 'stop', providerReason: 'stop' },
  ]);
});

test('media in a chat answer is left out with a warning', async () => {
  const { parts } = await readReply({
    body: sse(
      chunkOf({ content: 'Look:', images: [{ type: 'image_url', image_url: { url: 'data:,' } }] }),
      chunkOf({ content: [{ type: 'image_url', image_url: 'data:,' }] }),
      chunkOf({}, 'stop'),
    ),
  });
  expect(parts.filter((part) => part.type === 'warning')).toEqual([
    { type: 'warning', code: 'OUTPUT_DROPPED', message: expect.any(String) },
  ]);
});

test.each([
  ['length', 'length'],
  ['model_length', 'length'],
  ['eos', 'stop'],
  ['content_filter', 'content-filter'],
  ['something_new', 'other'],
  ['constructor', 'other'],
] as const)('the chat finish reason %s is %s', async (providerReason, reason) => {
  const { parts } = await readReply({ body: sse(chunkOf({ content: 'x' }, providerReason)) });
  expect(parts.at(-1)).toEqual({ type: 'finish', reason, providerReason });
});

test("Azure's first chunk, without choices and model, starts nothing", async () => {
  const { parts } = await readReply({
    body: sse(
      {
        id: '',
        object: '',
        model: '',
        created: 0,
        choices: [],
        prompt_filter_results: [{ prompt_index: 0 }],
      },
      chunkOf({ content: 'x' }, 'stop', { model: 'gpt-4.1-mini' }),
    ),
  });
  expect(parts[0]).toEqual({
    type: 'response-start',
    servedModel: 'gpt-4.1-mini',
    providerRequestId: 'chatcmpl-1',
  });
});

test('usage on every chunk of a chat stream is told when it changes', async () => {
  const usage = (completion: number) => ({
    usage: { prompt_tokens: 3, completion_tokens: completion, total_tokens: 3 + completion },
  });
  const { parts } = await readReply({
    body: sse(
      chunkOf({ content: 'a' }, null, usage(1)),
      chunkOf({ content: 'b' }, null, usage(1)),
      chunkOf({}, 'stop', usage(2)),
    ),
  });
  expect(parts.slice(1)).toEqual([
    { type: 'text-delta', text: 'a' },
    usagePart(3, 1),
    { type: 'text-delta', text: 'b' },
    usagePart(3, 2),
    { type: 'finish', reason: 'stop', providerReason: 'stop' },
  ]);
});

test("Groq's usage is found under its own name", async () => {
  const { parts } = await readReply({
    body: sse(
      chunkOf({ content: 'a' }),
      chunkOf({}, 'stop', {
        x_groq: {
          id: 'req_1',
          usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6, queue_time: 0.1 },
        },
      }),
    ),
  });
  expect(parts.at(-2)).toEqual(usagePart(5, 1));
});

test("Perplexity's last chunk, with CRLF and no [DONE], repeats the whole message, which is not appended", async () => {
  const body = sseWithoutDone(chunkOf({ content: 'Yes' }), {
    ...chunkOf({ content: '' }, 'stop', { object: 'chat.completion.done' }),
    choices: [
      {
        index: 0,
        finish_reason: 'stop',
        message: { role: 'assistant', content: 'Yes' },
        delta: { content: '' },
      },
    ],
  }).replaceAll('\n', '\r\n');
  const { parts } = await readReply({ body });
  expect(parts).toEqual([
    START,
    { type: 'text-delta', text: 'Yes' },
    { type: 'finish', reason: 'stop', providerReason: 'stop' },
  ]);
});

test('of several choices of a chat answer the first is the answer', async () => {
  const { parts } = await readReply({
    body: sse({
      ...chunkOf({}),
      choices: [
        { index: 1, delta: { content: 'no' } },
        { delta: { content: 'yes' }, finish_reason: 'stop' },
      ],
    }),
  });
  expect(parts.filter((part) => part.type === 'text-delta')).toEqual([{ type: 'text-delta', text: 'yes' }]);
});

test.each(['application/json', 'text/event-stream', 'application/octet-stream'])(
  'a chat answer in one piece of JSON, called %s, is read like a stream',
  async (contentType) => {
    const { parts } = await readReply({
      headers: { 'content-type': contentType },
      body: `\n\n${JSON.stringify({
        id: 'chatcmpl-1',
        model: 'gpt-9-2026',
        choices: [
          {
            index: 0,
            finish_reason: 'tool_calls',
            delta: { content: '' },
            message: {
              content: 'Hi',
              reasoning_content: 'Hm.',
              tool_calls: [{ id: 'a', type: 'function', function: { name: 'now', arguments: '{}' } }],
            },
          },
        ],
        usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
      })}`,
    });
    expect(parts).toEqual([
      START,
      { type: 'reasoning-delta', text: 'Hm.' },
      { type: 'text-delta', text: 'Hi' },
      { type: 'tool-call-delta', index: 0, callId: 'a', name: 'now', argumentsText: '{}' },
      usagePart(1, 2),
      { type: 'finish', reason: 'tool-calls', providerReason: 'tool_calls' },
    ]);
  },
);

test('a chat answer in JSON without a finish reason is whole all the same', async () => {
  const { parts } = await readReply({ body: '{"choices":[{"message":{"content":"x"}}]}' });
  expect(parts).toEqual([
    { type: 'response-start' },
    { type: 'text-delta', text: 'x' },
    { type: 'finish', reason: 'other' },
  ]);
});

test.each([
  ['an end without [DONE]', sseWithoutDone(chunkOf({ content: 'cut' }))],
  ['an event that is no JSON', 'data: {"choices":[{"delta":{"content":"cut"}}]}\n\ndata: {"cho\n\n'],
  ['an event that is no object', 'data: {"choices":[{"delta":{"content":"cut"}}]}\n\ndata: 7\n\n'],
])('a chat stream with %s is PROVIDER_PROTOCOL, after what had arrived', async (_kind, body) => {
  const { parts, fault } = await readReply({ body });
  expect(parts.filter((part) => part.type === 'text-delta')).toEqual([{ type: 'text-delta', text: 'cut' }]);
  expect(parts.some((part) => part.type === 'finish')).toBe(false);
  expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL', phase: 'stream' });
});

test('[DONE] without a finish reason is an end where anything was said, and a fault where nothing was', async () => {
  const said = await readReply({
    body: sse(chunkOf({ content: 'all' }), usageChunk({ prompt_tokens: 1, completion_tokens: 1 })),
  });
  expect(said.parts.slice(1)).toEqual([
    { type: 'text-delta', text: 'all' },
    usagePart(1, 1),
    { type: 'finish', reason: 'other' },
  ]);
  const silent = await readReply({ body: sse(chunkOf({ role: 'assistant', content: '' })) });
  expect(silent.fault).toMatchObject({ code: 'PROVIDER_PROTOCOL', phase: 'stream' });
});

test.each(['stop', 'STOP', 'tool_calls', 'tool_use', 'done'])(
  'tool calls that end with "%s" end with tool-calls',
  async (word) => {
    const call = { index: 0, id: 'c1', function: { name: 'f', arguments: '{}' } };
    const { parts } = await readReply({ body: sse(chunkOf({ tool_calls: [call] }), chunkOf({}, word)) });
    expect(parts.at(-1)).toMatchObject({ type: 'finish', reason: 'tool-calls', providerReason: word });
  },
);

test('tool calls that were cut keep the reason that says so', async () => {
  const call = { index: 0, id: 'c1', function: { name: 'f', arguments: '{"a' } };
  const { parts } = await readReply({ body: sse(chunkOf({ tool_calls: [call] }), chunkOf({}, 'length')) });
  expect(parts.at(-1)).toMatchObject({ reason: 'length' });
});

test('a function call whose fields are all empty is none', async () => {
  const nothing = { name: '', arguments: '' };
  const message = {
    role: 'assistant',
    content: 'Hi',
    function_call: nothing,
    tool_calls: [{ id: '', type: 'function', function: nothing }],
  };
  const { parts } = await readReply({
    body: JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }] }),
  });
  expect(parts.slice(1)).toEqual([
    { type: 'text-delta', text: 'Hi' },
    { type: 'finish', reason: 'stop', providerReason: 'stop' },
  ]);
});

test('what a server breaks off behind its finish reason is whole, and so is what it never ends', async () => {
  const whole = sseWithoutDone(chunkOf({ content: 'all' }), chunkOf({}, 'stop'));
  const body = `${whole}data: [DONE]\n\n`;
  for (const fault of [{ cutAfterBytes: whole.length }, { stallAfterBytes: whole.length }]) {
    await using side = await startProvider({ body, fault });
    const target = providerTarget({ baseUrl: side.upstream.url });
    const { parts, fault: raised } = await collectParts(
      createOpenAiChatAdapter(side),
      providerRequest({ target }),
    );
    expect(raised).toBeUndefined();
    expect(parts.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' });
    await expect.poll(() => side.upstream.openConnections()).toBe(0);
  }
}, 20_000);

const REFUSAL = {
  status: 400,
  body: JSON.stringify({
    error: {
      message: 'Your organization must be verified to stream this model.',
      type: 'invalid_request_error',
      param: 'stream',
      code: 'unsupported_value',
    },
  }),
};

test('a provider that does not stream to this organisation is asked for the whole, if that is as good', async () => {
  const json = JSON.stringify({ choices: [{ index: 0, message: { content: 'x' }, finish_reason: 'stop' }] });
  await using side = await startProvider((_request, index) => (index === 0 ? REFUSAL : { body: json }));
  const target = providerTarget({ baseUrl: side.upstream.url });
  const signs: string[] = [];
  const stream = createOpenAiChatAdapter(side).completions.stream(providerRequest({ target }), {
    signal: new AbortController().signal,
    wholeSuffices: true,
    onSign: (sign) => void signs.push(sign),
  });
  const parts: StreamPart[] = [];
  for await (const some of stream) parts.push(...some);
  expect(parts.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' });
  expect(side.upstream.requests[1]?.json()).toMatchObject({ stream: false });
  expect(side.upstream.requests[1]?.json()).not.toHaveProperty('stream_options');
  expect(signs[0]).toBe('whole');
});

test('a provider that does not stream to this organisation is told as such to who wants a stream', async () => {
  await using side = await startProvider(REFUSAL);
  const target = providerTarget({ baseUrl: side.upstream.url });
  const { fault } = await collectParts(createOpenAiChatAdapter(side), providerRequest({ target }));
  expect(fault).toMatchObject({
    code: 'PROVIDER_INVALID_REQUEST',
    status: 400,
    providerCode: 'unsupported_value',
  });
  expect(fault?.message).toMatch(/does not stream.*Verify the organisation.*"complete".*must be verified/);
  expect(side.upstream.requests).toHaveLength(1);
});

test.each([
  ['nothing', '', 'nothing'],
  ['a web page', '<html><title>Sign in</title></html>', 'Sign in'],
  ['a JSON list', '[1]', 'no completion'],
])('a chat answer with %s under a status of 200 is PROVIDER_PROTOCOL', async (_kind, body, words) => {
  const { fault } = await readReply({ body });
  expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL' });
  expect(fault?.message).toContain(words);
});

test('a connection that breaks amid a chat answer is PROVIDER_UNAVAILABLE', async () => {
  const { parts, fault } = await readReply({
    body: sse(chunkOf({ content: 'cut' }), chunkOf({}, 'stop')),
    fault: { cutAfterBytes: 170 },
  });
  expect(parts).toEqual([START, { type: 'text-delta', text: 'cut' }]);
  expect(fault).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', phase: 'stream' });
});

test.each(['error', 'insufficient_system_resource'])(
  'a chat server that gives up with the finish reason %s is PROVIDER_UNAVAILABLE',
  async (reason) => {
    const { fault } = await readReply({ body: sse(chunkOf({ content: 'x' }), chunkOf({}, reason)) });
    expect(fault).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', transient: true, providerCode: reason });
  },
);

test('an aborted signal ends a chat stream with its reason and stops the upstream request', async () => {
  await using side = await startProvider({
    body: sseWithoutDone(chunkOf({ content: 'x' })),
    fault: { stallAfterBytes: Number.POSITIVE_INFINITY },
  });
  const stop = new AbortController();
  const target = providerTarget({ baseUrl: side.upstream.url });
  const reading = (async () => {
    const stream = createOpenAiChatAdapter(side).completions.stream(providerRequest({ target }), {
      signal: stop.signal,
    });
    for await (const _parts of stream) stop.abort(new Error('stopped'));
  })();
  await expect(reading).rejects.toThrow('stopped');
  await side.upstream.requests[0]?.aborted;
});

test('leaving the loop of a chat stream stops the upstream request', async () => {
  await using side = await startProvider({
    body: sseWithoutDone(chunkOf({ content: 'x' })),
    fault: { stallAfterBytes: Number.POSITIVE_INFINITY },
  });
  const target = providerTarget({ baseUrl: side.upstream.url });
  const { signal } = new AbortController();
  for await (const _parts of createOpenAiChatAdapter(side).completions.stream(providerRequest({ target }), {
    signal,
  }))
    break;
  await side.upstream.requests[0]?.aborted;
});

test('a finished chat stream keeps its connection for the next, though bytes follow its end', async () => {
  await using side = await startProvider({ body: [sse(chunkOf({ content: 'x' }, 'stop')), ': bye\n\n'] });
  const target = providerTarget({ baseUrl: side.upstream.url });
  for (let round = 0; round < 3; round++) {
    const { parts } = await collectParts(createOpenAiChatAdapter(side), providerRequest({ target }));
    expect(parts.at(-1)?.type).toBe('finish');
    for (let turn = 0; turn < 5; turn++) await nextTurn();
  }
  expect(side.upstream.openConnections()).toBe(1);
});

test('chunks of a chat stream like those before them are read like any other, with what makes them different', async () => {
  const { parts } = await readReply({
    body: sse(
      chunkOf({ role: 'assistant', content: '' }),
      chunkOf({ content: 'one' }),
      chunkOf({ content: ' two' }),
      chunkOf({ content: '' }),
      chunkOf({ content: '\n"three"\\' }),
      chunkOf({ content: ' four' }, null, {
        usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
      }),
      chunkOf({ content: ' five', reasoning_content: 'Hm' }),
      chunkOf({ content: ' six' }),
      chunkOf({ content: ' seven' }, 'length'),
    ),
  });
  expect(parts.filter(({ type }) => type !== 'response-start')).toEqual([
    { type: 'text-delta', text: 'one' },
    { type: 'text-delta', text: ' two' },
    { type: 'text-delta', text: '\n"three"\\' },
    { type: 'text-delta', text: ' four' },
    usagePart(1, 2),
    { type: 'reasoning-delta', text: 'Hm' },
    { type: 'text-delta', text: ' five' },
    { type: 'text-delta', text: ' six' },
    { type: 'text-delta', text: ' seven' },
    { type: 'finish', reason: 'length', providerReason: 'length' },
  ]);
});
