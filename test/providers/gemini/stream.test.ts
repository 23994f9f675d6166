// Holds how answers of Gemini become stream parts, whole and cut at every byte.
import { describe, expect, test } from 'vitest';
import { createGeminiAdapter } from '../../../src/providers/gemini/adapter.ts';
import { providerRequest, startProvider } from '../../support/provider-calls.ts';
import { callGemini, events, geminiTarget, JSON_TYPE, piece, SSE, START, usage } from './answers.ts';

const CUTS = [undefined, 'every-byte'] as const;

describe.each(CUTS)('an answer of Gemini, cut %s', (cut) => {
  const stream = (body: string) => callGemini({ headers: SSE, body, ...(cut ? { cut } : {}) });

  test('an answer of Gemini gives thoughts, text and the last of its cumulative counts, in order', async () => {
    const { parts, fault } = await stream(
      events(
        piece([{ text: 'Thinking é', thought: true }], {}, { thoughtsTokenCount: 7 }),
        piece([{ text: 'Grüße ' }], {}, { thoughtsTokenCount: 7, candidatesTokenCount: 2 }),
        piece([{ text: '🌍' }, { text: '' }], {}, { thoughtsTokenCount: 7, candidatesTokenCount: 2 }),
        piece(
          [{ text: '', thoughtSignature: 'sig-end' }],
          { finishReason: 'STOP' },
          {
            thoughtsTokenCount: 7,
            candidatesTokenCount: 3,
            cachedContentTokenCount: 4,
            toolUsePromptTokenCount: 5,
          },
        ),
      ),
    );
    expect(fault).toBeUndefined();
    expect(parts).toEqual([
      START,
      { type: 'reasoning-delta', text: 'Thinking é' },
      usage({ reasoningTokens: 7 }),
      { type: 'text-delta', text: 'Grüße ' },
      usage({ reasoningTokens: 7, outputTokens: 2 }),
      { type: 'text-delta', text: '🌍' },
      usage({ inputTokens: 11, cacheReadTokens: 4, reasoningTokens: 7, outputTokens: 3 }),
      {
        type: 'finish',
        reason: 'stop',
        providerReason: 'STOP',
        continuation: {
          steps: [
            { kind: 'text', length: 8 },
            { kind: 'text', length: 0, signature: 'sig-end' },
          ],
        },
      },
    ]);
  });

  test('an answer of Gemini gives calls whole, with their own ids or minted ones, and says that they end it', async () => {
    const { parts } = await stream(
      events(
        piece([
          {
            functionCall: { name: 'weather', args: { city: 'Kraków' }, id: 'fc-1' },
            thoughtSignature: 'sig-1',
          },
        ]),
        piece([{ functionCall: { name: 'time' } }], { finishReason: 'STOP' }, { candidatesTokenCount: 9 }),
      ),
    );
    expect(parts).toEqual([
      START,
      {
        type: 'tool-call-delta',
        index: 0,
        callId: 'fc-1',
        name: 'weather',
        argumentsText: '{"city":"Kraków"}',
      },
      usage(),
      { type: 'tool-call-delta', index: 1, callId: 'call_minted-0', name: 'time', argumentsText: '{}' },
      usage({ outputTokens: 9 }),
      {
        type: 'finish',
        reason: 'tool-calls',
        providerReason: 'STOP',
        continuation: { steps: [{ kind: 'call', id: 'fc-1', signature: 'sig-1' }, { kind: 'call' }] },
      },
    ]);
  });

  test('an answer of Gemini puts arguments together that Vertex streams in pieces', async () => {
    const { parts } = await stream(
      events(
        piece([{ functionCall: { name: 'order', id: 'fc-1', willContinue: true } }]),
        piece([
          {
            functionCall: {
              partialArgs: [{ jsonPath: '$.to', stringValue: 'Bo', willContinue: true }],
              willContinue: true,
            },
          },
        ]),
        piece([
          {
            functionCall: {
              partialArgs: [
                { jsonPath: '$.to', stringValue: 'ston' },
                { jsonPath: '$.items[0].count', numberValue: 2 },
                { jsonPath: "$.items[1]['gift wrap']", boolValue: true },
                { jsonPath: '$.note', nullValue: 'NULL_VALUE' },
                { jsonPath: '$.__proto__.bad', stringValue: 'no' },
                { jsonPath: '$', stringValue: 'no' },
              ],
              willContinue: true,
            },
          },
        ]),
        piece([{ functionCall: {} }], { finishReason: 'STOP' }),
      ),
    );
    expect(parts.filter(({ type }) => type === 'tool-call-delta')).toEqual([
      { type: 'tool-call-delta', index: 0, callId: 'fc-1', name: 'order', argumentsText: '' },
      {
        type: 'tool-call-delta',
        index: 0,
        argumentsText: '{"to":"Boston","items":[{"count":2},{"gift wrap":true}],"note":null}',
      },
    ]);
  });

  test('an answer of Gemini says nothing of a piece that holds only traffic data', async () => {
    const { parts } = await stream(
      events(
        { usageMetadata: { trafficType: 'ON_DEMAND' }, modelVersion: 'gemini-3-flash', responseId: 'resp-1' },
        piece([{ text: 'Hi' }], { finishReason: 'STOP' }),
      ),
    );
    expect(parts).toEqual([
      START,
      { type: 'text-delta', text: 'Hi' },
      usage(),
      { type: 'finish', reason: 'stop', providerReason: 'STOP' },
    ]);
  });

  test('an answer of Gemini raises a fault that stands as bare JSON behind the events, after what came before it', async () => {
    const bare = JSON.stringify(
      { error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } },
      null,
      2,
    );
    const { parts, fault } = await stream(`${events(piece([{ text: 'Hi' }]))}${bare}\r\n`);
    expect(parts).toEqual([START, { type: 'text-delta', text: 'Hi' }, usage()]);
    expect(fault).toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      message: 'The model is overloaded.',
      providerCode: 'UNAVAILABLE',
      status: 503,
      phase: 'stream',
      transient: true,
    });
  });

  test('an answer of Gemini raises a fault that is an event', async () => {
    const { parts, fault } = await stream(
      events(piece([{ text: 'Hi' }]), {
        error: { code: 429, message: 'Slow down.', status: 'RESOURCE_EXHAUSTED' },
      }),
    );
    expect(parts).toContainEqual({ type: 'text-delta', text: 'Hi' });
    expect(fault).toMatchObject({ code: 'PROVIDER_RATE_LIMITED', message: 'Slow down.' });
  });

  test('an answer of Gemini that ends without a finish reason is a broken protocol', async () => {
    const { parts, fault } = await stream(events(piece([{ text: 'Hi' }])));
    expect(parts).toContainEqual({ type: 'text-delta', text: 'Hi' });
    expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL', phase: 'stream' });
  });
});

test('a fault in bare JSON is found behind an answer of Gemini of any length', async () => {
  const long = Array.from({ length: 12 }, () => events(piece([{ text: 'é'.repeat(10_000) }])));
  const body = [...long, '{"error":{"code":500,"message":"Internal.","status":"INTERNAL"}}'];
  const { parts, fault } = await callGemini({ headers: SSE, body });
  expect(parts.filter(({ type }) => type === 'text-delta')).toHaveLength(12);
  expect(fault).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', message: 'Internal.' });
});

test.each([
  ['STOP', 'stop'],
  ['MAX_TOKENS', 'length'],
  ['SAFETY', 'content-filter'],
  ['RECITATION', 'content-filter'],
  ['MODEL_ARMOR', 'content-filter'],
  ['MALFORMED_FUNCTION_CALL', 'other'],
  ['SOMETHING_NEW', 'other'],
])(
  'the finish reason %s of Gemini is %s, even where the content has no parts',
  async (providerReason, reason) => {
    const body = events({
      candidates: [{ content: {}, finishReason: providerReason }],
      usageMetadata: { promptTokenCount: 10 },
    });
    const { parts } = await callGemini({ headers: SSE, body });
    expect(parts.at(-1)).toEqual({ type: 'finish', reason, providerReason });
  },
);

test('a prompt that Gemini blocks is a content filter, with the tokens that it cost', async () => {
  const body = events({
    promptFeedback: { blockReason: 'PROHIBITED_CONTENT' },
    usageMetadata: { promptTokenCount: 10, totalTokenCount: 10 },
    modelVersion: 'gemini-3-flash',
    responseId: 'resp-1',
  });
  const { parts, fault } = await callGemini({ headers: SSE, body });
  expect(parts).toEqual([START, usage()]);
  expect(fault).toMatchObject({ code: 'PROVIDER_CONTENT_FILTERED', providerCode: 'PROHIBITED_CONTENT' });
});

test.each([
  ['one object', (whole: unknown) => JSON.stringify(whole)],
  [
    'an array, as without alt=sse',
    (whole: unknown) => JSON.stringify([whole, piece([], { finishReason: 'STOP' })], null, 2),
  ],
])('an answer of Gemini in one piece, as %s, is read alike', async (_name, write) => {
  const whole = piece([{ text: 'Hi' }], { finishReason: 'STOP' }, { candidatesTokenCount: 1 });
  const { parts } = await callGemini({ headers: SSE, body: write(whole) });
  expect(parts).toEqual([
    START,
    { type: 'text-delta', text: 'Hi' },
    usage({ outputTokens: 1 }),
    ...(write(whole).startsWith('[') ? [usage()] : []),
    { type: 'finish', reason: 'stop', providerReason: 'STOP' },
  ]);
});

test('an error of Gemini in a 200 is an error', async () => {
  const body = JSON.stringify([{ error: { code: 400, message: 'No.', status: 'INVALID_ARGUMENT' } }]);
  const { fault } = await callGemini({ headers: JSON_TYPE, body });
  expect(fault).toMatchObject({
    code: 'PROVIDER_INVALID_REQUEST',
    message: 'No.',
    providerCode: 'INVALID_ARGUMENT',
  });
});

test.each([
  ['an event that is no JSON', 'data: {"candidates": [\r\n\r\n'],
  ['an event that is no answer', 'data: {"candidates": "none"}\r\n\r\n'],
  ['HTML', '<html><title>Sorry</title></html>'],
  ['nothing', ''],
])('%s is a broken protocol of Gemini', async (_name, body) => {
  const { fault } = await callGemini({ headers: SSE, body });
  expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL' });
});

test('media in an answer of Gemini is left out with one warning, and parts of unknown kinds go back as they came', async () => {
  const code = { executableCode: { language: 'PYTHON', code: 'print(1)' } };
  const body = events(
    piece([
      { inlineData: { mimeType: 'image/png', data: 'AA==' } },
      { inlineData: { mimeType: 'image/png', data: 'AA==' } },
      code,
    ]),
    piece([{ text: 'idea', thought: true, thoughtSignature: 's0' }, { thoughtSignature: 's1' }], {
      finishReason: 'STOP',
    }),
  );
  const { parts } = await callGemini({ headers: SSE, body });
  expect(parts.filter(({ type }) => type === 'warning')).toEqual([
    { type: 'warning', code: 'OUTPUT_DROPPED', message: expect.stringContaining('media') },
  ]);
  expect(parts.at(-1)).toMatchObject({
    continuation: {
      steps: [
        { kind: 'part', part: code },
        { kind: 'thought', text: 'idea', signature: 's0' },
        { kind: 'text', length: 0, signature: 's1' },
      ],
    },
  });
});

test('tokens of Gemini that arrive in one read are given out together', async () => {
  const body = [
    events(piece([{ text: 'a' }]), piece([{ text: 'b' }])),
    events(piece([{ text: 'c' }], { finishReason: 'STOP' })),
  ];
  const { reads } = await callGemini({ headers: SSE, body, pauseMs: 20 });
  expect(reads.map((read) => read.map((part) => ('text' in part ? part.text : part.type)))).toEqual([
    ['response-start', 'a', 'usage', 'b'],
    ['c', 'finish'],
  ]);
});

test.each(['leaving the loop', 'the signal'])(
  'leaving an answer of Gemini stops the upstream request: %s',
  async (how) => {
    await using provider = await startProvider({
      headers: SSE,
      body: events(piece([{ text: 'Hi' }]), piece([{ text: 'more' }])),
      fault: { stallAfterBytes: 300 },
    });
    const abort = new AbortController();
    const request = providerRequest({ target: geminiTarget(provider.upstream.url) });
    const adapter = createGeminiAdapter(provider);
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
