// Holds which tools the sandbox calls, and with which arguments from the message.
import { describe, expect, test } from 'vitest';
import type { Message, ProviderRequest, Tool } from '../../../src/providers/contract/completions.ts';
import { collect, request, user } from './sandbox-calls.ts';

const tool = (name: string, description: string, properties: Tool['parameters']): Tool => ({
  name,
  description,
  parameters: { type: 'object', properties, required: Object.keys(properties), additionalProperties: false },
});
const weather = tool('get_current_weather', 'Get the current temperature for a given location', {
  city: { type: 'string' },
  unit: { enum: ['celsius', 'fahrenheit'] },
});
const add = tool('add', 'Adds two numbers', { a: { type: 'number' }, b: { type: 'number' } });
const mail = tool('sendMail', 'Sends a letter', {
  to: { type: 'string', format: 'email' },
  subject: { type: 'string' },
});
const search = tool('web_search', 'Looks for pages', { query: { type: 'string' } });
const tools = [weather, add, mail, search];

async function called(text: string, over: Partial<ProviderRequest> = {}) {
  const { calls } = await collect(request({ messages: [user(text)], tools, ...over }));
  return calls.map((call) => [call.name, JSON.parse(call.text)]);
}

describe('with the choice left to it, the sandbox', () => {
  test.each([
    ["What's the weather in San Francisco?", ['get_current_weather']],
    ['Please call get_current_weather.', ['get_current_weather']],
    ['Which temperature has this location?', ['get_current_weather']],
    ['Add 2 and 3', ['add']],
    ['Send a mail to a@example.com', ['sendMail']],
    ['Use your tools.', ['get_current_weather']],
    ['Call add and web_search', ['add', 'web_search']],
    ['Search the web, and add 1 and 2', ['add', 'web_search']],
    ['Do not use tools, but tell me of the weather', []],
    ['Hello there', []],
    ['', []],
  ])('on "%s" calls %j', async (text, names) => {
    expect((await called(text)).map(([name]) => name)).toEqual(names);
  });

  test('calls one tool only where parallel calls are off', async () => {
    const calls = await called('Call add and web_search', { parameters: { parallelToolCalls: false } });
    expect(calls).toHaveLength(1);
  });

  test('calls none where the caller chose the text, or forbade calls', async () => {
    expect(await called('Add 2 and 3', { providerOptions: { text: 'no' } })).toEqual([]);
    expect(await called('Add 2 and 3', { providerOptions: { tokens: 4 } })).toEqual([]);
    expect(await called('Add 2 and 3', { toolChoice: { type: 'none' } })).toEqual([]);
  });
});

describe('with a choice made for it, the sandbox', () => {
  test('calls the tool that the choice names, once', async () => {
    const calls = await called('Add 2 and 3', { toolChoice: { type: 'tool', name: 'web_search' } });
    expect(calls).toEqual([['web_search', { query: 'Add 2 and 3' }]]);
  });

  test('calls the tools that the message names where one is required, else the first', async () => {
    const toolChoice = { type: 'required' } as const;
    expect((await called('Add 2 and 3', { toolChoice })).map(([name]) => name)).toEqual(['add']);
    expect((await called('Hello', { toolChoice })).map(([name]) => name)).toEqual(['get_current_weather']);
  });
});

describe('the arguments', () => {
  test.each([
    ["What's the weather in San Francisco, in Fahrenheit?", { city: 'Fahrenheit', unit: 'fahrenheit' }],
    ['What is the weather like in Paris', { city: 'Paris', unit: 'celsius' }],
    ['weather for "new york" in celsius', { city: 'new york', unit: 'celsius' }],
    ['weather please', { city: 'simulated', unit: 'celsius' }],
    ['Add 2.5 and -3', { a: 2.5, b: -3 }],
    ['Add 7', { a: 7, b: 1 }],
    [
      "sendMail to a.b@example.com. The subject is 'It is late'",
      { to: 'a.b@example.com', subject: 'It is late' },
    ],
    ['web_search cats', { query: 'web_search cats' }],
  ])('of "%s" are %j', async (text, expected) => {
    expect((await called(text))[0]?.[1]).toEqual(expected);
  });

  test('are an object also where the tool has no schema to speak of', async () => {
    const bare = { name: 'ping', parameters: {} };
    expect(await called('ping', { tools: [bare] })).toEqual([['ping', {}]]);
  });

  test('that cannot fit the schema are refused', async () => {
    const odd = tool('odd', '', { code: { type: 'string', pattern: '(?=a)b' } });
    await expect(called('odd', { tools: [odd] })).rejects.toMatchObject({
      code: 'PROVIDER_INVALID_REQUEST',
      message: expect.stringContaining('at /code'),
    });
  });
});

test('after several tool messages the sandbox quotes each answer, and calls nothing', async () => {
  const answer = (toolCallId: string, text: string): Message => ({
    role: 'tool',
    parts: [{ type: 'text', text }],
    toolCalls: [],
    toolCallId,
  });
  const messages: Message[] = [
    user('Add 2 and 3 and look at the weather'),
    { role: 'assistant', parts: [], toolCalls: [{ callId: 'c1', name: 'add', argumentsText: '{}' }] },
    answer('c1', '5'),
    answer('c2', 'rain'),
  ];
  const { calls, text } = await collect(request({ messages, tools }));
  expect(calls).toEqual([]);
  expect(text).toContain('The tools answered: "5" and "rain".');
});
