// Holds what is asked of Converse: paths and bodies, and what of a request a model behind it cannot do.

import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/kernel/json.ts';
import { createBedrockConverseAdapter } from '../../../src/providers/bedrock-converse/adapter.ts';
import type { Message, ProviderRequest } from '../../../src/providers/contract/completions.ts';
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
import { jsonReply } from './answers.ts';

const answer = jsonReply({ output: { message: { content: [] } }, stopReason: 'end_turn', usage: {} });

async function send(over: Partial<ProviderRequest> = {}, target: Partial<ProviderTarget> = {}) {
  await using provider = await startProvider(answer);
  const adapter = createBedrockConverseAdapter(provider);
  const request = providerRequest({
    ...over,
    target: providerTarget({ ...target, baseUrl: provider.upstream.url }),
  });
  const { fault } = await collectParts(adapter, request);
  expect(fault).toBeUndefined();
  const [received] = provider.upstream.requests;
  return {
    path: received?.path,
    body: received?.json() as Record<string, unknown>,
    refused: adapter.completions.unsupported(request).map(({ path }) => path),
  };
}

const model = (key: string, over = {}) => ({ key, reasoning: true, maxOutputTokens: 64_000, ...over });
const claude = model('us.anthropic.claude-sonnet-4-5-20250929-v1:0');
const tool = { name: 'add', description: 'Adds.', parameters: { properties: { a: { type: 'number' } } } };
const addSpec = {
  toolSpec: {
    name: 'add',
    description: 'Adds.',
    inputSchema: { json: { type: 'object', ...tool.parameters } },
  },
};
const schema = { type: 'object', properties: { city: { type: 'string' } } };
const closedSchema = { ...schema, additionalProperties: false };
const responseFormat = { type: 'json-schema', name: 'city', description: 'A city.', schema } as const;
const history: Message[] = [
  userMessage('Add.'),
  { role: 'assistant', parts: [], toolCalls: [{ callId: 't1', name: 'add', argumentsText: '{"a":1}' }] },
  toolMessage('t1', '2'),
];

describe('path', () => {
  test('the Bedrock path has the model id encoded, an ARN too', async () => {
    const plain = await send({ model: claude });
    expect(plain.path).toBe('/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream');
    const arn = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc';
    const profile = await send({ model: model(arn) }, { quirks: { inferenceProfiles: ['us'] } });
    expect(profile.path).toBe(`/model/${encodeURIComponent(arn)}/converse-stream`);
  });

  test.each([
    [{ region: 'us-west-2' }, 'us.m'],
    [{ region: 'eu-central-1' }, 'eu.m'],
    [{ region: 'ap-northeast-1' }, 'jp.m'],
    [{ region: 'sa-east-1' }, 'global.m'],
    [{ region: 'us-west-2', inferenceProfile: 'global' }, 'global.m'],
  ])(
    'the Bedrock path with the settings %j goes through the inference profile %s',
    async (settings, expected) => {
      const quirks = { inferenceProfiles: ['us', 'eu', 'jp', 'global'] };
      expect((await send({ model: model('m') }, { settings, quirks })).path).toBe(
        `/model/${expected}/converse-stream`,
      );
      const named = await send({ model: model('eu.m') }, { settings, quirks });
      expect(named.path).toBe('/model/eu.m/converse-stream');
    },
  );

  test('the Bedrock path asks for a whole answer where a model cannot stream', async () => {
    const never = await send({ model: model('m') }, { quirks: { streaming: 'never' } });
    expect(never.path).toBe('/model/m/converse');
    const llama = model('us.meta.llama3-3-70b-instruct-v1:0');
    expect((await send({ model: llama })).path).toMatch(/converse-stream$/);
    expect((await send({ model: llama, tools: [tool] })).path).toMatch(/converse$/);
  });

  test('a Bedrock request with quirks that are none is refused', async () => {
    const adapter = createBedrockConverseAdapter(dependenciesOn(NO_WAY_OUT));
    const request = providerRequest({ target: providerTarget({ quirks: { tools: 'some' } }) });
    expect(() => adapter.completions.unsupported(request)).toThrow('Quirks of bedrock-converse');
  });
});

describe('messages', () => {
  test('Bedrock messages are merged by role, without blank text, and with all system text apart', async () => {
    const { body } = await send({
      messages: [
        systemMessage('Be brief.'),
        userMessage('One.'),
        userMessage(' \n'),
        userMessage('Two.'),
        { role: 'assistant', parts: [{ type: 'text', text: '' }], toolCalls: [] },
        { role: 'assistant', parts: [{ type: 'text', text: 'Yes.' }], toolCalls: [] },
        systemMessage('Now shout.'),
        userMessage('Three.'),
      ],
    });
    expect(body).toEqual({
      system: [{ text: 'Be brief.' }, { text: 'Now shout.' }],
      messages: [
        { role: 'user', content: [{ text: 'One.' }, { text: 'Two.' }] },
        { role: 'assistant', content: [{ text: 'Yes.' }] },
        { role: 'user', content: [{ text: 'Three.' }] },
      ],
    });
  });

  test('Bedrock messages carry images as bytes only', async () => {
    const { body, refused } = await send({
      messages: [
        {
          ...userMessage(''),
          parts: [
            { type: 'image', image: { data: 'AAAA', mediaType: 'image/jpg', detail: 'low' } },
            { type: 'image', image: { url: 'https://example.com/a.png' } },
            { type: 'image', image: { data: 'AAAA', mediaType: 'image/tiff' } },
          ],
        },
        {
          role: 'assistant',
          parts: [{ type: 'image', image: { url: 'https://example.com/b.png' } }],
          toolCalls: [],
        },
      ],
    });
    expect(body.messages).toEqual([
      { role: 'user', content: [{ image: { format: 'jpeg', source: { bytes: 'AAAA' } } }] },
    ]);
    expect(refused).toEqual([
      'messages[0].parts[0].image.detail',
      'messages[0].parts[1]',
      'messages[0].parts[2]',
      'messages[1].parts[0]',
    ]);
  });

  test('Bedrock messages put tool results first, under ids that the wire takes', async () => {
    const long = 'x'.repeat(80);
    const { body } = await send({
      tools: [tool],
      messages: [
        userMessage('Add.'),
        {
          role: 'assistant',
          parts: [],
          toolCalls: [
            { callId: 't1', name: 'add', argumentsText: '{"a":1}' },
            { callId: long, name: 'add', argumentsText: '' },
          ],
        },
        userMessage('Wait.'),
        { ...toolMessage('t1', 'see'), parts: [{ type: 'text', text: 'see', cacheHint: true }] },
        {
          ...toolMessage(long, ''),
          parts: [{ type: 'image', image: { data: 'AAAA', mediaType: 'image/png' } }],
        },
      ],
      model: claude,
    });
    const [, , results] = body.messages as { content: { toolResult?: { toolUseId: string } }[] }[];
    const wireId = results?.content[2]?.toolResult?.toolUseId ?? '';
    expect(wireId).toMatch(/^x{40}_[0-9a-f]{12}$/);
    expect(body.messages).toMatchObject([
      {},
      {
        content: [
          { toolUse: { toolUseId: 't1', name: 'add', input: { a: 1 } } },
          { toolUse: { toolUseId: wireId, name: 'add', input: {} } },
        ],
      },
      {
        content: [
          { toolResult: { toolUseId: 't1', content: [{ text: 'see' }] } },
          { cachePoint: { type: 'default' } },
          { toolResult: { toolUseId: wireId, content: [{ image: { format: 'png' } }] } },
          { text: 'Wait.' },
        ],
      },
    ]);
  });

  test('Bedrock messages carry the last four cache hints, where the model takes them', async () => {
    const hinted = (role: Message['role']): Message => ({
      role,
      parts: [{ type: 'text', text: 'A', cacheHint: true }],
      toolCalls: [],
    });
    const messages = [
      hinted('system'),
      hinted('user'),
      hinted('assistant'),
      hinted('user'),
      hinted('assistant'),
    ];
    const point = { cachePoint: { type: 'default' } };
    const { body, refused } = await send({ messages, model: claude });
    expect(body.system).toEqual([{ text: 'A' }]);
    expect(body.messages).toMatchObject(
      Array.from({ length: 4 }, () => ({ content: [{ text: 'A' }, point] })),
    );
    expect(refused).toEqual(['messages[0].cacheHint']);
    const without = await send({
      messages: [hinted('user')],
      model: model('mistral.mistral-large-2402-v1:0'),
    });
    expect(without.body.messages).toEqual([{ role: 'user', content: [{ text: 'A' }] }]);
    expect(without.refused).toEqual(['messages[0].cacheHint']);
  });

  test('Bedrock messages drop what a model or the protocol does not take', async () => {
    const titan = await send({
      messages: [systemMessage('A'), userMessage('B')],
      model: model('amazon.titan-text-lite-v1'),
    });
    expect(titan.refused).toEqual(['messages[0]']);
    expect(titan.body).not.toHaveProperty('system');
    const foreign: Message = {
      role: 'assistant',
      parts: [{ type: 'text', text: 'A' }],
      toolCalls: [],
      continuation: 'x',
    };
    expect((await send({ messages: [userMessage('Hi'), foreign, userMessage('B')] })).refused).toEqual([
      'messages[1].continuation',
    ]);
  });
});

describe('tools', () => {
  test.each([
    [undefined, undefined],
    [{ type: 'auto' }, undefined],
    [{ type: 'required' }, { any: {} }],
    [{ type: 'tool', name: 'add' }, { tool: { name: 'add' } }],
  ] as const)('Bedrock tools with the choice %j send %j', async (toolChoice, expected) => {
    const { body } = await send({ tools: [tool], model: claude, ...(toolChoice ? { toolChoice } : {}) });
    expect(body.toolConfig).toEqual({ tools: [addSpec], ...(expected ? { toolChoice: expected } : {}) });
  });

  test('Bedrock tools that must not be called are not offered, but for a history with calls', async () => {
    const none = await send({ tools: [tool], toolChoice: { type: 'none' } });
    expect(none.body.toolConfig).toBeUndefined();
    expect(none.refused).toEqual([]);
    const called = await send({ tools: [tool], toolChoice: { type: 'none' }, messages: history });
    expect(called.body.toolConfig).toMatchObject({ tools: [{ toolSpec: { name: 'add' } }] });
    expect(called.refused).toEqual(['toolChoice']);
  });

  test('Bedrock tools that the history names are offered though the caller no longer does', async () => {
    const { body, refused } = await send({ messages: history });
    expect(body.toolConfig).toEqual({
      tools: [{ toolSpec: { name: 'add', inputSchema: { json: { type: 'object' } } } }],
    });
    expect(refused).toEqual([]);
  });

  test('Bedrock tools are asked for only as far as the model goes', async () => {
    const parameters = { parallelToolCalls: false };
    expect((await send({ tools: [tool], parameters })).refused).toEqual(['parameters.parallelToolCalls']);
    const titan = await send({ tools: [tool], model: model('amazon.titan-text-lite-v1') });
    expect(titan.refused).toEqual(['tools']);
    const llama = model('meta.llama3-1-8b-instruct-v1:0');
    expect((await send({ tools: [tool], model: llama, toolChoice: { type: 'required' } })).refused).toEqual([
      'toolChoice',
    ]);
    const mistral = model('mistral.mistral-large-2407-v1:0');
    const named = await send({
      tools: [{ ...tool, strict: true }],
      model: mistral,
      toolChoice: { type: 'tool', name: 'add' },
    });
    expect(named.refused).toEqual(['toolChoice', 'tools[0].strict']);
    const strict = await send({ tools: [{ ...tool, strict: true }], model: claude });
    expect(strict.body.toolConfig).toMatchObject({ tools: [{ toolSpec: { strict: true } }] });
  });
});

describe('output by JSON Schema', () => {
  test('Bedrock output by JSON Schema is asked for natively, with the schema as text', async () => {
    const { body } = await send({ responseFormat, model: claude });
    expect(body.outputConfig).toEqual({
      textFormat: {
        type: 'json_schema',
        structure: {
          jsonSchema: { schema: JSON.stringify(closedSchema), name: 'city', description: 'A city.' },
        },
      },
    });
  });

  test('Bedrock output by JSON Schema is asked for by a forced tool, or refused', async () => {
    const nova = model('us.amazon.nova-lite-v1:0');
    const alone = await send({ responseFormat, model: nova });
    expect(alone.body.toolConfig).toEqual({
      tools: [{ toolSpec: { name: 'city', description: 'A city.', inputSchema: { json: schema } } }],
      toolChoice: { tool: { name: 'city' } },
    });
    const beside = await send({ responseFormat, model: nova, tools: [tool] });
    expect(beside.body.toolConfig).toMatchObject({ toolChoice: { any: {} } });
    expect((await send({ responseFormat, model: model('cohere.command-r-v1:0') })).refused).toEqual([
      'responseFormat',
    ]);
    expect((await send({ responseFormat: { type: 'json' } })).refused).toEqual(['responseFormat']);
    expect((await send({ responseFormat: { type: 'text' } })).refused).toEqual([]);
  });
});

describe('parameters', () => {
  test('Bedrock parameters travel in their places, each family with its own', async () => {
    const parameters = { maxTokens: 50, temperature: 0.5, topP: 0.9, topK: 5, stop: ['END'] };
    const nova = await send({ parameters, model: model('amazon.nova-pro-v1:0') });
    expect(nova.body).toMatchObject({
      inferenceConfig: { maxTokens: 50, temperature: 0.5, topP: 0.9, stopSequences: ['END'] },
      additionalModelRequestFields: { inferenceConfig: { topK: 5 } },
    });
    expect(nova.refused).toEqual([]);
    const sonnet = await send({ parameters, model: claude });
    expect(sonnet.body.additionalModelRequestFields).toEqual({ top_k: 5 });
    expect(sonnet.refused).toEqual(['parameters.topP']);
    const newest = await send({ parameters, model: model('anthropic.claude-opus-5') });
    expect(newest.refused).toEqual(['parameters.temperature', 'parameters.topP', 'parameters.topK']);
    expect(
      (await send({ parameters: { topK: 5 }, model: model('meta.llama3-1-8b-instruct-v1:0') })).refused,
    ).toEqual(['parameters.topK']);
  });

  test('Bedrock parameters that the protocol lacks are refused, and its own go in verbatim', async () => {
    const providerOptions = { guardrailConfig: { guardrailIdentifier: 'g', guardrailVersion: '1' } };
    const { body, refused } = await send({ parameters: { seed: 1, temperature: 1.2 }, providerOptions });
    expect(refused).toEqual(['parameters.seed', 'parameters.temperature']);
    expect(body).toMatchObject(providerOptions);
  });
});

describe('reasoning', () => {
  const fieldsOf = async (
    key: string,
    parameters: ProviderRequest['parameters'],
    over: Partial<ProviderRequest> = {},
  ) => {
    const { body, refused } = await send({ model: model(key), parameters, ...over });
    return { fields: body.additionalModelRequestFields as JsonObject, refused, body };
  };

  test('Bedrock reasoning of Claude goes by budget below maxTokens, or by effort', async () => {
    const budget = await fieldsOf(claude.key, { reasoningEffort: 'medium', temperature: 0.2 });
    expect(budget.fields).toEqual({ thinking: { type: 'enabled', budget_tokens: 8192 } });
    expect(budget.body.inferenceConfig).toEqual({ maxTokens: 64_000 });
    expect(budget.refused).toEqual(['parameters.temperature']);
    const adaptive = await fieldsOf('anthropic.claude-opus-4-6-v1', { reasoningEffort: 'max' });
    expect(adaptive.fields).toEqual({
      thinking: { type: 'adaptive', display: 'summarized' },
      output_config: { effort: 'max' },
    });
    const forced = await fieldsOf(
      claude.key,
      { reasoningEffort: 'low' },
      { tools: [tool], toolChoice: { type: 'required' } },
    );
    expect(forced.refused).toEqual(['parameters.reasoningEffort']);
    const loop = await fieldsOf(claude.key, { reasoningEffort: 'low' }, { tools: [tool], messages: history });
    expect(loop.refused).toEqual(['parameters.reasoningEffort']);
  });

  test('Bedrock reasoning of Nova and gpt-oss goes by their own effort', async () => {
    const nova = 'us.amazon.nova-2-lite-v1:0';
    const low = await fieldsOf(nova, { reasoningEffort: 'low', temperature: 0.2, reasoningTokens: 5 });
    expect(low.fields).toEqual({ reasoningConfig: { type: 'enabled', maxReasoningEffort: 'low' } });
    expect(low.refused).toEqual(['parameters.reasoningTokens']);
    const high = await fieldsOf(nova, { reasoningEffort: 'max', temperature: 0.2, topK: 4 });
    expect(high.fields).toEqual({ reasoningConfig: { type: 'enabled', maxReasoningEffort: 'high' } });
    expect(high.refused).toEqual(['parameters.temperature', 'parameters.topK']);
    expect((await fieldsOf(nova, { reasoningEffort: 'none' })).refused).toEqual([]);
    const oss = await fieldsOf('openai.gpt-oss-120b-1:0', { reasoningEffort: 'minimal' });
    expect(oss.fields).toEqual({ reasoning_effort: 'low' });
    expect((await fieldsOf('openai.gpt-oss-120b-1:0', { reasoningEffort: 'none' })).refused).toEqual([
      'parameters.reasoningEffort',
    ]);
    expect((await fieldsOf('openai.gpt-oss-120b-1:0', { reasoningTokens: 9 })).refused).toEqual([
      'parameters.reasoningTokens',
    ]);
  });

  test('Bedrock reasoning is refused where it cannot be asked for', async () => {
    const both = { reasoningEffort: 'low', reasoningTokens: 2000 } as const;
    expect((await fieldsOf('deepseek.r1-v1:0', both)).refused).toEqual([
      'parameters.reasoningEffort',
      'parameters.reasoningTokens',
    ]);
    expect((await fieldsOf('mistral.mistral-large-2407-v1:0', { reasoningEffort: 'low' })).refused).toEqual([
      'parameters.reasoningEffort',
    ]);
    const plain = { model: model('us.amazon.nova-2-lite-v1:0', { reasoning: false }) };
    expect((await fieldsOf('', { reasoningEffort: 'low' }, plain)).refused).toEqual([
      'parameters.reasoningEffort',
    ]);
  });

  test('Bedrock reasoning of the newest Claude models drops stale thinking of the history with the beta that this needs', async () => {
    const block = { reasoningContent: { reasoningText: { text: 'Hm.', signature: 's' } } };
    const thought: Message = {
      role: 'assistant',
      parts: [{ type: 'text', text: 'Hi' }],
      toolCalls: [],
      continuation: {
        blocks: [
          { kind: 'opaque', block },
          { kind: 'text', length: 2 },
        ],
      },
    };
    const messages = [userMessage('Hello'), thought, userMessage('Go on')];
    const key = 'anthropic.claude-opus-5-5-20260901-v1:0';
    expect((await fieldsOf(key, {}, { messages })).fields).toEqual({
      thinking: { type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'drop_block' } },
      anthropic_beta: ['thinking-binding-controls-2026-08-01'],
    });
    const providerOptions = { additionalModelRequestFields: { anthropic_beta: ['own-1'] } };
    expect((await fieldsOf(key, {}, { messages, providerOptions })).fields.anthropic_beta).toEqual([
      'thinking-binding-controls-2026-08-01',
      'own-1',
    ]);
    expect((await fieldsOf(key, {})).fields).toBeUndefined();
  });
});
