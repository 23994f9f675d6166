// Holds what Gemini is sent for each request, what it cannot be told, and what goes back in a tool loop.
import { expect, test } from 'vitest';
import type { Message, ProviderRequest, Tool } from '../../../src/providers/contract.ts';
import { createGeminiAdapter } from '../../../src/providers/gemini/adapter.ts';
import { assistantMessageOf, systemMessage, toolMessage, userMessage } from '../../support/provider-calls.ts';
import { callGemini, events, piece, SSE } from './answers.ts';

const DONE = { headers: SSE, body: events(piece([{ text: 'ok' }], { finishReason: 'STOP' })) };

async function sent(over: Partial<ProviderRequest>, quirks = {}) {
  const { received, unsupported } = await callGemini(DONE, over, { quirks });
  return { body: received?.json() as Record<string, unknown>, path: received?.path, unsupported, received };
}

const weather: Tool = {
  name: 'weather',
  description: 'Weather of a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, additionalProperties: false },
};
const dice: Tool = { name: 'dice', parameters: { type: 'object', properties: {} } };
const image = (over: object): Message => ({
  role: 'user',
  parts: [{ type: 'image', image: over as never }],
  toolCalls: [],
});

test('everything that Gemini knows travels under its own names', async () => {
  const { body, path, received, unsupported } = await sent({
    messages: [systemMessage('Be brief.'), userMessage('Hello'), systemMessage('In Polish.')],
    parameters: {
      maxTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      stop: ['END'],
      seed: 7,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      reasoningEffort: 'low',
    },
    tools: [weather, dice],
    toolChoice: { type: 'tool', name: 'weather' },
    responseFormat: { type: 'json-schema', name: 'answer', schema: { type: 'object' }, strict: true },
    providerOptions: {
      generationConfig: { topK: 20 },
      safetySettings: [],
      cachedContent: 'cachedContents/1',
    },
  });
  expect(path).toBe('/models/gemini-3-flash:streamGenerateContent?alt=sse');
  expect(received?.headers['x-goog-api-key']).toBe('sk-test');
  expect(unsupported).toEqual([]);
  expect(body).toEqual({
    systemInstruction: { parts: [{ text: 'Be brief.' }, { text: 'In Polish.' }] },
    contents: [{ role: 'user', parts: [{ text: 'Hello' }] }],
    tools: [
      {
        functionDeclarations: [
          { name: 'weather', description: 'Weather of a city', parametersJsonSchema: weather.parameters },
          { name: 'dice' },
        ],
      },
    ],
    toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['weather'] } },
    generationConfig: {
      maxOutputTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      topK: 20,
      stopSequences: ['END'],
      seed: 7,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      responseMimeType: 'application/json',
      responseJsonSchema: { type: 'object' },
      thinkingConfig: { includeThoughts: true, thinkingLevel: 'LOW' },
    },
    safetySettings: [],
    cachedContent: 'cachedContents/1',
  });
});

test('a plain question sends nothing that was not asked for', async () => {
  const { body } = await sent({ model: { key: 'tunedModels/my own', reasoning: false } });
  expect(body).toEqual({ contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] });
});

test('a model of a collection of its own keeps its path', async () => {
  const { path } = await sent({ model: { key: 'tunedModels/my own', reasoning: false } });
  expect(path).toBe('/tunedModels/my%20own:streamGenerateContent?alt=sse');
});

test('instructions that stand alone are said by the user, since contents may not be empty', async () => {
  const { body } = await sent({ messages: [systemMessage('Say hello.')] });
  expect(body).toMatchObject({ contents: [{ role: 'user', parts: [{ text: 'Say hello.' }] }] });
  expect(body).not.toHaveProperty('systemInstruction');
});

test.each([
  [{ type: 'auto' }, false, { mode: 'AUTO' }],
  [{ type: 'none' }, false, { mode: 'NONE' }],
  [{ type: 'required' }, true, { mode: 'ANY' }],
  [undefined, true, { mode: 'VALIDATED' }],
  [undefined, false, undefined],
] as const)('tool choice %j with strict %s is %j', async (toolChoice, strict, config) => {
  const { body } = await sent({
    tools: [{ ...weather, strict }],
    ...(toolChoice ? { toolChoice } : {}),
  });
  expect(body.toolConfig).toEqual(config && { functionCallingConfig: config });
});

test.each([
  ['gemini-3-flash', { reasoningEffort: 'minimal' }, {}, { includeThoughts: true, thinkingLevel: 'MINIMAL' }],
  ['gemini-3-flash', { reasoningEffort: 'max' }, {}, { includeThoughts: true, thinkingLevel: 'HIGH' }],
  [
    'gemini-3-pro',
    { reasoningEffort: 'medium' },
    { thinkingLevels: ['low', 'high'] },
    { includeThoughts: true, thinkingLevel: 'HIGH' },
  ],
  [
    'gemini-3-pro',
    { reasoningEffort: 'high' },
    { thinkingLevels: ['low'] },
    { includeThoughts: true, thinkingLevel: 'LOW' },
  ],
  ['gemini-3-flash', { reasoningTokens: 500 }, {}, { includeThoughts: true, thinkingBudget: 500 }],
  ['gemini-2.5-flash', { reasoningEffort: 'medium' }, {}, { includeThoughts: true, thinkingBudget: 8192 }],
  ['gemini-2.5-flash', { reasoningEffort: 'none' }, {}, { thinkingBudget: 0 }],
  ['gemini-2.5-flash', { reasoningTokens: 0 }, {}, { thinkingBudget: 0 }],
  [
    'gemini-2.5-pro',
    { reasoningEffort: 'max' },
    { thinkingBudgetMax: 32_768 },
    { includeThoughts: true, thinkingBudget: 32_768 },
  ],
  [
    'own-name',
    { reasoningEffort: 'low' },
    { thinking: 'budget' },
    { includeThoughts: true, thinkingBudget: 1024 },
  ],
  ['gemini-flash-latest', {}, {}, { includeThoughts: true }],
] as const)('%s thinks with %j and quirks %j as %j', async (key, parameters, quirks, thinkingConfig) => {
  const { body, unsupported } = await sent({ model: { key, reasoning: true }, parameters }, quirks);
  expect(body.generationConfig).toEqual({ thinkingConfig });
  expect(unsupported).toEqual([]);
});

test.each([
  [
    'gemini-3-flash',
    true,
    { reasoningEffort: 'none' },
    {},
    ['parameters.reasoningEffort'],
    { includeThoughts: true },
  ],
  [
    'gemini-2.5-pro',
    true,
    { reasoningEffort: 'none' },
    { thinkingBudgetMin: 128 },
    ['parameters.reasoningEffort'],
    { includeThoughts: true },
  ],
  [
    'gemini-2.5-flash',
    true,
    { reasoningTokens: 90_000 },
    {},
    ['parameters.reasoningTokens'],
    { includeThoughts: true },
  ],
  [
    'gemini-3-flash',
    true,
    { reasoningTokens: 0 },
    {},
    ['parameters.reasoningTokens'],
    { includeThoughts: true },
  ],
  [
    'gemini-2.5-flash',
    true,
    { reasoningEffort: 'low', reasoningTokens: 600 },
    {},
    ['parameters.reasoningEffort'],
    { includeThoughts: true, thinkingBudget: 600 },
  ],
  [
    'gemini-2.0-flash',
    false,
    { reasoningEffort: 'low', reasoningTokens: 600 },
    {},
    ['parameters.reasoningEffort', 'parameters.reasoningTokens'],
    undefined,
  ],
] as const)(
  '%s (thinks: %s) cannot be told %j with quirks %j',
  async (key, reasoning, parameters, quirks, paths, thinkingConfig) => {
    const { body, unsupported } = await sent({ model: { key, reasoning }, parameters }, quirks);
    expect(unsupported.map(({ path }) => path)).toEqual(paths);
    expect((body.generationConfig as { thinkingConfig?: object } | undefined)?.thinkingConfig).toEqual(
      thinkingConfig,
    );
  },
);

test('what Gemini cannot be told is named and left out', async () => {
  const { body, unsupported } = await sent({
    parameters: {
      repetitionPenalty: 1.1,
      logitBias: { 1: 5 },
      parallelToolCalls: false,
      stop: ['1', '2', '3', '4', '5', '6'],
    },
    messages: [
      {
        role: 'system',
        parts: [{ type: 'image', image: { url: 'https://x/a.png', detail: 'low' } }],
        toolCalls: [],
      },
      userMessage('Hello'),
      image({ data: 'AA==', mediaType: 'image/png', detail: 'high' }),
    ],
  });
  expect(unsupported.map(({ path }) => path)).toEqual([
    'parameters.repetitionPenalty',
    'parameters.logitBias',
    'parameters.parallelToolCalls',
    'parameters.stop',
    'messages[0].parts[0]',
    'messages',
  ]);
  expect(body).toEqual({
    contents: [
      { role: 'user', parts: [{ text: 'Hello' }] },
      { role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data: 'AA==' } }] },
    ],
    generationConfig: { thinkingConfig: { includeThoughts: true } },
  });
});

test('JSON output beside tools is refused by early models only', async () => {
  const over = { tools: [dice], responseFormat: { type: 'json' } } as const;
  const early = await sent({ ...over, model: { key: 'gemini-2.5-flash', reasoning: false } });
  expect(early.unsupported).toEqual([{ path: 'responseFormat', message: expect.stringContaining('tools') }]);
  expect(early.body).not.toHaveProperty('generationConfig');
  const late = await sent({ ...over, model: { key: 'gemini-3-pro', reasoning: false } });
  expect(late.unsupported).toEqual([]);
  expect(late.body.generationConfig).toEqual({ responseMimeType: 'application/json' });
});

test('images travel as data or by address, with the detail of the request', async () => {
  const { body } = await sent({
    model: { key: 'gemini-3-flash', reasoning: false },
    messages: [
      image({ url: 'https://example.com/cat.webp?size=2', detail: 'low' }),
      image({ url: 'https://example.com/cat', detail: 'low' }),
      image({ url: 'not an address', detail: 'low' }),
    ],
  });
  expect(body).toEqual({
    contents: [
      ['image/webp', 'https://example.com/cat.webp?size=2'],
      ['image/jpeg', 'https://example.com/cat'],
      ['image/jpeg', 'not an address'],
    ].map(([mimeType, fileUri]) => ({ role: 'user', parts: [{ fileData: { mimeType, fileUri } }] })),
    generationConfig: { mediaResolution: 'MEDIA_RESOLUTION_LOW' },
  });
});

test('an endpoint that fetches nothing is sent no addresses', async () => {
  const messages = [userMessage('Look'), image({ url: 'https://example.com/cat.png' })];
  const { body, unsupported } = await sent({ messages }, { imageUrls: false });
  expect(unsupported.map(({ path }) => path)).toEqual(['messages[1].parts[0]']);
  expect(body.contents).toEqual([{ role: 'user', parts: [{ text: 'Look' }] }]);
});

test('a loop of three turns echoes each signature and each own id on its part', async () => {
  const call = (name: string, args: object, more: object = {}) => ({ functionCall: { name, args, ...more } });
  const answers = [
    events(
      piece([{ text: 'Let me ' }]),
      piece([
        { text: 'see.' },
        { ...call('weather', { city: 'Oslo' }, { id: 'fc-1' }), thoughtSignature: 'sig-a' },
      ]),
      piece([call('dice', {})], { finishReason: 'STOP' }),
    ),
    events(
      piece([{ ...call('dice', {}), thoughtSignature: 'sig-b' }, call('dice', {})], { finishReason: 'STOP' }),
    ),
    events(piece([{ text: 'Done.' }], { finishReason: 'STOP' })),
  ];
  const messages: Message[] = [userMessage('Go')];
  const bodies: Record<string, unknown>[] = [];
  for (const body of answers) {
    const { parts, received } = await callGemini(
      { headers: SSE, body },
      { messages: [...messages], tools: [weather, dice] },
    );
    bodies.push(received?.json() as Record<string, unknown>);
    const answer = assistantMessageOf(parts);
    messages.push(answer);
    // Answered in the reverse order: Gemini pairs calls without ids by their order.
    for (const { callId, name } of answer.toolCalls.toReversed())
      messages.push(toolMessage(callId, `"${name} ${callId}"`));
  }
  expect(bodies[2]?.contents).toEqual([
    { role: 'user', parts: [{ text: 'Go' }] },
    {
      role: 'model',
      parts: [
        { text: 'Let me see.' },
        { functionCall: { id: 'fc-1', name: 'weather', args: { city: 'Oslo' } }, thoughtSignature: 'sig-a' },
        { functionCall: { name: 'dice', args: {} } },
      ],
    },
    {
      role: 'user',
      parts: [
        { functionResponse: { id: 'fc-1', name: 'weather', response: { output: '"weather fc-1"' } } },
        { functionResponse: { name: 'dice', response: { output: '"dice call_minted-0"' } } },
      ],
    },
    {
      role: 'model',
      parts: [
        { functionCall: { name: 'dice', args: {} }, thoughtSignature: 'sig-b' },
        { functionCall: { name: 'dice', args: {} } },
      ],
    },
    {
      role: 'user',
      parts: [
        { functionResponse: { name: 'dice', response: { output: '"dice call_minted-0"' } } },
        { functionResponse: { name: 'dice', response: { output: '"dice call_minted-1"' } } },
      ],
    },
  ]);
});

const foreign: Message[] = [
  userMessage('Go'),
  {
    role: 'assistant',
    parts: [{ type: 'text', text: 'Hm.' }],
    toolCalls: [
      { callId: 'toolu_1', name: 'weather', argumentsText: '{"city":"Oslo"}' },
      { callId: 'toolu_2', name: 'dice', argumentsText: '' },
    ],
    continuation: { blocks: ['of another protocol'] },
  },
  toolMessage('toolu_1', '{"celsius":4}'),
  {
    ...toolMessage('toolu_2', '[1,2]'),
    parts: [
      { type: 'text', text: '[1,2]' },
      { type: 'image', image: { data: 'AA==', mediaType: 'image/png' } },
    ],
  },
];

test('calls that another vendor made are marked as such where signatures are required', async () => {
  const { body, unsupported } = await sent({ messages: foreign });
  expect(unsupported).toEqual([]);
  expect((body.contents as unknown[]).slice(1)).toEqual([
    {
      role: 'model',
      parts: [
        { text: 'Hm.' },
        {
          functionCall: { name: 'weather', args: { city: 'Oslo' } },
          thoughtSignature: 'skip_thought_signature_validator',
        },
        { functionCall: { name: 'dice', args: {} } },
      ],
    },
    {
      role: 'user',
      parts: [
        { functionResponse: { name: 'weather', response: { celsius: 4 } } },
        {
          functionResponse: {
            name: 'dice',
            response: { output: [1, 2] },
            parts: [{ inlineData: { mimeType: 'image/png', data: 'AA==' } }],
          },
        },
      ],
    },
  ]);
});

test('early models need no such mark, and take no images from tools', async () => {
  const { body, unsupported } = await sent({
    messages: foreign,
    model: { key: 'gemini-2.5-pro', reasoning: true },
  });
  expect(unsupported.map(({ path }) => path)).toEqual(['messages[3].parts[1]']);
  expect(JSON.stringify(body)).not.toMatch(/thoughtSignature|inlineData/);
});

test('thoughts and parts of other kinds go back in their places', async () => {
  const code = { executableCode: { code: '1' } };
  const { body } = await sent({
    messages: [
      userMessage('Go'),
      {
        role: 'assistant',
        parts: [{ type: 'text', text: 'ab' }],
        toolCalls: [],
        continuation: {
          steps: [
            { kind: 'thought', text: 'idea', signature: 's0' },
            { kind: 'text', length: 1, signature: 's1' },
            { kind: 'part', part: code },
            { kind: 'text', length: 1 },
          ],
        },
      },
      userMessage('On'),
    ],
  });
  expect((body.contents as unknown[])[1]).toEqual({
    role: 'model',
    parts: [
      { text: 'idea', thought: true, thoughtSignature: 's0' },
      { text: 'a', thoughtSignature: 's1' },
      code,
      { text: 'b' },
    ],
  });
});

test('a message that the caller changed is sent as it is now, without its old signatures', async () => {
  const { body } = await sent({
    messages: [
      userMessage('Go'),
      {
        role: 'assistant',
        parts: [{ type: 'text', text: 'rewritten' }],
        toolCalls: [],
        continuation: { steps: [{ kind: 'text', length: 3, signature: 's1' }] },
      },
      userMessage('On'),
    ],
  });
  expect((body.contents as unknown[])[1]).toEqual({ role: 'model', parts: [{ text: 'rewritten' }] });
});

test('a result that answers no call is refused before anything is sent', async () => {
  const { fault, received } = await callGemini(DONE, {
    messages: [userMessage('Go'), toolMessage('lost', 'x')],
  });
  expect(fault).toMatchObject({ code: 'PROVIDER_INVALID_REQUEST', message: expect.stringContaining('lost') });
  expect(received).toBeUndefined();
});

test('quirks that are none are told of', async () => {
  const { fault } = await callGemini(DONE, {}, { quirks: { thinking: 'sometimes' } }).catch((error) => ({
    fault: error,
  }));
  expect(fault).toMatchObject({ code: 'MODEL_UNAVAILABLE', message: expect.stringContaining('thinking') });
});

test('the protocol is called gemini', () => {
  expect(createGeminiAdapter({ http: undefined as never }).protocol).toBe('gemini');
});
