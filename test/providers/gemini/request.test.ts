// Holds what Gemini is sent for each request, and what it cannot be told.

import { expect, test } from 'vitest';
import type { Message } from '../../../src/providers/contract/completions.ts';
import { createGeminiAdapter } from '../../../src/providers/gemini/adapter.ts';
import { dependenciesOn, NO_WAY_OUT, systemMessage, userMessage } from '../../support/provider-calls.ts';
import { callGemini, DONE, dice, sent, weather } from './answers.ts';

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

test('a plain question to Gemini sends nothing that was not asked for', async () => {
  const { body } = await sent({ model: { key: 'tunedModels/my own', reasoning: false } });
  expect(body).toEqual({ contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] });
});

test('a model of a collection of its own keeps its path in a request to Gemini', async () => {
  const { path } = await sent({ model: { key: 'tunedModels/my own', reasoning: false } });
  expect(path).toBe('/tunedModels/my%20own:streamGenerateContent?alt=sse');
});

test('instructions that stand alone are said by the user to Gemini, whose contents may not be empty', async () => {
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
] as const)(
  'the tool choice %j with strict %s is sent to Gemini as %j',
  async (toolChoice, strict, config) => {
    const { body } = await sent({
      tools: [{ ...weather, strict }],
      ...(toolChoice ? { toolChoice } : {}),
    });
    expect(body.toolConfig).toEqual(config && { functionCallingConfig: config });
  },
);

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
] as const)(
  'the Gemini model %s thinks with %j and quirks %j as %j',
  async (key, parameters, quirks, thinkingConfig) => {
    const { body, unsupported } = await sent({ model: { key, reasoning: true }, parameters }, quirks);
    expect(body.generationConfig).toEqual({ thinkingConfig });
    expect(unsupported).toEqual([]);
  },
);

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
  'the Gemini model %s (thinks: %s) cannot be told %j with quirks %j',
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

test('JSON output beside tools is refused by early models of Gemini only', async () => {
  const over = { tools: [dice], responseFormat: { type: 'json' } } as const;
  const early = await sent({ ...over, model: { key: 'gemini-2.5-flash', reasoning: false } });
  expect(early.unsupported).toEqual([{ path: 'responseFormat', message: expect.stringContaining('tools') }]);
  expect(early.body).not.toHaveProperty('generationConfig');
  const late = await sent({ ...over, model: { key: 'gemini-3-pro', reasoning: false } });
  expect(late.unsupported).toEqual([]);
  expect(late.body.generationConfig).toEqual({ responseMimeType: 'application/json' });
});

test('images travel to Gemini as data or by address, with the detail of the request', async () => {
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

test('an endpoint of Gemini that fetches nothing is sent no addresses', async () => {
  const messages = [userMessage('Look'), image({ url: 'https://example.com/cat.png' })];
  const { body, unsupported } = await sent({ messages }, { imageUrls: false });
  expect(unsupported.map(({ path }) => path)).toEqual(['messages[1].parts[0]']);
  expect(body.contents).toEqual([{ role: 'user', parts: [{ text: 'Look' }] }]);
});

test('quirks of Gemini that are none are told of', async () => {
  const { fault } = await callGemini(DONE, {}, { quirks: { thinking: 'sometimes' } }).catch((error) => ({
    fault: error,
  }));
  expect(fault).toMatchObject({ code: 'MODEL_UNAVAILABLE', message: expect.stringContaining('thinking') });
});

test('the protocol of Gemini is called gemini', () => {
  expect(createGeminiAdapter(dependenciesOn(NO_WAY_OUT)).protocol).toBe('gemini');
});
