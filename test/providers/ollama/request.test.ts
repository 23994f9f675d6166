// Holds what Ollama is sent for each request, what it cannot be told, and what goes back in a tool loop.
import { expect, test } from 'vitest';
import type { Message, ProviderRequest, Tool } from '../../../src/providers/contract/completions.ts';
import type { ProviderTarget } from '../../../src/providers/contract/target.ts';
import { createOllamaAdapter } from '../../../src/providers/ollama/adapter.ts';
import {
  assistantMessageOf,
  startProvider,
  systemMessage,
  toolMessage,
  userMessage,
} from '../../support/provider-calls.ts';
import { callOllama, done, lines, NDJSON, ollamaTarget, says } from './calls.ts';

const DONE = { headers: NDJSON, body: lines(done()) };
const weather: Tool = { name: 'weather', description: 'Weather', parameters: { type: 'object' } };

async function sent(over: Partial<ProviderRequest>, target: Partial<ProviderTarget> = {}) {
  const { received, unsupported } = await callOllama(DONE, over, target);
  return { body: received?.json() as Record<string, unknown>, received, unsupported };
}

test('everything that Ollama knows travels under its own names', async () => {
  const { body, received, unsupported } = await sent(
    {
      messages: [
        systemMessage('Be brief.'),
        {
          role: 'user',
          parts: [
            { type: 'text', text: 'Look' },
            { type: 'image', image: { data: 'AA==', mediaType: 'image/png' } },
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
        repetitionPenalty: 1.1,
        reasoningEffort: 'low',
      },
      tools: [weather],
      toolChoice: { type: 'auto' },
      responseFormat: { type: 'json-schema', name: 'answer', schema: { type: 'object' } },
      providerOptions: { options: { min_p: 0.1, top_k: 20 } },
    },
    { settings: { numCtx: 8192, keepAlive: '10m' } },
  );
  expect(received?.path).toBe('/api/chat');
  expect(received?.headers.authorization).toBe('Bearer sk-test');
  expect(unsupported).toEqual([]);
  expect(body).toEqual({
    model: 'qwen3:8b',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Look', images: ['AA=='] },
    ],
    tools: [
      {
        type: 'function',
        function: { name: 'weather', description: 'Weather', parameters: { type: 'object' } },
      },
    ],
    format: { type: 'object' },
    think: 'low',
    options: {
      num_predict: 100,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 20,
      stop: ['END'],
      seed: 7,
      presence_penalty: 0.1,
      frequency_penalty: 0.2,
      repeat_penalty: 1.1,
      num_ctx: 8192,
      min_p: 0.1,
    },
    keep_alive: '10m',
    stream: true,
  });
});

test('a plain question to an Ollama server without a key sends nothing that was not asked for', async () => {
  const { secret: _none, ...keyless } = ollamaTarget('');
  await using provider = await startProvider(DONE);
  const adapter = createOllamaAdapter(provider);
  const target = { ...keyless, baseUrl: `${provider.upstream.url}/api` };
  const request = {
    target,
    model: { key: 'm', reasoning: false },
    messages: [userMessage('Hi')],
    parameters: {},
    tools: [],
    providerOptions: {},
  };
  for await (const _parts of adapter.completions.stream(request, { signal: new AbortController().signal }));
  const [received] = provider.upstream.requests;
  expect(received?.path).toBe('/api/chat');
  expect(received?.headers).not.toHaveProperty('authorization');
  expect(received?.json()).toEqual({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], stream: true });
});

test.each([
  ['none', {}, false, []],
  ['minimal', {}, 'low', []],
  ['max', {}, 'high', []],
  ['max', { thinkLevels: ['low', 'medium', 'high', 'max'] }, 'max', []],
  ['medium', { thinkLevels: ['low', 'high'] }, 'high', []],
  ['high', { thinkLevels: [] }, true, []],
  ['none', { thinkOff: false }, undefined, ['parameters.reasoningEffort']],
] as const)(
  'the effort %s with quirks %j is sent to Ollama as %j',
  async (reasoningEffort, quirks, think, paths) => {
    const { body, unsupported } = await sent({ parameters: { reasoningEffort } }, { quirks });
    expect(body.think).toEqual(think);
    expect(unsupported.map(({ path }) => path)).toEqual(paths);
  },
);

test('tools are held back from Ollama where none is to be called', async () => {
  const { body, unsupported } = await sent({
    tools: [{ ...weather, strict: true }],
    toolChoice: { type: 'none' },
  });
  expect(body).not.toHaveProperty('tools');
  expect(unsupported).toEqual([]);
});

test.each([{ type: 'required' }, { type: 'tool', name: 'weather' }] as const)(
  'the tool choice %j cannot be told to Ollama, and the tools are still offered',
  async (toolChoice) => {
    const { body, unsupported } = await sent({ tools: [weather], toolChoice });
    expect(unsupported.map(({ path }) => path)).toEqual(['toolChoice']);
    expect(body.tools).toHaveLength(1);
  },
);

test.each([
  [{ type: 'json' }, 'json'],
  [{ type: 'text' }, undefined],
] as const)('the format %j is sent to Ollama as %j', async (responseFormat, format) => {
  expect((await sent({ responseFormat })).body.format).toEqual(format);
});

test('what Ollama cannot be told is named and left out', async () => {
  const { body, unsupported } = await sent({
    model: { key: 'm', reasoning: false },
    messages: [
      {
        role: 'user',
        parts: [
          { type: 'text', text: 'Look' },
          { type: 'image', image: { url: 'https://example.com/a.png' } },
          { type: 'image', image: { data: 'AA==', mediaType: 'image/png', detail: 'low' } },
        ],
        toolCalls: [],
      },
    ],
    tools: [{ ...weather, strict: true }],
    parameters: {
      logitBias: { 1: 1 },
      reasoningTokens: 10,
      parallelToolCalls: false,
      reasoningEffort: 'high',
    },
  });
  expect(unsupported.map(({ path }) => path)).toEqual([
    'parameters.logitBias',
    'parameters.reasoningTokens',
    'parameters.parallelToolCalls',
    'messages[0].parts[1]',
    'messages[0].parts[2].detail',
    'tools[0].strict',
    'parameters.reasoningEffort',
  ]);
  expect(body).toEqual({
    model: 'm',
    messages: [{ role: 'user', content: 'Look', images: ['AA=='] }],
    tools: expect.any(Array),
    stream: true,
  });
});

test('a loop of three turns sends Ollama arguments as objects, results by name and id, and thinking with its calls', async () => {
  const answers = [
    lines(
      says({ thinking: 'Hm.' }),
      says({ tool_calls: [{ function: { name: 'weather', arguments: { city: 'Oslo' } } }] }),
      done(),
    ),
    lines(
      says({ content: 'So:', tool_calls: [{ id: 'c2', function: { name: 'dice', arguments: {} } }] }),
      done(),
    ),
    lines(says({ content: 'Done.' }), done()),
  ];
  const messages: Message[] = [userMessage('Go')];
  let last: unknown;
  for (const body of answers) {
    const { parts, received } = await callOllama(
      { headers: NDJSON, body },
      { messages: [...messages], tools: [weather] },
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
        content: '',
        thinking: 'Hm.',
        tool_calls: [
          { id: 'call_minted-0', function: { index: 0, name: 'weather', arguments: { city: 'Oslo' } } },
        ],
      },
      { role: 'tool', content: 'weather said', tool_name: 'weather', tool_call_id: 'call_minted-0' },
      {
        role: 'assistant',
        content: 'So:',
        tool_calls: [{ id: 'c2', function: { index: 0, name: 'dice', arguments: {} } }],
      },
      { role: 'tool', content: 'dice said', tool_name: 'dice', tool_call_id: 'c2' },
    ],
  });
});

test('a result whose call is not in sight goes to Ollama by its id', async () => {
  const { body } = await sent({ messages: [toolMessage('lost', 'x')] });
  expect(body.messages).toEqual([{ role: 'tool', content: 'x', tool_name: 'lost', tool_call_id: 'lost' }]);
});

test.each([
  ['quirks', { quirks: { thinkLevels: ['huge'] } }],
  ['settings', { settings: { numCtx: -1 } }],
])('Ollama’s %s that are none are told of', async (what, target) => {
  const { fault } = await callOllama(DONE, { parameters: { reasoningEffort: 'low' } }, target).catch(
    (error) => ({ fault: error }),
  );
  expect(fault).toMatchObject({
    code: 'MODEL_UNAVAILABLE',
    message: expect.stringMatching(new RegExp(what, 'i')),
  });
});
