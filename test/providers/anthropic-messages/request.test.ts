// Holds what is asked of a Messages API: headers and bodies, and what of a request it cannot do.

import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/kernel/json.ts';
import { Secret } from '../../../src/kernel/secret.ts';
import { createAnthropicMessagesAdapter } from '../../../src/providers/anthropic-messages/adapter.ts';
import type { Message, ProviderRequest, Unsupported } from '../../../src/providers/contract/completions.ts';
import type { ProviderTarget } from '../../../src/providers/contract/target.ts';
import {
  collectParts,
  dependenciesOn,
  NO_WAY_OUT,
  providerRequest,
  providerTarget,
  startProvider,
  systemMessage,
  toolMessage,
  userMessage,
} from '../../support/provider-calls.ts';
import { ending, START, STOP, streamReply } from './answers.ts';

interface Sent {
  readonly body: Record<string, unknown>;
  readonly headers: Readonly<Record<string, string>>;
  readonly path: string;
  readonly refused: string[];
  readonly reasons: Unsupported[];
}

async function send(
  over: Partial<ProviderRequest> = {},
  target: Partial<ProviderTarget> = {},
): Promise<Sent> {
  await using provider = await startProvider(streamReply([START, ending('end_turn'), STOP]));
  const adapter = createAnthropicMessagesAdapter(provider);
  const baseUrl = `${provider.upstream.url}${target.baseUrl ?? ''}`;
  const request = providerRequest({ ...over, target: providerTarget({ ...target, baseUrl }) });
  await collectParts(adapter, request);
  const [received] = provider.upstream.requests;
  const reasons = adapter.completions.unsupported(request);
  return {
    body: received?.json() as Record<string, unknown>,
    headers: received?.headers ?? {},
    path: received?.path ?? '',
    refused: reasons.map(({ path }) => path),
    reasons,
  };
}

const model = (key: string, over = {}) => ({ key, reasoning: true, maxOutputTokens: 64_000, ...over });
const budgetModel = model('claude-sonnet-4-5');
const adaptiveModel = model('claude-opus-4-6');
const newestModel = model('claude-opus-5-5');
const tool = { name: 'add', description: 'Adds.', parameters: { properties: { a: { type: 'number' } } } };
const schema = { type: 'object', properties: { city: { type: 'string' } } };
const closedSchema = { ...schema, additionalProperties: false };
const responseFormat = { type: 'json-schema', name: 'city', schema } as const;

function assistant(over: Partial<Message>): Message {
  return { role: 'assistant', parts: [], toolCalls: [], ...over };
}

describe('address and headers', () => {
  test('the Claude headers carry the key, the version and the betas of row and config', async () => {
    const { path, headers, body } = await send(
      {},
      {
        auth: { type: 'header', header: 'x-api-key', prefix: '', optional: false },
        headers: { 'Anthropic-Beta': new Secret('own-1'), 'X-Team': new Secret('t') },
        quirks: { betas: ['row-1', 'row-2'] },
      },
    );
    expect(path).toBe('/v1/messages');
    expect(headers).toMatchObject({
      'x-api-key': 'sk-test',
      'anthropic-version': '2023-06-01',
      'anthropic-beta': 'row-1,row-2,own-1',
      'content-type': 'application/json',
      'x-team': 't',
    });
    expect(body).toEqual({
      model: 'model-1',
      max_tokens: 4096,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
      stream: true,
    });
  });

  test('the Claude address and the headers take a bearer token and a base URL that names the version', async () => {
    const { path, headers } = await send({}, { baseUrl: '/anthropic/v1' });
    expect(path).toBe('/anthropic/v1/messages');
    expect(headers.authorization).toBe('Bearer sk-test');
    expect(headers['x-api-key']).toBeUndefined();
  });

  test('Claude headers of a row with quirks that are none are not sent', async () => {
    const adapter = createAnthropicMessagesAdapter(dependenciesOn(NO_WAY_OUT));
    const request = providerRequest({ target: providerTarget({ quirks: { sampling: 'wild' } }) });
    expect(() => adapter.completions.unsupported(request)).toThrow('Quirks of anthropic-messages');
  });
});

describe('messages', () => {
  test('Claude messages have their system text apart, a late one too, and merge turns of one role', async () => {
    const { body } = await send({
      messages: [
        systemMessage('Be brief.'),
        userMessage('One.'),
        userMessage('Two.'),
        assistant({ parts: [{ type: 'text', text: 'Yes.' }] }),
        systemMessage('Now shout.'),
        userMessage('Three.'),
      ],
    });
    expect(body.system).toEqual([
      { type: 'text', text: 'Be brief.' },
      { type: 'text', text: 'Now shout.' },
    ]);
    expect(body.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'One.' },
          { type: 'text', text: 'Two.' },
        ],
      },
      { role: 'assistant', content: [{ type: 'text', text: 'Yes.' }] },
      { role: 'user', content: [{ type: 'text', text: 'Three.' }] },
    ]);
  });

  test('Claude messages keep a late system message in its place where the model takes it', async () => {
    const messages = [systemMessage('A'), userMessage('B'), systemMessage('C')];
    const { body } = await send({ messages }, { quirks: { systemTurns: true } });
    expect(body.system).toEqual([{ type: 'text', text: 'A' }]);
    expect(body.messages).toMatchObject([{ role: 'user' }, { role: 'system', content: [{ text: 'C' }] }]);
  });

  test.each([
    ['claude-opus-4-8', true],
    ['claude-opus-5', true],
    ['claude-sonnet-5-5', true],
    ['claude-haiku-5-5', true],
    ['claude-fable-5', true],
    ['claude-opus-4-7', false],
    ['claude-haiku-4-5', false],
  ])('Claude messages keep a late system message in its place for %s: %s', async (key, inPlace) => {
    const messages = [
      systemMessage('A'),
      userMessage('B'),
      assistant({ parts: [{ type: 'text', text: 'C' }] }),
      systemMessage('D'),
      userMessage('E'),
      assistant({ parts: [{ type: 'text', text: 'F' }] }),
      userMessage('G'),
      systemMessage('H'),
    ];
    const { body } = await send({ messages, model: model(key) });
    const said = (body.messages as { role: string; content: { text: string }[] }[]).map(
      ({ role, content }) => `${role} ${content.map(({ text }) => text).join()}`,
    );
    // After the user's turn in which it was said: it may stand nowhere else.
    const late = inPlace ? ['system D', 'system H'] : [];
    expect(said).toEqual([
      'user B',
      'assistant C',
      'user E',
      ...late.slice(0, 1),
      'assistant F',
      'user G',
      ...late.slice(1),
    ]);
    expect(JSON.stringify(body.system).match(/[ADH](?=")/g)).toEqual(inPlace ? ['A'] : ['A', 'D', 'H']);
  });

  test('Claude messages move a late system message to the head where no turn of a user is before it', async () => {
    const messages = [assistant({ parts: [{ type: 'text', text: 'A' }] }), systemMessage('B')];
    const { body } = await send({ messages, model: newestModel });
    expect(body.system).toEqual([{ type: 'text', text: 'B' }]);
  });

  test('Claude messages carry images by address and by data, and leave out what is none', async () => {
    const { body, refused } = await send({
      messages: [
        {
          ...userMessage(' '),
          parts: [
            { type: 'text', text: '  ' },
            { type: 'image', image: { url: 'https://example.com/a.png', detail: 'high' } },
            { type: 'image', image: { data: 'AAAA', mediaType: 'image/webp' } },
            { type: 'image', image: { data: 'AAAA', mediaType: 'image/tiff' } },
          ],
        },
        assistant({ parts: [{ type: 'image', image: { url: 'https://example.com/b.png' } }] }),
        userMessage('And?'),
      ],
    });
    expect(body.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
          { type: 'image', source: { type: 'base64', media_type: 'image/webp', data: 'AAAA' } },
        ],
      },
      { role: 'user', content: [{ type: 'text', text: 'And?' }] },
    ]);
    expect(refused).toEqual([
      'messages[0].parts[1].image.detail',
      'messages[0].parts[3]',
      'messages[1].parts[0]',
    ]);
  });

  test('Claude messages put all tool results of a turn first, under ids that the wire takes', async () => {
    const call = (callId: string, argumentsText: string) => ({ callId, name: 'add', argumentsText });
    const { body } = await send({
      tools: [tool],
      messages: [
        userMessage('Add.'),
        assistant({ toolCalls: [call('t1', ''), call('functions.add:1', '{"a":1}'), call('t3', '{"a":')] }),
        toolMessage('t1', '1'),
        userMessage('Wait.'),
        toolMessage('functions.add:1', ''),
        {
          ...toolMessage('t3', 'see'),
          parts: [
            { type: 'text', text: 'see', cacheHint: true },
            { type: 'image', image: { data: 'AAAA', mediaType: 'image/png' } },
          ],
        },
      ],
    });
    const [, turn, results] = body.messages as { content: Record<string, unknown>[] }[];
    const foreign = turn?.content[1]?.id;
    expect(foreign).toMatch(/^functions_add_1_[0-9a-f]{12}$/);
    expect(turn?.content).toEqual([
      { type: 'tool_use', id: 't1', name: 'add', input: {} },
      { type: 'tool_use', id: foreign, name: 'add', input: { a: 1 } },
      { type: 'tool_use', id: 't3', name: 'add', input: { malformedArguments: '{"a":' } },
    ]);
    expect(results?.content).toEqual([
      { type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: '1' }] },
      { type: 'tool_result', tool_use_id: foreign },
      {
        type: 'tool_result',
        tool_use_id: 't3',
        content: [
          { type: 'text', text: 'see' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
        ],
        cache_control: { type: 'ephemeral' },
      },
      { type: 'text', text: 'Wait.' },
    ]);
  });

  test('Claude messages carry cache hints, the last four of them', async () => {
    const hinted = (text: string) => ({ type: 'text', text, cacheHint: true }) as const;
    const { body, refused } = await send({
      messages: [
        { ...systemMessage(''), parts: [hinted('S')] },
        { ...userMessage(''), parts: [hinted('A'), hinted('B')] },
        assistant({ parts: [hinted('C')] }),
        { ...userMessage(''), parts: [hinted('D')] },
      ],
    });
    const mark = { cache_control: { type: 'ephemeral' } };
    expect(body.system).toEqual([{ type: 'text', text: 'S' }]);
    expect(body.messages).toMatchObject([
      { content: [mark, mark] },
      { content: [mark] },
      { content: [mark] },
    ]);
    expect(refused).toEqual(['messages[0].parts[0].cacheHint']);
  });

  test('Claude messages may end in a text to continue, without white space at its end, where the model continues it', async () => {
    const messages = [userMessage('Count.'), assistant({ parts: [{ type: 'text', text: 'One, \n' }] })];
    const older = await send({ messages, model: budgetModel });
    expect(older.body.messages).toMatchObject([{}, { content: [{ text: 'One,' }] }]);
    const newer = await send({ messages, model: adaptiveModel });
    expect(newer.body.messages).toHaveLength(1);
    expect(newer.refused).toEqual(['messages[1]']);
  });

  test('Claude messages drop a continuation that another protocol made', async () => {
    const messages = [
      userMessage('Hi'),
      assistant({ continuation: { items: [] }, parts: [{ type: 'text', text: 'A' }] }),
      userMessage('B'),
    ];
    const { body, refused } = await send({ messages });
    expect(body.messages).toMatchObject([{}, { content: [{ type: 'text', text: 'A' }] }, {}]);
    expect(refused).toEqual(['messages[1].continuation']);
  });

  test('Claude messages keep opaque blocks before a text that the caller changed', async () => {
    const thinking = { type: 'thinking', thinking: 'Hm', signature: 's' };
    const continuation: JsonObject = {
      blocks: [
        { kind: 'opaque', block: thinking },
        { kind: 'text', length: 5 },
        { kind: 'call', callId: 't1' },
      ],
    };
    const { body } = await send({
      tools: [tool],
      messages: [
        userMessage('Hi'),
        assistant({
          continuation,
          parts: [{ type: 'text', text: 'Shorter or longer' }],
          toolCalls: [{ callId: 't1', name: 'add', argumentsText: '{}' }],
        }),
        toolMessage('t1', '2'),
      ],
    });
    expect((body.messages as { content: unknown[] }[])[1]?.content).toEqual([
      thinking,
      { type: 'text', text: 'Shorter or longer' },
      { type: 'tool_use', id: 't1', name: 'add', input: {} },
    ]);
  });
});

describe('tools', () => {
  test.each([
    [undefined, undefined],
    [{ type: 'auto' }, undefined],
    [{ type: 'none' }, { type: 'none' }],
    [{ type: 'required' }, { type: 'any' }],
    [
      { type: 'tool', name: 'add' },
      { type: 'tool', name: 'add' },
    ],
  ] as const)('Claude tools with the choice %j send %j', async (toolChoice, expected) => {
    const { body } = await send({ tools: [tool], ...(toolChoice ? { toolChoice } : {}) });
    expect(body.tools).toEqual([
      { name: 'add', description: 'Adds.', input_schema: { type: 'object', ...tool.parameters } },
    ]);
    expect(body.tool_choice).toEqual(expected);
  });

  test('Claude tools can be forbidden to run in parallel', async () => {
    const parameters = { parallelToolCalls: false };
    const { body } = await send({ tools: [tool], parameters });
    expect(body.tool_choice).toEqual({ type: 'auto', disable_parallel_tool_use: true });
    const none = await send({ tools: [tool], toolChoice: { type: 'none' }, parameters });
    expect(none.body.tool_choice).toEqual({ type: 'none' });
  });

  test('Claude tools cannot be forced on the newest models', async () => {
    const { body, refused } = await send({
      tools: [tool],
      toolChoice: { type: 'required' },
      model: newestModel,
    });
    expect(body.tool_choice).toBeUndefined();
    expect(refused).toEqual(['toolChoice']);
  });

  test('Claude tools are strict where the model has that', async () => {
    const tools = [{ ...tool, strict: true }];
    expect((await send({ tools, model: budgetModel })).body.tools).toMatchObject([{ strict: true }]);
    const older = await send({ tools, model: model('claude-3-7-sonnet-20250219') });
    expect(older.body.tools).not.toMatchObject([{ strict: true }]);
    expect(older.refused).toEqual(['tools[0].strict']);
  });
});

describe('output by JSON Schema', () => {
  test('Claude output by JSON Schema is asked for natively', async () => {
    const { body } = await send({ responseFormat, model: budgetModel });
    expect(body.output_config).toEqual({ format: { type: 'json_schema', schema: closedSchema } });
    expect(body.tools).toBeUndefined();
  });

  test('Claude output by JSON Schema is asked for by a forced tool on older models', async () => {
    const older = model('claude-3-5-haiku-20241022');
    const { body } = await send({ responseFormat, model: older });
    expect(body.tools).toMatchObject([{ name: 'city', input_schema: schema }]);
    expect(body.tool_choice).toEqual({ type: 'tool', name: 'city' });
    const beside = await send({ responseFormat, model: older, tools: [{ ...tool, name: 'city' }] });
    expect(beside.body.tools).toMatchObject([{ name: 'city' }, { name: 'city_output' }]);
    expect(beside.body.tool_choice).toEqual({ type: 'any' });
  });

  test('Claude output by JSON Schema is refused where there is no way to it, as is JSON without a schema', async () => {
    expect((await send({ responseFormat }, { quirks: { structuredOutput: 'none' } })).refused).toEqual([
      'responseFormat',
    ]);
    const json = await send({ responseFormat: { type: 'json' } });
    expect(json.refused).toEqual(['responseFormat']);
    expect((await send({ responseFormat: { type: 'text' } })).refused).toEqual([]);
  });
});

describe('parameters', () => {
  test('Claude parameters travel under their own names', async () => {
    const parameters = { maxTokens: 50, temperature: 0.5, topP: 0.9, topK: 5, stop: ['END', ' '] };
    const { body, refused } = await send({ parameters });
    expect(body).toMatchObject({
      max_tokens: 50,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 5,
      stop_sequences: ['END'],
    });
    expect(refused).toEqual(['parameters.stop']);
  });

  test('Claude parameters that the protocol lacks are refused', async () => {
    const { refused } = await send({
      parameters: {
        seed: 1,
        presencePenalty: 1,
        frequencyPenalty: 1,
        repetitionPenalty: 1,
        logitBias: { 1: 2 },
        temperature: 1.5,
      },
    });
    expect(refused.toSorted()).toEqual([
      'parameters.frequencyPenalty',
      'parameters.logitBias',
      'parameters.presencePenalty',
      'parameters.repetitionPenalty',
      'parameters.seed',
      'parameters.temperature',
    ]);
  });

  test('Claude parameters of sampling follow the generation of the model', async () => {
    const parameters = { temperature: 0.5, topP: 0.9, topK: 5 };
    const both = await send({ parameters, model: budgetModel });
    expect(both.refused).toEqual(['parameters.topP']);
    expect(both.body).toMatchObject({ temperature: 0.5, top_k: 5 });
    const fixed = await send({ parameters, model: newestModel });
    expect(fixed.refused).toEqual(['parameters.temperature', 'parameters.topP', 'parameters.topK']);
    const defaults = await send({ parameters: { temperature: 1, topP: 1 }, model: newestModel });
    expect(defaults.refused).toEqual([]);
    expect(defaults.body).not.toHaveProperty('temperature');
  });

  test('the Claude parameter max_tokens defaults to what the model can do', async () => {
    expect((await send({ model: budgetModel })).body.max_tokens).toBe(64_000);
  });

  test('Claude parameters of the provider itself go in last, verbatim', async () => {
    const providerOptions = { metadata: { user_id: 'u' }, top_k: 7 };
    expect((await send({ providerOptions })).body).toMatchObject(providerOptions);
  });
});

describe('reasoning', () => {
  test('Claude reasoning by budget is bounded by the caller and by max_tokens, and fixes sampling', async () => {
    const parameters = { reasoningEffort: 'high', temperature: 0.5, topP: 0.5, topK: 3 } as const;
    const { body, refused } = await send({ model: budgetModel, parameters });
    expect(body.thinking).toEqual({ type: 'enabled', budget_tokens: 16_384 });
    expect(body).not.toHaveProperty('temperature');
    expect(refused).toEqual(['parameters.temperature', 'parameters.topP', 'parameters.topK']);
    const tight = await send({
      model: budgetModel,
      parameters: { reasoningEffort: 'high', maxTokens: 4000 },
    });
    expect(tight.body).toMatchObject({ max_tokens: 4000, thinking: { budget_tokens: 3000 } });
    const exact = await send({ model: budgetModel, parameters: { reasoningTokens: 2000 } });
    expect(exact.body.thinking).toEqual({ type: 'enabled', budget_tokens: 2000 });
    const little = await send({ model: budgetModel, parameters: { reasoningEffort: 'low', maxTokens: 100 } });
    expect(little.body.thinking).toBeUndefined();
    expect(little.refused).toEqual(['parameters.reasoningEffort']);
  });

  test('Claude reasoning by budget gives way to a forced tool, and to a tool loop that lacks its continuation', async () => {
    const parameters = { reasoningEffort: 'low' } as const;
    const forced = await send({
      model: budgetModel,
      parameters,
      tools: [tool],
      toolChoice: { type: 'required' },
    });
    expect(forced.body).toMatchObject({ tool_choice: { type: 'any' } });
    expect(forced.body.thinking).toBeUndefined();
    expect(forced.refused).toEqual(['parameters.reasoningEffort']);
    const messages = [
      userMessage('Hi'),
      assistant({ toolCalls: [{ callId: 't1', name: 'add', argumentsText: '{}' }] }),
      toolMessage('t1', '2'),
    ];
    const loop = await send({ model: budgetModel, parameters, tools: [tool], messages });
    expect(loop.body.thinking).toBeUndefined();
    expect(loop.refused).toEqual(['parameters.reasoningEffort']);
  });

  test('Claude reasoning adapts on newer models, by an effort that they take', async () => {
    const max = await send({ model: adaptiveModel, parameters: { reasoningEffort: 'max' } });
    expect(max.body).toMatchObject({
      thinking: { type: 'adaptive', display: 'summarized' },
      output_config: { effort: 'max' },
    });
    const minimal = await send({ model: adaptiveModel, parameters: { reasoningEffort: 'minimal' } });
    expect(minimal.body.output_config).toEqual({ effort: 'low' });
    const three = await send(
      { model: adaptiveModel, parameters: { reasoningEffort: 'max' }, responseFormat },
      { quirks: { effortLevels: ['low', 'medium', 'high'] } },
    );
    expect(three.body.output_config).toMatchObject({ effort: 'high', format: { type: 'json_schema' } });
    const tokens = await send({ model: adaptiveModel, parameters: { reasoningTokens: 500 } });
    expect(tokens.body.thinking).toBeUndefined();
    expect(tokens.refused).toEqual(['parameters.reasoningTokens']);
  });

  const block = { type: 'thinking', thinking: 'Hm.', signature: 's' };
  const thought = assistant({
    parts: [{ type: 'text', text: 'Hi' }],
    continuation: {
      blocks: [
        { kind: 'opaque', block },
        { kind: 'text', length: 2 },
      ],
    },
  });
  const history = [userMessage('Hello'), thought, userMessage('Go on')];
  const BETA = 'thinking-binding-controls-2026-08-01';

  test('the newest Claude models drop thinking that no longer fits, with the beta that this needs', async () => {
    const binding = { block_binding: { prefix_mismatch_behavior: 'drop_block' } };
    const unasked = await send(
      { model: newestModel, messages: history },
      { headers: { 'anthropic-beta': new Secret('own-1') }, quirks: { betas: ['row-1'] } },
    );
    expect(unasked.body.thinking).toEqual({ type: 'adaptive', ...binding });
    expect(unasked.headers['anthropic-beta']).toBe(`row-1,${BETA},own-1`);
    const asked = await send({
      model: newestModel,
      messages: history,
      parameters: { reasoningEffort: 'low' },
    });
    expect(asked.body.thinking).toEqual({ type: 'adaptive', display: 'summarized', ...binding });
    expect(asked.headers['anthropic-beta']).toBe(BETA);
  });

  test('Claude reasoning says nothing of stale thinking to the newest models where the history holds none', async () => {
    const plain = await send({ model: newestModel });
    expect(plain.body).not.toHaveProperty('thinking');
    expect(plain.headers).not.toHaveProperty('anthropic-beta');
    const asked = await send({ model: newestModel, parameters: { reasoningEffort: 'low' } });
    expect(asked.body.thinking).toEqual({ type: 'adaptive', display: 'summarized' });
    const older = await send({ model: adaptiveModel, messages: history });
    expect(older.body).not.toHaveProperty('thinking');
  });

  test.each([
    ['claude-sonnet-4-5', undefined, []],
    ['claude-opus-4-8', undefined, []],
    ['claude-opus-5', { type: 'disabled' }, []],
    ['claude-sonnet-5-5', { type: 'between_tools' }, []],
    ['claude-fable-5', undefined, ['parameters.reasoningEffort']],
  ])('Claude reasoning of %s is switched off by %j', async (key, thinking, refused) => {
    const sent = await send({ model: model(key), parameters: { reasoningEffort: 'none' } });
    expect(sent.body.thinking).toEqual(thinking);
    expect(sent.refused).toEqual(refused);
  });

  test('Claude reasoning is refused by models that do not reason', async () => {
    const parameters = { reasoningEffort: 'low' } as const;
    expect((await send({ model: model('claude-3-haiku-20240307'), parameters })).refused).toEqual([
      'parameters.reasoningEffort',
    ]);
    const plain = model('kimi-k2', { reasoning: false });
    expect((await send({ model: plain, parameters })).refused).toEqual(['parameters.reasoningEffort']);
    expect((await send({ model: plain, parameters: { reasoningEffort: 'none' } })).refused).toEqual([]);
  });
});
