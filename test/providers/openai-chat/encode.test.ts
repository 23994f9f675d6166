import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/kernel/json.ts';
import type { Message, ProviderRequest } from '../../../src/providers/contract/completions.ts';
import { systemMessage, toolMessage, userMessage } from '../../support/provider-calls.ts';
import { postedBody } from './chat-calls.ts';

const ADD = {
  name: 'add',
  description: 'Adds.',
  parameters: { type: 'object', properties: { x: { type: 'number' } } },
  strict: true,
};

function assistantCalling(callId: string, more: Partial<Message> = {}): Message {
  return { role: 'assistant', parts: [], toolCalls: [{ callId, name: 'add', argumentsText: '' }], ...more };
}

test('a plain chat request names model, messages, stream and usage, and nothing else', async () => {
  expect(await postedBody({ messages: [systemMessage('Be brief.'), userMessage('Hi')] })).toEqual({
    model: 'model-1',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
    ],
    stream: true,
    stream_options: { include_usage: true },
  });
});

test('every parameter of a chat request goes under the name of the protocol', async () => {
  const parameters: ProviderRequest['parameters'] = {
    maxTokens: 100,
    temperature: 0,
    topP: 0.5,
    stop: ['END'],
    seed: 7,
    presencePenalty: 1,
    frequencyPenalty: -1,
    logitBias: { '50256': -100 },
    reasoningEffort: 'low',
    parallelToolCalls: false,
  };
  expect(await postedBody({ parameters, tools: [ADD] })).toMatchObject({
    max_tokens: 100,
    temperature: 0,
    top_p: 0.5,
    stop: ['END'],
    seed: 7,
    presence_penalty: 1,
    frequency_penalty: -1,
    logit_bias: { '50256': -100 },
    reasoning_effort: 'low',
    parallel_tool_calls: false,
  });
});

test('parallelToolCalls is not sent without tools, which OpenAI refuses', async () => {
  expect(await postedBody({ parameters: { parallelToolCalls: true } })).not.toHaveProperty(
    'parallel_tool_calls',
  );
});

test('quirks rename in a chat request what a server names otherwise', async () => {
  const parameters = { maxTokens: 9, seed: 1, topK: 40, repetitionPenalty: 1.1 };
  const quirks = {
    maxTokensName: 'max_completion_tokens',
    seedName: 'random_seed',
    extras: ['topK', 'repetitionPenalty'],
    repetitionPenaltyName: 'repeat_penalty',
    streamOptions: false,
    systemRole: 'developer',
  };
  const body = await postedBody({ parameters, messages: [systemMessage('S'), userMessage('U')] }, quirks);
  expect(body).toEqual({
    model: 'model-1',
    messages: [
      { role: 'developer', content: 'S' },
      { role: 'user', content: 'U' },
    ],
    stream: true,
    max_completion_tokens: 9,
    random_seed: 1,
    top_k: 40,
    repeat_penalty: 1.1,
  });
});

test.each<[string, JsonObject, ProviderRequest['parameters'], JsonObject]>([
  ['reasoning_effort', {}, { reasoningEffort: 'high' }, { reasoning_effort: 'high' }],
  [
    'the word of the server',
    { reasoningEfforts: { max: 'xhigh' } },
    { reasoningEffort: 'max' },
    { reasoning_effort: 'xhigh' },
  ],
  [
    'an object with an effort',
    { reasoningStyle: 'object' },
    { reasoningEffort: 'low' },
    { reasoning: { effort: 'low' } },
  ],
  [
    'an object with tokens',
    { reasoningStyle: 'object' },
    { reasoningTokens: 512 },
    { reasoning: { max_tokens: 512 } },
  ],
  [
    'a switch that is on',
    { reasoningStyle: 'thinking' },
    { reasoningEffort: 'high' },
    { thinking: { type: 'enabled' } },
  ],
  [
    'a switch that is off',
    { reasoningStyle: 'thinking' },
    { reasoningEffort: 'none' },
    { thinking: { type: 'disabled' } },
  ],
  [
    'switch and effort',
    { reasoningStyle: 'thinking-and-effort' },
    { reasoningEffort: 'max' },
    { thinking: { type: 'enabled' }, reasoning_effort: 'max' },
  ],
  [
    'a switch that is off, without an effort',
    { reasoningStyle: 'thinking-and-effort' },
    { reasoningEffort: 'none' },
    { thinking: { type: 'disabled' } },
  ],
])('reasoning is asked for in a chat request by %s', async (_style, quirks, parameters, expected) => {
  const {
    model: _model,
    messages: _messages,
    stream: _stream,
    stream_options: _options,
    ...rest
  } = await postedBody({ parameters }, quirks);
  expect(rest).toEqual(expected);
});

test('tools, a choice of one and strictness are sent as functions', async () => {
  const body = await postedBody({
    tools: [ADD, { name: 'now', parameters: { type: 'object' } }],
    toolChoice: { type: 'tool', name: 'add' },
  });
  expect(body.tools).toEqual([
    { type: 'function', function: ADD },
    { type: 'function', function: { name: 'now', parameters: { type: 'object' } } },
  ]);
  expect(body.tool_choice).toEqual({ type: 'function', function: { name: 'add' } });
});

test.each([
  [{}, 'required'],
  [{ requiredToolChoice: 'any' }, 'any'],
])('with quirks %j a demanded tool is "%s" in a chat request', async (quirks, word) => {
  const body = await postedBody({ tools: [ADD], toolChoice: { type: 'required' } }, quirks);
  expect(body.tool_choice).toBe(word);
});

test('a tool choice without tools is not sent in a chat request', async () => {
  expect(await postedBody({ toolChoice: { type: 'auto' } })).not.toHaveProperty('tool_choice');
});

test.each<[string, ProviderRequest['responseFormat'], JsonObject, JsonObject | undefined]>([
  ['text', { type: 'text' }, {}, undefined],
  ['json', { type: 'json' }, {}, { type: 'json_object' }],
  [
    'a schema',
    { type: 'json-schema', name: 'point', description: 'A point.', schema: { type: 'object' }, strict: true },
    {},
    {
      type: 'json_schema',
      json_schema: { name: 'point', description: 'A point.', schema: { type: 'object' }, strict: true },
    },
  ],
  [
    'a schema beside its type',
    { type: 'json-schema', name: 'point', schema: { type: 'object' } },
    { jsonSchemaForm: 'inline' },
    { type: 'json_schema', name: 'point', schema: { type: 'object' } },
  ],
])('the format %s is asked for in its form', async (_kind, responseFormat, quirks, expected) => {
  expect((await postedBody({ responseFormat }, quirks)).response_format).toEqual(expected);
});

test('images of a chat request go by URL or as data, with their detail', async () => {
  const messages: Message[] = [
    {
      role: 'user',
      toolCalls: [],
      parts: [
        { type: 'text', text: 'What is this?' },
        { type: 'image', image: { url: 'https://pictures.example/a.png', detail: 'low' } },
        { type: 'image', image: { data: 'AAAA', mediaType: 'image/png' } },
      ],
    },
  ];
  expect((await postedBody({ messages })).messages).toEqual([
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: 'https://pictures.example/a.png', detail: 'low' } },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
      ],
    },
  ]);
  const plain = await postedBody({ messages }, { imageUrlForm: 'string' });
  expect(plain.messages).toMatchObject([
    { content: [{}, { type: 'image_url', image_url: 'https://pictures.example/a.png' }, {}] },
  ]);
});

test('several text parts of a message stay parts, with their cache hints where the server takes any', async () => {
  const messages: Message[] = [
    {
      role: 'user',
      toolCalls: [],
      parts: [
        { type: 'text', text: 'a', cacheHint: true },
        { type: 'text', text: 'b' },
      ],
    },
  ];
  expect((await postedBody({ messages })).messages).toEqual([
    {
      role: 'user',
      content: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    },
  ]);
  expect((await postedBody({ messages }, { cacheControl: true })).messages).toEqual([
    {
      role: 'user',
      content: [
        { type: 'text', text: 'a', cache_control: { type: 'ephemeral' } },
        { type: 'text', text: 'b' },
      ],
    },
  ]);
});

test('a tool loop is sent back with calls, results and an empty object for no arguments', async () => {
  const messages = [userMessage('Add.'), assistantCalling('call_1'), toolMessage('call_1', '3')];
  expect((await postedBody({ messages, tools: [ADD] })).messages).toEqual([
    { role: 'user', content: 'Add.' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'add', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: 'call_1', content: '3' },
  ]);
});

test('ids of other vendors become nine characters where only such are taken, in call and result alike', async () => {
  const messages = [
    assistantCalling('toolu_01ABCdef'),
    toolMessage('toolu_01ABCdef', '3'),
    assistantCalling('abcdeFGH9'),
  ];
  const body = await postedBody({ messages }, { toolCallIds: 'nine-alphanumeric' });
  const [call, result, kept] = body.messages as { tool_calls?: { id: string }[]; tool_call_id?: string }[];
  expect(call?.tool_calls?.[0]?.id).toMatch(/^[a-z0-9]{9}$/);
  expect(result?.tool_call_id).toBe(call?.tool_calls?.[0]?.id);
  expect(kept?.tool_calls?.[0]?.id).toBe('abcdeFGH9');
});

test('where turns are strict, system texts are joined at the head and neighbours of one role become one', async () => {
  const messages = [
    userMessage('a'),
    systemMessage('S1'),
    userMessage('b'),
    { role: 'assistant', parts: [{ type: 'text', text: 'c' }], toolCalls: [] } as Message,
    systemMessage('S2'),
    userMessage('d'),
  ];
  expect((await postedBody({ messages }, { strictTurns: true })).messages).toEqual([
    { role: 'system', content: 'S1\n\nS2' },
    { role: 'user', content: 'a\n\nb' },
    { role: 'assistant', content: 'c' },
    { role: 'user', content: 'd' },
  ]);
  expect((await postedBody({ messages: [userMessage('a')] }, { strictTurns: true })).messages).toEqual([
    { role: 'user', content: 'a' },
  ]);
});

test('where turns are strict, tool calls and their results stay apart', async () => {
  const messages = [
    assistantCalling('1'),
    assistantCalling('2'),
    toolMessage('1', 'x'),
    toolMessage('2', 'y'),
  ];
  const body = await postedBody({ messages }, { strictTurns: true });
  expect((body.messages as JsonObject[]).map(({ role }) => role)).toEqual([
    'assistant',
    'assistant',
    'tool',
    'tool',
  ]);
});

test('provider options are laid over everything in a chat request, verbatim', async () => {
  const body = await postedBody({
    parameters: { temperature: 1 },
    providerOptions: { temperature: 2, provider: { order: ['x'] } },
  });
  expect(body).toMatchObject({ temperature: 2, provider: { order: ['x'] } });
});

const REASONED = { reasoning_content: 'Hm.', foreign: 1 };

test.each([
  ['never', undefined, undefined],
  ['with-tool-calls', 'Hm.', undefined],
  ['always', 'Hm.', 'Hm.'],
])('reasoning is sent back in a chat request %s', async (echoReasoning, withCalls, without) => {
  const messages: Message[] = [
    assistantCalling('1', { continuation: REASONED }),
    { role: 'assistant', parts: [{ type: 'text', text: 'x' }], toolCalls: [], continuation: REASONED },
    assistantCalling('2', { continuation: 'of another protocol' }),
  ];
  const body = await postedBody({ messages }, { echoReasoning });
  const sent = body.messages as JsonObject[];
  expect(sent.map((message) => message.reasoning_content)).toEqual([withCalls, without, undefined]);
  expect(sent.every((message) => message.foreign === undefined)).toBe(true);
});
