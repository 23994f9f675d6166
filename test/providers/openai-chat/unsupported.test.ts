import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/kernel/json.ts';
import type { Message, ProviderRequest } from '../../../src/providers/contract/completions.ts';
import { createOpenAiChatAdapter } from '../../../src/providers/openai-chat/adapter.ts';
import {
  dependenciesOn,
  NO_WAY_OUT,
  providerRequest,
  providerTarget,
  toolMessage,
  userMessage,
} from '../../support/provider-calls.ts';
import { postedBody } from './chat-calls.ts';

const adapter = createOpenAiChatAdapter(dependenciesOn(NO_WAY_OUT));

function pathsOf(over: Partial<ProviderRequest>, quirks: JsonObject = {}): string[] {
  const request = providerRequest({ ...over, target: providerTarget({ quirks }) });
  return adapter.completions.unsupported(request).map(({ path }) => path);
}

const TOOL = { name: 'now', parameters: { type: 'object' } };

function imageMessage(
  role: 'user' | 'assistant',
  image: { url: string } | { data: string; mediaType: string },
): Message {
  return {
    role,
    parts: [
      { type: 'text', text: 'x' },
      { type: 'image', image },
    ],
    toolCalls: [],
  };
}

const BY_URL = { url: 'https://pictures.example/a.png' };
const AS_DATA = { data: 'AAAA', mediaType: 'image/png' };

test('a row without quirks supports what OpenAI takes, and no more', () => {
  const parameters = {
    temperature: 1,
    topP: 1,
    stop: ['x'],
    seed: 1,
    logitBias: {},
    reasoningEffort: 'low',
  } as const;
  expect(
    pathsOf({
      parameters,
      tools: [TOOL],
      toolChoice: { type: 'required' },
      responseFormat: { type: 'json' },
    }),
  ).toEqual([]);
  expect(pathsOf({ parameters: { topK: 1, repetitionPenalty: 1, reasoningTokens: 1 } })).toEqual([
    'parameters.topK',
    'parameters.repetitionPenalty',
    'parameters.reasoningTokens',
  ]);
});

test('a parameter that a server takes beyond OpenAI’s is supported where its row says so', () => {
  const quirks = { extras: ['topK', 'repetitionPenalty'], reasoningStyle: 'object' };
  expect(pathsOf({ parameters: { topK: 1, repetitionPenalty: 1, reasoningTokens: 1 } }, quirks)).toEqual([]);
});

test('a parameter that is lacked when reasoning is lacked by models that reason only', () => {
  const quirks = { lacksWhenReasoning: ['temperature'] };
  const parameters = { temperature: 1 };
  expect(pathsOf({ parameters }, quirks)).toEqual([]);
  expect(pathsOf({ parameters, model: { key: 'o9', reasoning: true } }, quirks)).toEqual([
    'parameters.temperature',
  ]);
});

test('an effort that the server does not know, or that stands beside a number of tokens, is refused', () => {
  const quirks = { reasoningEfforts: { low: 'low', high: 'high' } };
  expect(pathsOf({ parameters: { reasoningEffort: 'high' } }, quirks)).toEqual([]);
  expect(pathsOf({ parameters: { reasoningEffort: 'minimal' } }, quirks)).toEqual([
    'parameters.reasoningEffort',
  ]);
  const switched = { reasoningStyle: 'thinking' };
  expect(pathsOf({ parameters: { reasoningEffort: 'none' } }, switched)).toEqual([]);
  expect(pathsOf({ parameters: { reasoningEffort: 'low' } }, switched)).toEqual([
    'parameters.reasoningEffort',
  ]);
  expect(
    pathsOf({ parameters: { reasoningEffort: 'low', reasoningTokens: 9 } }, { reasoningStyle: 'object' }),
  ).toEqual(['parameters.reasoningEffort']);
});

test.each<[string, Partial<ProviderRequest>, string[]]>([
  ['tools', { tools: [TOOL], toolChoice: { type: 'required' } }, ['tools']],
  ['tools.strict', { tools: [TOOL, { ...TOOL, strict: true }] }, ['tools[1].strict']],
  ['toolChoice', { tools: [TOOL], toolChoice: { type: 'none' } }, ['toolChoice']],
  ['toolChoice', { tools: [TOOL], toolChoice: { type: 'auto' } }, []],
  ['toolChoice.required', { tools: [TOOL], toolChoice: { type: 'required' } }, ['toolChoice']],
  ['toolChoice.required', { tools: [TOOL], toolChoice: { type: 'tool', name: 'now' } }, []],
  ['toolChoice.named', { tools: [TOOL], toolChoice: { type: 'tool', name: 'now' } }, ['toolChoice']],
  ['responseFormat.json', { responseFormat: { type: 'json' } }, ['responseFormat']],
  [
    'responseFormat.json-schema',
    { responseFormat: { type: 'json-schema', name: 'a', schema: {} } },
    ['responseFormat'],
  ],
  ['images', { messages: [imageMessage('user', BY_URL)] }, ['messages[0].parts[1]']],
  [
    'images.url',
    { messages: [imageMessage('user', BY_URL), imageMessage('user', AS_DATA)] },
    ['messages[0].parts[1]'],
  ],
  [
    'images.data',
    { messages: [imageMessage('user', BY_URL), imageMessage('user', AS_DATA)] },
    ['messages[1].parts[1]'],
  ],
])('in a row without %s, %j is told as %j', (feature, over, paths) => {
  expect(pathsOf(over, { lacks: [feature] })).toEqual(paths);
});

test('images stand in user messages only', () => {
  expect(pathsOf({ messages: [imageMessage('assistant', AS_DATA)] })).toEqual(['messages[0].parts[1]']);
});

test('the words for a parameter that is not supported name the provider', () => {
  const [first] = adapter.completions.unsupported(providerRequest({ parameters: { topK: 1 } }));
  expect(first?.message).toBe('The provider fake does not take topK with this model.');
});

test('a parameter that is not supported is left out of the call, and the rest is sent', async () => {
  const messages: Message[] = [
    imageMessage('user', BY_URL),
    {
      role: 'assistant',
      parts: [{ type: 'text', text: 'hm' }],
      toolCalls: [{ callId: '1', name: 'now', argumentsText: '{}' }],
    },
    toolMessage('1', 'noon'),
    userMessage('And?'),
  ];
  const body = await postedBody(
    {
      messages,
      parameters: { temperature: 1, topK: 3 },
      tools: [TOOL],
      toolChoice: { type: 'required' },
      responseFormat: { type: 'json' },
    },
    { lacks: ['tools', 'images', 'responseFormat.json'] },
  );
  expect(body).toEqual({
    model: 'model-1',
    messages: [
      { role: 'user', content: 'x' },
      { role: 'assistant', content: 'hm' },
      { role: 'user', content: 'And?' },
    ],
    stream: true,
    stream_options: { include_usage: true },
    temperature: 1,
  });
});

test('quirks that no server has are refused by name', () => {
  expect(() => pathsOf({}, { maxTokenName: 'max_tokens' })).toThrow(/maxTokenName/);
});
