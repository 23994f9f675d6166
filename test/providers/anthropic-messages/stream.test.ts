// Holds how Messages answers are read: the exact parts of each, from bytes whole and cut at every byte.
import { describe, expect, test } from 'vitest';
import { createAnthropicMessagesAdapter } from '../../../src/providers/anthropic-messages/adapter.ts';
import type { ProviderRequest, StreamPart } from '../../../src/providers/contract/completions.ts';
import type { Reply } from '../../support/fake-upstream.ts';
import {
  collectParts,
  providerRequest,
  providerTarget,
  startProvider,
} from '../../support/provider-calls.ts';
import {
  blockEvents,
  ending,
  eventText,
  jsonReply,
  PING,
  START,
  STOP,
  streamReply,
  textEvents,
  thinkingEvents,
  toolEvents,
} from './answers.ts';

async function read(reply: Reply, over: Partial<ProviderRequest> = {}) {
  await using provider = await startProvider(reply);
  const target = providerTarget({ baseUrl: provider.upstream.url });
  return await collectParts(createAnthropicMessagesAdapter(provider), providerRequest({ ...over, target }));
}

/** The parts, which are the same however the bytes arrive. */
async function partsOf(reply: Reply, over: Partial<ProviderRequest> = {}): Promise<StreamPart[]> {
  const whole = await read(reply, over);
  const cut = await read({ ...reply, cut: 'every-byte' }, over);
  expect(whole.fault).toBeUndefined();
  expect(cut.parts).toEqual(whole.parts);
  expect(cut.reads.every((parts) => parts.length > 0)).toBe(true);
  return whole.parts;
}

const started: StreamPart = {
  type: 'response-start',
  servedModel: 'claude-test-1',
  providerRequestId: 'req_own',
};
const inputUsage = { inputTokens: 10, cacheReadTokens: 7, cacheWriteTokens: 5 };
const firstUsage: StreamPart = {
  type: 'usage',
  usage: { ...inputUsage, outputTokens: 1, reasoningTokens: 0 },
};
const lastUsage: StreamPart = {
  type: 'usage',
  usage: { ...inputUsage, outputTokens: 9, reasoningTokens: 0 },
};

describe('streams', () => {
  test('a Claude stream of text is read with its pings, its padding and its unicode', async () => {
    const events = [START, PING, ...textEvents(0, 'Grüß', ' 👋🏽 ', '世界'), PING, ending('end_turn'), STOP];
    expect(await partsOf(streamReply(events))).toEqual([
      started,
      firstUsage,
      { type: 'text-delta', text: 'Grüß' },
      { type: 'text-delta', text: ' 👋🏽 ' },
      { type: 'text-delta', text: '世界' },
      lastUsage,
      { type: 'finish', reason: 'stop', providerReason: 'end_turn' },
    ]);
  });

  test('a Claude stream of thinking, text and tool calls keeps what has to go back', async () => {
    const redacted = { type: 'redacted_thinking', data: 'c2VjcmV0' };
    const events = [
      START,
      ...thinkingEvents(0, 'Let me see.', 'sig-1'),
      ...blockEvents(1, redacted, []),
      ...textEvents(2, 'I look it up.'),
      ...toolEvents(3, 'toolu_1', 'weather', '{"city":', '"Oslo"}'),
      ...toolEvents(4, 'toolu_2', 'time'),
      ending('tool_use', { output_tokens: 9, output_tokens_details: { thinking_tokens: 4 } }),
      STOP,
    ];
    expect(await partsOf(streamReply(events))).toEqual([
      started,
      firstUsage,
      { type: 'reasoning-delta', text: 'Let me see.' },
      { type: 'text-delta', text: 'I look it up.' },
      { type: 'tool-call-delta', index: 0, callId: 'toolu_1', name: 'weather', argumentsText: '' },
      { type: 'tool-call-delta', index: 0, argumentsText: '{"city":' },
      { type: 'tool-call-delta', index: 0, argumentsText: '"Oslo"}' },
      { type: 'tool-call-delta', index: 1, callId: 'toolu_2', name: 'time', argumentsText: '' },
      { type: 'tool-call-delta', index: 1, argumentsText: '{}' },
      { type: 'usage', usage: { ...inputUsage, outputTokens: 5, reasoningTokens: 4 } },
      {
        type: 'finish',
        reason: 'tool-calls',
        providerReason: 'tool_use',
        continuation: {
          blocks: [
            { kind: 'opaque', block: { type: 'thinking', thinking: 'Let me see.', signature: 'sig-1' } },
            { kind: 'opaque', block: redacted },
            { kind: 'text', length: 13 },
            { kind: 'call', callId: 'toolu_1' },
            { kind: 'call', callId: 'toolu_2' },
          ],
        },
      },
    ]);
  });

  test('a Claude stream of server tools shows only text, and keeps calls, results and citations', async () => {
    const call = { type: 'server_tool_use', id: 'srv_1', name: 'web_search', input: {} };
    const result = {
      type: 'web_search_tool_result',
      tool_use_id: 'srv_1',
      content: [{ encrypted_content: 'x' }],
    };
    const citation = { type: 'web_search_result_location', url: 'https://example.com' };
    const events = [
      START,
      ...blockEvents(0, call, [
        { type: 'input_json_delta', partial_json: '{"query":' },
        { type: 'input_json_delta', partial_json: '"x"}' },
      ]),
      ...blockEvents(1, result, []),
      ...blockEvents(2, { type: 'text', text: '', citations: [] }, [
        { type: 'citations_delta', citation },
        { type: 'text_delta', text: 'Found.' },
        { type: 'unheard_of_delta' },
      ]),
      { type: 'unheard_of_event' },
      ending('pause_turn', { input_tokens: 40, output_tokens: 9 }),
      STOP,
    ];
    expect(await partsOf(streamReply(events))).toEqual([
      started,
      firstUsage,
      { type: 'text-delta', text: 'Found.' },
      { type: 'usage', usage: { ...inputUsage, inputTokens: 40, outputTokens: 9, reasoningTokens: 0 } },
      {
        type: 'finish',
        reason: 'other',
        providerReason: 'pause_turn',
        continuation: {
          blocks: [
            { kind: 'opaque', block: { ...call, input: { query: 'x' } } },
            { kind: 'opaque', block: result },
            { kind: 'text', length: 6, extra: { citations: [citation] } },
          ],
        },
      },
    ]);
  });

  test('a Claude stream whose start is sent twice has one start', async () => {
    const parts = await partsOf(
      streamReply([START, START, ...textEvents(0, 'Hi'), ending('end_turn'), STOP]),
    );
    expect(parts.filter(({ type }) => type === 'response-start')).toHaveLength(1);
  });

  test('a Claude stream whose tool input comes with the block start has its arguments', async () => {
    const block = { type: 'tool_use', id: 't1', name: 'add', input: { a: 1 } };
    const parts = await partsOf(streamReply([START, ...blockEvents(0, block, []), ending('tool_use'), STOP]));
    expect(parts.slice(2, 4)).toEqual([
      { type: 'tool-call-delta', index: 0, callId: 't1', name: 'add', argumentsText: '' },
      { type: 'tool-call-delta', index: 0, argumentsText: '{"a":1}' },
    ]);
  });

  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['refusal', 'content-filter'],
    ['something_new', 'other'],
  ])('a Claude stream that stops for %s finishes with %s', async (stopReason, reason) => {
    const parts = await partsOf(streamReply([START, ...textEvents(0, 'Hi'), ending(stopReason), STOP]));
    expect(parts.at(-1)).toEqual({ type: 'finish', reason, providerReason: stopReason });
  });

  test('a Claude stream that is refused tells why', async () => {
    const details = { stop_details: { type: 'refusal', category: 'cyber', explanation: 'Not this.' } };
    const parts = await partsOf(streamReply([START, ending('refusal', {}, details), STOP]));
    expect(parts.slice(-2)).toEqual([
      { type: 'warning', code: 'PROVIDER_REFUSAL', message: 'Not this.' },
      { type: 'finish', reason: 'content-filter', providerReason: 'refusal' },
    ]);
  });

  test('a Claude stream without a stop reason finishes as other', async () => {
    const parts = await partsOf(streamReply([START, ending(null), STOP]));
    expect(parts.at(-1)).toEqual({ type: 'finish', reason: 'other' });
  });
});

describe('schemas by a forced tool', () => {
  test('a Claude schema asked for by a forced tool gives the arguments as text, and no tool call', async () => {
    const events = [START, ...toolEvents(0, 't1', 'city', '{"name":', '"Oslo"}'), ending('tool_use'), STOP];
    const parts = await partsOf(streamReply(events), {
      model: { key: 'claude-3-haiku-20240307', reasoning: false },
      responseFormat: { type: 'json-schema', name: 'city', schema: { type: 'object' } },
    });
    expect(parts.slice(2)).toEqual([
      { type: 'text-delta', text: '{"name":' },
      { type: 'text-delta', text: '"Oslo"}' },
      lastUsage,
      { type: 'finish', reason: 'stop', providerReason: 'tool_use' },
    ]);
  });
});

describe('whole answers', () => {
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-test-1',
    content: [
      { type: 'thinking', thinking: 'Hm.', signature: 's' },
      { type: 'text', text: 'Hi' },
      { type: 'tool_use', id: 't1', name: 'add', input: { a: 1 } },
    ],
    stop_reason: 'tool_use',
    usage: { input_tokens: 3, output_tokens: 2 },
  };

  test('a whole Claude answer to a stream request is read as the stream that it would have been, whatever its content type says', async () => {
    const parts = await partsOf({
      headers: { 'content-type': 'text/event-stream' },
      body: JSON.stringify(message),
    });
    expect(parts).toEqual([
      { type: 'response-start', servedModel: 'claude-test-1', providerRequestId: 'msg_1' },
      { type: 'reasoning-delta', text: 'Hm.' },
      { type: 'text-delta', text: 'Hi' },
      { type: 'tool-call-delta', index: 0, callId: 't1', name: 'add', argumentsText: '' },
      { type: 'tool-call-delta', index: 0, argumentsText: '{"a":1}' },
      {
        type: 'usage',
        usage: {
          inputTokens: 3,
          cacheReadTokens: 0,
          cacheWriteTokens: 0,
          outputTokens: 2,
          reasoningTokens: 0,
        },
      },
      {
        type: 'finish',
        reason: 'tool-calls',
        providerReason: 'tool_use',
        continuation: {
          blocks: [
            { kind: 'opaque', block: { type: 'thinking', thinking: 'Hm.', signature: 's' } },
            { kind: 'text', length: 2 },
            { kind: 'call', callId: 't1' },
          ],
        },
      },
    ]);
  });

  test('a whole Claude answer to a stream request that is an error with status 200 is that error', async () => {
    const body = { type: 'error', error: { type: 'api_error', message: 'Broken.' }, request_id: 'req_9' };
    const { fault, parts } = await read(jsonReply(body));
    expect(parts).toEqual([]);
    expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL', message: 'Broken.', providerCode: 'api_error' });
  });

  test('a whole Claude answer to a stream request that is a web page is a protocol fault with the page title', async () => {
    const { fault } = await read({ body: '<html><title>Sign in</title></html>' });
    expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL', message: 'Sign in' });
  });
});

describe('streams that go wrong', () => {
  test('a Claude stream that goes wrong by an error event shows what came before and raises what the event says', async () => {
    const error = {
      type: 'error',
      error: { type: 'overloaded_error', message: 'Overloaded' },
      request_id: 'req_7',
    };
    const events = [
      START,
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: 'A' } },
      error,
    ];
    const { parts, fault } = await read(streamReply(events));
    expect(parts).toEqual([started, firstUsage, { type: 'text-delta', text: 'A' }]);
    expect(fault).toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      message: 'Overloaded',
      providerCode: 'overloaded_error',
      providerRequestId: 'req_7',
      phase: 'stream',
      transient: true,
    });
  });

  test('a Claude stream that goes wrong by ending before it says why is a protocol fault', async () => {
    const { fault } = await read(streamReply([START, ...textEvents(0, 'Hi')]));
    expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL', phase: 'stream', transient: true });
  });

  test('a Claude stream that breaks off once it has said why it ended is whole all the same', async () => {
    const events = [START, ...textEvents(0, 'Hi'), ending('end_turn')];
    const reply = streamReply([...events, STOP]);
    const cutAfterBytes = String(streamReply(events).body).length;
    for (const answer of [streamReply(events), { ...reply, fault: { cutAfterBytes } }]) {
      const { parts, fault } = await read(answer);
      expect(fault).toBeUndefined();
      expect(parts.at(-1)).toEqual({ type: 'finish', reason: 'stop', providerReason: 'end_turn' });
    }
  });

  test('a Claude stream that goes wrong by an empty body is a protocol fault', async () => {
    const { fault } = await read({ headers: { 'content-type': 'text/event-stream' }, body: '' });
    expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL' });
  });

  test.each([
    ['data that is not JSON', 'event: x\ndata: nonsense\n\n'],
    ['a malformed event', eventText({ type: 'content_block_start', index: 'a' })],
    [
      'a delta of no block',
      eventText({ type: 'content_block_delta', index: 3, delta: { type: 'text_delta', text: 'x' } }),
    ],
  ])('a Claude stream that goes wrong by %s is a protocol fault', async (_name, body) => {
    const { fault } = await read({ headers: { 'content-type': 'text/event-stream' }, body });
    expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL', phase: 'stream' });
  });

  test('a Claude stream that goes wrong by a broken connection is PROVIDER_UNAVAILABLE', async () => {
    const { parts, fault } = await read(
      streamReply([START, ...textEvents(0, 'Hi')], { fault: { cutAfterBytes: 500 } }),
    );
    expect(parts.length).toBeGreaterThan(0);
    expect(fault).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', phase: 'stream' });
  });
});

describe('leaving', () => {
  test('an aborted Claude stream stops the upstream request', async () => {
    await using provider = await startProvider(
      streamReply([START, ...textEvents(0, 'Hi')], { fault: { stallAfterBytes: 400 } }),
    );
    const controller = new AbortController();
    const adapter = createAnthropicMessagesAdapter(provider);
    const target = providerTarget({ baseUrl: provider.upstream.url });
    const stream = adapter.completions.stream(providerRequest({ target }), { signal: controller.signal });
    const reading = (async () => {
      for await (const _parts of stream) controller.abort(new Error('enough'));
    })();
    await expect(reading).rejects.toThrow('enough');
    await provider.upstream.requests[0]?.aborted;
  });

  test('leaving the loop over a Claude stream early stops the upstream request', async () => {
    await using provider = await startProvider(
      streamReply([START, ...textEvents(0, 'Hi')], { fault: { stallAfterBytes: 400 } }),
    );
    const target = providerTarget({ baseUrl: provider.upstream.url });
    const stream = createAnthropicMessagesAdapter(provider).completions.stream(providerRequest({ target }), {
      signal: new AbortController().signal,
    });
    for await (const _parts of stream) break;
    await provider.upstream.requests[0]?.aborted;
  });
});
