// Holds what is asked of the Responses API, and what it cannot be asked.

import { describe, expect, test } from 'vitest';
import { Secret } from '../../../src/kernel/secret.ts';
import type { Message } from '../../../src/providers/contract/completions.ts';
import { createOpenAiResponsesAdapter } from '../../../src/providers/openai-responses/adapter.ts';
import {
  collectParts,
  dependenciesOn,
  NO_WAY_OUT,
  providerRequest,
  providerTarget,
  startProvider,
  systemMessage,
  userMessage,
} from '../../support/provider-calls.ts';
import { bodyOf, reasoningModel, response } from './responses-calls.ts';

describe('requests', () => {
  test('a Responses request goes to /responses with the credential, and asks that nothing is stored', async () => {
    await using provider = await startProvider(response([]));
    const target = providerTarget({
      baseUrl: `${provider.upstream.url}/v1`,
      headers: { 'OpenAI-Project': new Secret('p1') },
    });
    await collectParts(createOpenAiResponsesAdapter(provider), providerRequest({ target }));
    const [request] = provider.upstream.requests;
    expect(request).toMatchObject({
      method: 'POST',
      path: '/v1/responses',
      headers: {
        authorization: 'Bearer sk-test',
        'openai-project': 'p1',
        'content-type': 'application/json',
      },
    });
    expect(request?.json()).toEqual({
      model: 'model-1',
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] }],
      stream: true,
      store: false,
    });
  });

  test('a Responses request turns the first system messages into instructions and keeps a later one in its place', async () => {
    const messages = [
      systemMessage('Be brief.'),
      systemMessage('Be kind.'),
      userMessage('Hi'),
      systemMessage('Now shout.'),
    ];
    expect(await bodyOf({ messages })).toMatchObject({
      instructions: 'Be brief.\n\nBe kind.',
      input: [
        { role: 'user' },
        { type: 'message', role: 'system', content: [{ type: 'input_text', text: 'Now shout.' }] },
      ],
    });
    const alone = await bodyOf({ messages: [systemMessage('Say hello.')] });
    expect(alone.instructions).toBeUndefined();
    expect(alone.input).toMatchObject([{ role: 'system' }]);
  });

  test('a Responses request carries images by address and by data, in tool results too', async () => {
    const byUrl = { type: 'image', image: { url: 'https://example.com/a.png', detail: 'low' } } as const;
    const byData = { type: 'image', image: { data: 'AAAA', mediaType: 'image/png' } } as const;
    const messages: Message[] = [
      { role: 'user', parts: [{ type: 'text', text: 'Look' }, byUrl, byData], toolCalls: [] },
      { role: 'assistant', parts: [], toolCalls: [{ callId: 'c1', name: 'see', argumentsText: '' }] },
      { role: 'tool', parts: [{ type: 'text', text: 'here' }, byData], toolCalls: [], toolCallId: 'c1' },
    ];
    const dataImage = { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'auto' };
    expect((await bodyOf({ messages })).input).toEqual([
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text: 'Look' },
          { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'low' },
          dataImage,
        ],
      },
      { type: 'function_call', call_id: 'c1', name: 'see', arguments: '{}' },
      {
        type: 'function_call_output',
        call_id: 'c1',
        output: [{ type: 'input_text', text: 'here' }, dataImage],
      },
    ]);
  });

  test('a Responses request carries parameters, tools, choice, format and options under their names in the Responses API', async () => {
    const parameters = { maxTokens: 100, temperature: 0, topP: 0.5, parallelToolCalls: false };
    const tool = { name: 't', description: 'd', parameters: { type: 'object' } };
    const schema = { type: 'object', properties: {} };
    const body = await bodyOf({
      parameters,
      tools: [tool, { name: 's', parameters: {}, strict: true }],
      toolChoice: { type: 'tool', name: 't' },
      responseFormat: { type: 'json-schema', name: 'r', schema, strict: true },
      providerOptions: { service_tier: 'flex', store: true },
    });
    expect(body).toMatchObject({
      max_output_tokens: 100,
      temperature: 0,
      top_p: 0.5,
      parallel_tool_calls: false,
      tools: [
        { type: 'function', name: 't', description: 'd', parameters: { type: 'object' }, strict: false },
        { type: 'function', name: 's', parameters: {}, strict: true },
      ],
      tool_choice: { type: 'function', name: 't' },
      text: { format: { type: 'json_schema', name: 'r', schema, strict: true } },
      service_tier: 'flex',
      store: true,
    });
    expect(
      await bodyOf({ toolChoice: { type: 'required' }, tools: [tool], responseFormat: { type: 'json' } }),
    ).toMatchObject({
      tool_choice: 'required',
      text: { format: { type: 'json_object' } },
    });
    const plain = await bodyOf({
      toolChoice: { type: 'none' },
      responseFormat: { type: 'text' },
      parameters: { parallelToolCalls: true },
    });
    for (const name of ['tools', 'tool_choice', 'parallel_tool_calls', 'text', 'include', 'reasoning']) {
      expect(plain).not.toHaveProperty(name);
    }
  });

  test('a Responses request asks a reasoning model for what must be sent back, and for a summary only when told to', async () => {
    const include = ['reasoning.encrypted_content'];
    const unasked = await bodyOf({ model: reasoningModel });
    expect(unasked).toMatchObject({ include });
    expect(unasked).not.toHaveProperty('reasoning');
    const providerOptions = { reasoning: { summary: 'auto' } };
    expect((await bodyOf({ model: reasoningModel, providerOptions })).reasoning).toEqual({ summary: 'auto' });
    const parameters = { reasoningEffort: 'max' } as const;
    const quirks = { reasoningEfforts: { max: 'xhigh' }, reasoningSummary: 'detailed' };
    expect((await bodyOf({ model: reasoningModel, parameters }, quirks)).reasoning).toEqual({
      effort: 'xhigh',
      summary: 'detailed',
    });
    const silent = { reasoningSummary: 'none', encryptedReasoning: false };
    const body = await bodyOf({ model: reasoningModel }, silent);
    expect(body).not.toHaveProperty('reasoning');
    expect(body).not.toHaveProperty('include');
    expect(
      (await bodyOf({ model: reasoningModel, parameters: { reasoningEffort: 'none' } })).reasoning,
    ).toEqual({ effort: 'none' });
  });

  test('a Responses request names what the protocol or the model cannot do, and leaves it out', async () => {
    const parameters = {
      topK: 1,
      stop: ['x'],
      seed: 1,
      presencePenalty: 0,
      frequencyPenalty: 0,
      repetitionPenalty: 1,
      logitBias: {},
      reasoningTokens: 5,
      temperature: 1,
      topP: 1,
      maxTokens: 5,
      reasoningEffort: 'low',
      parallelToolCalls: true,
    } as const;
    const quirks = {
      lacks: ['maxTokens', 'parallelToolCalls'],
      lacksWhenReasoning: ['temperature', 'topP', 'reasoningEffort'],
    };
    const adapter = createOpenAiResponsesAdapter(dependenciesOn(NO_WAY_OUT));
    const request = providerRequest({
      parameters,
      model: reasoningModel,
      target: providerTarget({ quirks }),
    });
    expect(adapter.completions.unsupported(request).map(({ path }) => path)).toEqual([
      'parameters.topK',
      'parameters.stop',
      'parameters.seed',
      'parameters.presencePenalty',
      'parameters.frequencyPenalty',
      'parameters.repetitionPenalty',
      'parameters.logitBias',
      'parameters.reasoningTokens',
      'parameters.maxTokens',
      'parameters.parallelToolCalls',
      'parameters.temperature',
      'parameters.topP',
      'parameters.reasoningEffort',
    ]);
    const efforts = { reasoningEfforts: { low: 'little' } };
    const ofEffort = (reasoningEffort: 'low' | 'max') =>
      providerRequest({ parameters: { reasoningEffort }, target: providerTarget({ quirks: efforts }) });
    expect(adapter.completions.unsupported(ofEffort('low'))).toEqual([]);
    expect(adapter.completions.unsupported(ofEffort('max'))).toEqual([
      {
        path: 'parameters.reasoningEffort',
        message: 'The provider fake knows the reasoning efforts low only.',
      },
    ]);
    expect(adapter.completions.unsupported(providerRequest())).toEqual([]);
    const tools = [{ name: 't', parameters: {} }];
    expect(
      Object.keys(
        await bodyOf(
          { parameters, tools, model: reasoningModel },
          { ...quirks, encryptedReasoning: false, reasoningSummary: 'none' },
        ),
      ),
    ).toEqual(['model', 'input', 'stream', 'store', 'tools']);
    expect(() =>
      adapter.completions.unsupported(providerRequest({ target: providerTarget({ quirks: { lacks: 1 } }) })),
    ).toThrow('Quirks of openai-responses');
  });
});
