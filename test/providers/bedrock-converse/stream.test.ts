// Holds how Converse answers are read: the exact parts of each, from bytes whole and cut at every byte.
import { describe, expect, test } from 'vitest';
import { createBedrockConverseAdapter } from '../../../src/providers/bedrock-converse/adapter.ts';
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
  bytesReply,
  type Event,
  eventFrame,
  exceptionFrame,
  frame,
  jsonReply,
  metadata,
  reasoningEvents,
  START,
  stop,
  streamReply,
  textEvents,
  toolEvents,
} from './answers.ts';

async function read(reply: Reply, over: Partial<ProviderRequest> = {}) {
  await using provider = await startProvider(reply);
  const target = providerTarget({ baseUrl: provider.upstream.url });
  const adapter = createBedrockConverseAdapter(provider);
  return await collectParts(adapter, providerRequest({ ...over, target }));
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

const started: StreamPart = { type: 'response-start', providerRequestId: 'req-own' };
const usage: StreamPart = {
  type: 'usage',
  usage: { inputTokens: 4, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 6, reasoningTokens: 0 },
};

describe('streams', () => {
  test('a Bedrock stream of text is read with its unicode, and Nova keeps its tags', async () => {
    const events = [
      START,
      ...textEvents(0, '<thinking>Hm</thinking>', ' Grüß 👋🏽'),
      stop('end_turn'),
      metadata(),
    ];
    expect(await partsOf(streamReply(events))).toEqual([
      started,
      { type: 'text-delta', text: '<thinking>Hm</thinking>' },
      { type: 'text-delta', text: ' Grüß 👋🏽' },
      usage,
      { type: 'finish', reason: 'stop', providerReason: 'end_turn' },
    ]);
  });

  test('a Bedrock stream of reasoning, text and tool calls keeps what has to go back', async () => {
    const redacted = (text: string) => ({
      reasoningContent: { redactedContent: Buffer.from(text).toString('base64') },
    });
    const events: Event[] = [
      START,
      ...reasoningEvents(0, 'Let me see.', 'sig-1'),
      ...blockEvents(1, [redacted('a'), redacted('bc')]),
      ...textEvents(2, 'Looking.'),
      ...toolEvents(3, 'tooluse_1', 'weather', '{"city":', '"Oslo"}'),
      ...toolEvents(4, 'tooluse_2', 'time', ''),
      stop('tool_use'),
      metadata({ inputTokens: 4, outputTokens: 6, cacheReadInputTokens: 8, cacheWriteInputTokens: 9 }),
    ];
    expect(await partsOf(streamReply(events))).toEqual([
      started,
      { type: 'reasoning-delta', text: 'Let me see.' },
      { type: 'text-delta', text: 'Looking.' },
      { type: 'tool-call-delta', index: 0, callId: 'tooluse_1', name: 'weather', argumentsText: '' },
      { type: 'tool-call-delta', index: 0, argumentsText: '{"city":' },
      { type: 'tool-call-delta', index: 0, argumentsText: '"Oslo"}' },
      { type: 'tool-call-delta', index: 1, callId: 'tooluse_2', name: 'time', argumentsText: '' },
      { type: 'tool-call-delta', index: 1, argumentsText: '{}' },
      {
        type: 'usage',
        usage: {
          inputTokens: 4,
          cacheReadTokens: 8,
          cacheWriteTokens: 9,
          outputTokens: 6,
          reasoningTokens: 0,
        },
      },
      {
        type: 'finish',
        reason: 'tool-calls',
        providerReason: 'tool_use',
        continuation: {
          blocks: [
            {
              kind: 'opaque',
              block: { reasoningContent: { reasoningText: { text: 'Let me see.', signature: 'sig-1' } } },
            },
            { kind: 'opaque', block: { reasoningContent: { redactedContent: 'YWJj' } } },
            { kind: 'text', length: 8 },
            { kind: 'call', callId: 'tooluse_1' },
            { kind: 'call', callId: 'tooluse_2' },
          ],
        },
      },
    ]);
  });

  test('a Bedrock stream of unsigned reasoning has nothing to send back', async () => {
    const events = [
      START,
      ...blockEvents(0, [{ reasoningContent: { text: 'Hm' } }]),
      ...textEvents(1, 'A'),
      stop('end_turn'),
      metadata(),
    ];
    expect((await partsOf(streamReply(events))).at(-1)).toEqual({
      type: 'finish',
      reason: 'stop',
      providerReason: 'end_turn',
    });
  });

  test('a Bedrock stream shows nothing of what the provider ran itself, nor of events not heard of', async () => {
    const server = { toolUse: { toolUseId: 's1', name: 'nova_grounding', type: 'server_tool_use' } };
    const events: Event[] = [
      START,
      START,
      ...blockEvents(0, [{ toolUse: { input: '{"q":1}' } }], server),
      ...blockEvents(1, [{ toolResult: [{ text: 'hidden' }] }], { toolResult: { toolUseId: 's1' } }),
      ['somethingNew', { text: 'x' }],
      ...blockEvents(2, [{ text: 'Found.' }, { citation: { title: 't' } }]),
      stop('end_turn'),
      metadata(),
      metadata(),
    ];
    expect(await partsOf(streamReply(events))).toEqual([
      started,
      { type: 'text-delta', text: 'Found.' },
      usage,
      { type: 'finish', reason: 'stop', providerReason: 'end_turn' },
    ]);
  });

  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['guardrail_intervened', 'content-filter'],
    ['content_filtered', 'content-filter'],
    ['malformed_tool_use', 'other'],
  ])('a Bedrock stream that stops for %s finishes with %s', async (stopReason, reason) => {
    const parts = await partsOf(streamReply([START, ...textEvents(0, 'Hi'), stop(stopReason), metadata()]));
    expect(parts.at(-1)).toEqual({ type: 'finish', reason, providerReason: stopReason });
  });

  test('a Bedrock stream without metadata finishes without usage', async () => {
    expect(await partsOf(streamReply([START, ...textEvents(0, 'Hi'), stop(null)]))).toEqual([
      started,
      { type: 'text-delta', text: 'Hi' },
      { type: 'finish', reason: 'other' },
    ]);
  });

  test('a Bedrock stream for a schema by forced tool gives the arguments as text', async () => {
    const events = [
      START,
      ...toolEvents(0, 't1', 'city', '{"name":', '"Oslo"}'),
      stop('tool_use'),
      metadata(),
    ];
    const parts = await partsOf(streamReply(events), {
      model: { key: 'amazon.nova-lite-v1:0', reasoning: false },
      responseFormat: { type: 'json-schema', name: 'city', schema: { type: 'object' } },
    });
    expect(parts.slice(1)).toEqual([
      { type: 'text-delta', text: '{"name":' },
      { type: 'text-delta', text: '"Oslo"}' },
      usage,
      { type: 'finish', reason: 'stop', providerReason: 'tool_use' },
    ]);
  });
});

describe('whole answers', () => {
  test('a whole Bedrock answer is read as the stream that it would have been', async () => {
    const content = [
      { reasoningContent: { reasoningText: { text: 'Hm.', signature: 's' } } },
      { reasoningContent: { redactedContent: 'YWJj' } },
      { text: 'Hi' },
      { citationsContent: { content: [{ text: ' there' }], citations: [] } },
      { reasoningContent: {} },
      { toolUse: { toolUseId: 't1', name: 'add', input: { a: 1 } } },
    ];
    const body = {
      output: { message: { role: 'assistant', content } },
      stopReason: 'tool_use',
      usage: { inputTokens: 4, outputTokens: 6, cacheReadInputTokenCount: 2, cacheWriteInputTokenCount: 3 },
    };
    expect(await partsOf(jsonReply(body))).toEqual([
      { type: 'response-start' },
      { type: 'reasoning-delta', text: 'Hm.' },
      { type: 'text-delta', text: 'Hi' },
      { type: 'text-delta', text: ' there' },
      { type: 'tool-call-delta', index: 0, callId: 't1', name: 'add', argumentsText: '' },
      { type: 'tool-call-delta', index: 0, argumentsText: '{"a":1}' },
      {
        type: 'usage',
        usage: {
          inputTokens: 4,
          cacheReadTokens: 2,
          cacheWriteTokens: 3,
          outputTokens: 6,
          reasoningTokens: 0,
        },
      },
      {
        type: 'finish',
        reason: 'tool-calls',
        providerReason: 'tool_use',
        continuation: {
          blocks: [
            { kind: 'opaque', block: content[0] },
            { kind: 'opaque', block: content[1] },
            { kind: 'text', length: 2 },
            { kind: 'text', length: 6 },
            { kind: 'call', callId: 't1' },
          ],
        },
      },
    ]);
  });

  test('a whole Bedrock answer that is an error with status 200 is that error', async () => {
    const unknown = {
      Output: { __type: 'com.amazon.coral.service#UnknownOperationException' },
      message: 'No such operation.',
    };
    expect((await read(jsonReply(unknown))).fault).toMatchObject({
      code: 'PROVIDER_PROTOCOL',
      message: 'No such operation.',
    });
  });
});

describe('streams that go wrong', () => {
  test.each([
    ['throttlingException', 'PROVIDER_RATE_LIMITED', 'ThrottlingException', true],
    ['internalServerException', 'PROVIDER_UNAVAILABLE', 'InternalServerException', true],
    ['serviceUnavailableException', 'PROVIDER_UNAVAILABLE', 'ServiceUnavailableException', true],
    ['modelStreamErrorException', 'PROVIDER_UNAVAILABLE', 'ModelStreamErrorException', true],
    ['modelTimeoutException', 'PROVIDER_TIMEOUT', 'ModelTimeoutException', true],
    ['validationException', 'PROVIDER_INVALID_REQUEST', 'ValidationException', false],
    ['unheardOfException', 'PROVIDER_UNAVAILABLE', 'UnheardOfException', true],
  ])(
    'a Bedrock stream that goes wrong by %s shows what came before and raises %s',
    async (type, code, providerCode, transient) => {
      const before = Buffer.concat([START, ...textEvents(0, 'Hi')].map(eventFrame));
      const bytes = Buffer.concat([before, exceptionFrame(type, { message: 'It failed.' })]);
      const { parts, fault } = await read(bytesReply(bytes));
      expect(parts).toEqual([started, { type: 'text-delta', text: 'Hi' }]);
      expect(fault).toMatchObject({
        code,
        providerCode,
        transient,
        message: 'It failed.',
        phase: 'stream',
        providerRequestId: 'req-own',
      });
    },
  );

  test('a Bedrock stream that goes wrong by an error frame raises what its headers say', async () => {
    const error = frame(
      { ':message-type': 'error', ':error-code': 'InternalFailure', ':error-message': 'Gone.' },
      '',
    );
    const { fault } = await read(bytesReply(error));
    expect(fault).toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      providerCode: 'InternalFailure',
      message: 'Gone.',
    });
  });

  test('a Bedrock stream that ends without a stop is a protocol fault', async () => {
    const { fault } = await read(streamReply([START, ...textEvents(0, 'Hi')]));
    expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL', phase: 'stream', transient: true });
  });

  test.each([
    ['a damaged payload', (bytes: Buffer) => bytes.fill(0x20, bytes.length - 8, bytes.length - 6)],
    ['a damaged prelude', (bytes: Buffer) => bytes.fill(0, 8, 10)],
    ['an impossible length', (bytes: Buffer) => bytes.fill(0x20, 0, 4)],
    ['half a frame', (bytes: Buffer) => bytes.subarray(0, -3)],
  ])('a Bedrock stream that goes wrong by %s is a protocol fault', async (_name, damage) => {
    const bytes = eventFrame(['contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hi' } }]);
    const { fault, parts } = await read(bytesReply(damage(bytes)));
    expect(parts).toEqual([]);
    expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL', phase: 'stream' });
  });

  test.each([
    ['a malformed event', ['contentBlockDelta', { contentBlockIndex: 'x' }]],
    [
      'arguments of no call',
      ['contentBlockDelta', { contentBlockIndex: 0, delta: { toolUse: { input: '{' } } }],
    ],
  ] as const)(
    'a Bedrock stream with an event of wrong content is a protocol fault: %s',
    async (_name, event) => {
      const { fault } = await read(streamReply([event]));
      expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL', phase: 'stream' });
    },
  );
});

test('an aborted Bedrock stream stops the upstream request', async () => {
  const bytes = Buffer.concat([START, ...textEvents(0, 'Hi')].map(eventFrame));
  await using provider = await startProvider(
    bytesReply(bytes, { fault: { stallAfterBytes: bytes.length - 4 } }),
  );
  const controller = new AbortController();
  const adapter = createBedrockConverseAdapter(provider);
  const target = providerTarget({ baseUrl: provider.upstream.url });
  const stream = adapter.completions.stream(providerRequest({ target }), { signal: controller.signal });
  const reading = (async () => {
    for await (const _parts of stream) controller.abort(new Error('enough'));
  })();
  await expect(reading).rejects.toThrow('enough');
  await provider.upstream.requests[0]?.aborted;
});

test('Bedrock frames that arrive together are one read', async () => {
  const { reads } = await read(
    streamReply([START, ...textEvents(0, 'a', 'b'), stop('end_turn'), metadata()]),
  );
  expect(reads).toHaveLength(1);
});
