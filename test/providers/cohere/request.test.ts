// Holds what Cohere is sent for each request, what it cannot be told, and what goes back in a tool loop.
import { expect, test } from 'vitest';
import type { Message, ProviderRequest, Tool } from '../../../src/providers/contract/completions.ts';
import { assistantMessageOf, systemMessage, toolMessage, userMessage } from '../../support/provider-calls.ts';
import { callCohere, content, end, events, plan, SSE, start, toolCall } from './calls.ts';

const DONE = { headers: SSE, body: events(start, end('COMPLETE')) };
const weather: Tool = {
  name: 'weather',
  description: 'Weather',
  parameters: { type: 'object', properties: {} },
};
const dice: Tool = { name: 'dice', parameters: { type: 'object' } };

async function sent(over: Partial<ProviderRequest>) {
  const { received, unsupported } = await callCohere(DONE, over);
  return { body: received?.json() as Record<string, unknown>, received, unsupported };
}

test('everything that Cohere knows travels under its own names', async () => {
  const { body, received, unsupported } = await sent({
    model: { key: 'command-a', reasoning: true },
    messages: [
      systemMessage('Be brief.'),
      {
        role: 'user',
        parts: [
          { type: 'text', text: 'Look' },
          { type: 'image', image: { data: 'AA==', mediaType: 'image/png', detail: 'low' } },
          { type: 'image', image: { url: 'https://example.com/cat.png' } },
        ],
        toolCalls: [],
      },
    ],
    parameters: {
      maxTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      stop: ['END'],
      seed: 7,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      reasoningTokens: 500,
    },
    responseFormat: { type: 'json-schema', name: 'answer', schema: { type: 'object' } },
    providerOptions: { safety_mode: 'OFF' },
  });
  expect(received?.path).toBe('/v2/chat');
  expect(received?.headers.authorization).toBe('Bearer sk-test');
  expect(unsupported).toEqual([]);
  expect(body).toEqual({
    model: 'command-a',
    messages: [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==', detail: 'low' } },
          { type: 'image_url', image_url: { url: 'https://example.com/cat.png' } },
        ],
      },
    ],
    max_tokens: 100,
    temperature: 0.5,
    p: 0.9,
    k: 40,
    stop_sequences: ['END'],
    seed: 7,
    presence_penalty: 0.1,
    frequency_penalty: 0.2,
    thinking: { type: 'enabled', token_budget: 500 },
    response_format: { type: 'json_object', json_schema: { type: 'object' } },
    safety_mode: 'OFF',
    stream: true,
  });
});

test.each([
  [undefined, { names: ['weather', 'dice'] }],
  [{ type: 'auto' }, { names: ['weather', 'dice'] }],
  [{ type: 'none' }, { names: ['weather', 'dice'], choice: 'NONE' }],
  [{ type: 'required' }, { names: ['weather', 'dice'], choice: 'REQUIRED' }],
  [
    { type: 'tool', name: 'dice' },
    { names: ['dice'], choice: 'REQUIRED' },
  ],
] as const)('the tool choice %j offers Cohere %j', async (toolChoice, { names, ...rest }) => {
  const { body } = await sent({ tools: [weather, dice], ...(toolChoice ? { toolChoice } : {}) });
  const offered = body.tools as { type: string; function: { name: string } }[];
  expect(offered.map((tool) => tool.function.name)).toEqual(names);
  expect(body.tool_choice).toBe('choice' in rest ? rest.choice : undefined);
});

test('strictness of tools holds for all tools of a request or is told to be impossible', async () => {
  const strict = { ...dice, strict: true };
  expect((await sent({ tools: [strict] })).body.strict_tools).toBe(true);
  const mixed = await sent({ tools: [weather, strict] });
  expect(mixed.body).not.toHaveProperty('strict_tools');
  expect(mixed.unsupported.map(({ path }) => path)).toEqual(['tools[1].strict']);
  const forced = await sent({ tools: [weather, strict], toolChoice: { type: 'tool', name: 'dice' } });
  expect(forced.body.strict_tools).toBe(true);
  expect(forced.unsupported).toEqual([]);
});

test.each([
  [{ reasoningEffort: 'none' }, { type: 'disabled' }],
  [{ reasoningTokens: 0 }, { type: 'disabled' }],
  [{ reasoningEffort: 'low' }, { type: 'enabled', token_budget: 4096 }],
  [{ reasoningEffort: 'high' }, { type: 'enabled' }],
  [{}, undefined],
] as const)('thinking is set for Cohere by %j as %j', async (parameters, thinking) => {
  const { body } = await sent({ model: { key: 'm', reasoning: true }, parameters });
  expect(body.thinking).toEqual(thinking);
});

test.each([
  [{ type: 'text' }, undefined],
  [{ type: 'json' }, { type: 'json_object' }],
] as const)('the format %j is sent to Cohere as %j', async (responseFormat, format) => {
  expect((await sent({ responseFormat })).body.response_format).toEqual(format);
});

test('what Cohere cannot be told is named and left out', async () => {
  const { body, unsupported } = await sent({
    messages: [
      { role: 'system', parts: [{ type: 'image', image: { url: 'https://x/a.png' } }], toolCalls: [] },
      userMessage('Hello'),
    ],
    tools: [dice],
    responseFormat: { type: 'json' },
    parameters: {
      repetitionPenalty: 1.1,
      logitBias: { 1: 5 },
      parallelToolCalls: false,
      stop: ['1', '2', '3', '4', '5', '6'],
      reasoningEffort: 'low',
      reasoningTokens: 10,
    },
  });
  expect(unsupported.map(({ path }) => path)).toEqual([
    'parameters.repetitionPenalty',
    'parameters.logitBias',
    'parameters.parallelToolCalls',
    'parameters.stop',
    'parameters.reasoningEffort',
    'parameters.reasoningTokens',
    'messages[0].parts[0]',
    'responseFormat',
  ]);
  expect(body).toEqual({
    model: 'model-1',
    messages: [
      { role: 'system', content: '' },
      { role: 'user', content: 'Hello' },
    ],
    tools: [{ type: 'function', function: { name: 'dice', parameters: { type: 'object' } } }],
    stream: true,
  });
});

test('a loop of three turns sends plan and thinking back with their answers', async () => {
  const answers = [
    events(
      start,
      plan('Look.'),
      toolCall('tool-call-start', 0, { id: 'w1', function: { name: 'weather', arguments: '' } }),
      end('TOOL_CALL'),
    ),
    events(
      start,
      content('content-delta', 0, { thinking: 'Hm.' }),
      content('content-delta', 1, { text: 'So:' }),
      toolCall('tool-call-start', 0, { id: 'd1', function: { name: 'dice', arguments: '{"n":2}' } }),
      end('TOOL_CALL'),
    ),
    events(start, content('content-delta', 0, { text: 'Done.' }), end('COMPLETE')),
  ];
  const messages: Message[] = [userMessage('Go')];
  let last: unknown;
  for (const body of answers) {
    const { parts, received } = await callCohere(
      { headers: SSE, body },
      { messages: [...messages], tools: [weather, dice] },
    );
    last = received?.json();
    const answer = assistantMessageOf(parts);
    messages.push(answer, ...answer.toolCalls.map(({ callId, name }) => toolMessage(callId, `${name} said`)));
  }
  expect(last).toMatchObject({
    messages: [
      { role: 'user', content: 'Go' },
      {
        role: 'assistant',
        tool_plan: 'Look.',
        tool_calls: [{ id: 'w1', type: 'function', function: { name: 'weather', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'w1', content: 'weather said' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Hm.' },
          { type: 'text', text: 'So:' },
        ],
        tool_calls: [{ id: 'd1', type: 'function', function: { name: 'dice', arguments: '{"n":2}' } }],
      },
      { role: 'tool', tool_call_id: 'd1', content: 'dice said' },
    ],
  });
});

test('a continuation that another protocol left behind is not sent', async () => {
  const { body } = await sent({
    messages: [
      userMessage('Go'),
      { role: 'assistant', parts: [{ type: 'text', text: 'Hm.' }], toolCalls: [], continuation: ['other'] },
    ],
  });
  expect(body.messages).toEqual([
    { role: 'user', content: 'Go' },
    { role: 'assistant', content: [{ type: 'text', text: 'Hm.' }] },
  ]);
});
