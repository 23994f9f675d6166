// Holds that Claude on Vertex is the Messages protocol at Google's addresses, with Google's credentials.
import { describe, expect, test } from 'vitest';
import { Secret } from '../../../src/kernel/secret.ts';
import type { TokenCache } from '../../../src/kernel/token-cache.ts';
import { createAnthropicVertexAdapter } from '../../../src/providers/anthropic-vertex/adapter.ts';
import type { ProviderRequest } from '../../../src/providers/contract/completions.ts';
import type { ProviderTarget } from '../../../src/providers/contract/target.ts';
import type { Answer, Reply } from '../../support/fake-upstream.ts';
import {
  assistantMessageOf,
  collectParts,
  providerRequest,
  providerTarget,
  startProvider,
  toolMessage,
  userMessage,
} from '../../support/provider-calls.ts';

const SSE = { 'content-type': 'text/event-stream' };
const JSON_TYPE = { 'content-type': 'application/json' };
const PATH = '/v1/projects/my-project/locations/us-east5/publishers/anthropic/models';
const noTokens: TokenCache = { get: () => Promise.reject(new Error('no token is needed')) };

function events(...all: ({ type: string } & Record<string, unknown>)[]): string {
  return all.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
}

const message = (...blocks: Record<string, unknown>[]) =>
  events(
    {
      type: 'message_start',
      message: {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'claude-sonnet-4-5',
        content: [],
        usage: { input_tokens: 10, output_tokens: 1 },
      },
    },
    ...blocks.flatMap(({ deltas, ...block }, index) => [
      { type: 'content_block_start', index, content_block: block },
      ...(deltas as object[]).map((delta) => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    ]),
    {
      type: 'message_delta',
      delta: { stop_reason: blocks.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn' },
      usage: { output_tokens: 7 },
    },
    { type: 'message_stop' },
  );

const text = (words: string) => ({ type: 'text', text: '', deltas: [{ type: 'text_delta', text: words }] });

async function callVertex(
  answer: Answer | Reply,
  over: Partial<ProviderRequest> = {},
  target: Partial<ProviderTarget> = {},
) {
  await using provider = await startProvider(answer);
  const adapter = createAnthropicVertexAdapter({ ...provider, tokens: noTokens });
  const request = providerRequest({
    model: { key: 'claude-sonnet-4-5@20250929', reasoning: true, maxOutputTokens: 8000 },
    ...over,
    target: providerTarget({
      baseUrl: provider.upstream.url,
      providerKey: 'google-vertex-anthropic',
      auth: { type: 'google' },
      secret: new Secret('ya29.token'),
      settings: { project: 'my-project', location: 'us-east5' },
      ...target,
    }),
  });
  const collected = await collectParts(adapter, request);
  const check = await adapter.health
    .check(request.target, { signal: new AbortController().signal })
    .catch((error: unknown) => error);
  const [received, checked] = provider.upstream.requests;
  return {
    ...collected,
    check,
    received,
    checked,
    unsupported: adapter.completions.unsupported(request),
    adapter,
  };
}

describe.each([undefined, 'every-byte'] as const)('an answer of Claude on Vertex, cut %s', (cut) => {
  test('an answer of Claude on Vertex is read as the Messages protocol is', async () => {
    const { parts, adapter } = await callVertex({
      headers: SSE,
      body: message(text('Grüße 🌍')),
      ...(cut ? { cut } : {}),
    });
    expect(adapter.protocol).toBe('anthropic-vertex');
    expect(adapter.models).toBeUndefined();
    expect(parts.filter(({ type }) => type !== 'usage')).toEqual([
      { type: 'response-start', servedModel: 'claude-sonnet-4-5', providerRequestId: 'msg_1' },
      { type: 'text-delta', text: 'Grüße 🌍' },
      { type: 'finish', reason: 'stop', providerReason: 'end_turn' },
    ]);
    expect(parts.findLast(({ type }) => type === 'usage')).toMatchObject({
      usage: { inputTokens: 10, outputTokens: 7 },
    });
  });

  test('an answer of Claude on Vertex that ends without its end is a broken protocol', async () => {
    const [whole = ''] = message(text('Hi')).split('event: message_delta');
    const { fault } = await callVertex({ headers: SSE, body: whole, ...(cut ? { cut } : {}) });
    expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL' });
  });
});

test('the model of a Vertex request is in the address and the version in the body', async () => {
  const { received, unsupported } = await callVertex(
    { headers: SSE, body: message(text('ok')) },
    { parameters: { maxTokens: 100 } },
    { quirks: { betas: ['context-1m-2025-08-07'] } },
  );
  expect(received?.path).toBe(`${PATH}/claude-sonnet-4-5@20250929:streamRawPredict`);
  expect(received?.headers).toMatchObject({
    authorization: 'Bearer ya29.token',
    'anthropic-beta': 'context-1m-2025-08-07',
  });
  expect(received?.json()).toMatchObject({
    anthropic_version: 'vertex-2023-10-16',
    max_tokens: 100,
    stream: true,
  });
  expect(received?.json()).not.toHaveProperty('model');
  expect(unsupported).toEqual([]);
});

test('images by address are named and left out for Claude on Vertex, images as data are sent', async () => {
  const { received, unsupported } = await callVertex(
    { headers: SSE, body: message(text('ok')) },
    {
      messages: [
        {
          role: 'user',
          parts: [
            { type: 'text', text: 'Look' },
            { type: 'image', image: { url: 'https://example.com/a.png' } },
            { type: 'image', image: { data: 'AA==', mediaType: 'image/png' } },
          ],
          toolCalls: [],
        },
      ],
    },
  );
  expect(unsupported.map(({ path }) => path)).toEqual(['messages[0].parts[1]']);
  expect(received?.body).toContain('AA==');
  expect(received?.body).not.toContain('example.com');
});

test('a loop of three turns sends signed thinking back to Claude on Vertex where it stood', async () => {
  const thinking = (words: string, signature: string) => ({
    type: 'thinking',
    thinking: '',
    signature: '',
    deltas: [
      { type: 'thinking_delta', thinking: words },
      { type: 'signature_delta', signature },
    ],
  });
  const use = (id: string) => ({
    type: 'tool_use',
    id,
    name: 'dice',
    input: {},
    deltas: [{ type: 'input_json_delta', partial_json: '' }],
  });
  const messages = [userMessage('Go')];
  let last: unknown;
  for (const body of [
    message(thinking('a', 'sig-a'), use('toolu_1')),
    message(thinking('b', 'sig-b'), use('toolu_2')),
    message(text('Done.')),
  ]) {
    const { parts, received } = await callVertex(
      { headers: SSE, body },
      {
        messages: [...messages],
        parameters: { reasoningTokens: 2000 },
        tools: [{ name: 'dice', parameters: { type: 'object', properties: {} } }],
      },
    );
    last = received?.json();
    const answer = assistantMessageOf(parts);
    messages.push(answer, ...answer.toolCalls.map(({ callId }) => toolMessage(callId, '4')));
  }
  const turn = (words: string, signature: string, id: string) => ({
    role: 'assistant',
    content: [
      { type: 'thinking', thinking: words, signature },
      { type: 'tool_use', id, name: 'dice', input: {} },
    ],
  });
  const { messages: turns } = last as { messages: unknown[] };
  expect(turns[1]).toMatchObject(turn('a', 'sig-a', 'toolu_1'));
  expect(turns[3]).toMatchObject(turn('b', 'sig-b', 'toolu_2'));
});

test.each([
  [
    "Anthropic's",
    400,
    '{"type":"error","error":{"type":"invalid_request_error","message":"messages: too few"}}',
    { code: 'PROVIDER_INVALID_REQUEST', message: 'messages: too few' },
    undefined,
  ],
  [
    "Google's",
    404,
    '{"error":{"code":404,"message":"Publisher Model not found.","status":"NOT_FOUND"}}',
    { code: 'MODEL_UNAVAILABLE', message: 'Publisher Model not found.' },
    undefined,
  ],
  [
    "Google's",
    429,
    '[{"error":{"code":429,"message":"Quota exceeded.","status":"RESOURCE_EXHAUSTED"}}]',
    { code: 'PROVIDER_RATE_LIMITED', message: 'Quota exceeded.' },
    { code: 'PROVIDER_RATE_LIMITED' },
  ],
  [
    "Google's",
    403,
    '{"error":{"code":403,"message":"Denied.","status":"PERMISSION_DENIED"}}',
    { code: 'PROVIDER_AUTHENTICATION' },
    { code: 'PROVIDER_AUTHENTICATION' },
  ],
  [
    "a server's",
    502,
    '<html><title>Bad Gateway</title></html>',
    { code: 'PROVIDER_UNAVAILABLE', message: 'Bad Gateway' },
    { code: 'PROVIDER_UNAVAILABLE' },
  ],
  ["a redirect's", 302, '', { code: 'PROVIDER_UNAVAILABLE' }, { code: 'PROVIDER_UNAVAILABLE' }],
])(
  'an error of Claude on Vertex with %s words and status %i is understood, by the check too',
  async (_whose, status, body, expected, ofCheck) => {
    const { fault, check, checked } = await callVertex({ status, headers: JSON_TYPE, body });
    expect(fault).toMatchObject(expected);
    expect(checked?.path).toBe(`${PATH}/claude-sonnet-4-5:rawPredict`);
    if (ofCheck) expect(check).toMatchObject(ofCheck);
    else expect(check).toBeUndefined();
  },
);

test('leaving the loop over an answer of Claude on Vertex stops the upstream request', async () => {
  await using provider = await startProvider({
    headers: SSE,
    body: message(text('Hi')),
    fault: { stallAfterBytes: 500 },
  });
  const adapter = createAnthropicVertexAdapter({ ...provider, tokens: noTokens });
  const request = providerRequest({
    target: providerTarget({
      baseUrl: provider.upstream.url,
      auth: { type: 'google' },
      settings: { project: 'p', location: 'eu' },
    }),
  });
  for await (const _parts of adapter.completions.stream(request, { signal: new AbortController().signal }))
    break;
  await provider.upstream.requests[0]?.aborted;
});

test('the newest models of Claude on Vertex get the beta that dropping stale thinking needs, beside the betas of row and config', async () => {
  const block = { type: 'thinking', thinking: 'Hm.', signature: 's' };
  const thought = { ...assistantMessageOf([{ type: 'text-delta', text: 'Hi' }]) };
  const { received } = await callVertex(
    { headers: SSE, body: message(text('ok')) },
    {
      model: { key: 'claude-opus-5-5', reasoning: true },
      messages: [
        userMessage('Hello'),
        {
          ...thought,
          continuation: {
            blocks: [
              { kind: 'opaque', block },
              { kind: 'text', length: 2 },
            ],
          },
        },
        userMessage('Go on'),
      ],
    },
    { quirks: { betas: ['row-1'] }, headers: { 'anthropic-beta': new Secret('own-1') } },
  );
  expect(received?.headers['anthropic-beta']).toBe('row-1,thinking-binding-controls-2026-08-01,own-1');
});
