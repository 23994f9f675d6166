// Holds what is asked of the Responses API: bodies, tool loops, what it cannot do, errors, models, and that leaving stops it.
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/kernel/json.ts';
import { Secret } from '../../../src/kernel/secret.ts';
import type { Message, ProviderRequest, StreamPart } from '../../../src/providers/contract.ts';
import { createOpenAiResponsesAdapter } from '../../../src/providers/openai-responses/adapter.ts';
import {
  assistantMessageOf,
  collectParts,
  providerRequest,
  providerTarget,
  startProvider,
  systemMessage,
  toolMessage,
  userMessage,
} from '../../support/provider-calls.ts';

const response = (output: unknown[]) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ id: 'resp_1', model: 'm', status: 'completed', output, usage: null }),
});

/** The body that a request becomes. */
async function bodyOf(over: Partial<ProviderRequest>, quirks = {}): Promise<Record<string, unknown>> {
  await using provider = await startProvider(response([]));
  const target = providerTarget({ baseUrl: provider.upstream.url, quirks });
  await collectParts(createOpenAiResponsesAdapter(provider.http), providerRequest({ ...over, target }));
  return provider.upstream.requests[0]?.json() as Record<string, unknown>;
}

const reasoningModel = { key: 'gpt-5', reasoning: true };

describe('a request', () => {
  test('goes to /responses with the credential, and asks that nothing is stored', async () => {
    await using provider = await startProvider(response([]));
    const target = providerTarget({
      baseUrl: `${provider.upstream.url}/v1`,
      headers: { 'OpenAI-Project': new Secret('p1') },
    });
    await collectParts(createOpenAiResponsesAdapter(provider.http), providerRequest({ target }));
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

  test('turns the first system messages into instructions and keeps a later one in its place', async () => {
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

  test('carries images by address and by data, in tool results too', async () => {
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

  test('carries parameters, tools, choice, format and options under their names here', async () => {
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

  test('asks a reasoning model for a summary and for what must be sent back', async () => {
    const include = ['reasoning.encrypted_content'];
    expect(await bodyOf({ model: reasoningModel })).toMatchObject({
      include,
      reasoning: { summary: 'auto' },
    });
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

  test('names what the protocol or the model cannot do, and leaves it out', async () => {
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
    const adapter = createOpenAiResponsesAdapter({
      send: () => Promise.reject(new Error('no call')),
      close: async () => {},
    });
    const request = providerRequest({
      parameters,
      model: reasoningModel,
      target: providerTarget({ quirks }),
    });
    expect(adapter.unsupported(request).map(({ path }) => path)).toEqual([
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
    expect(adapter.unsupported(ofEffort('low'))).toEqual([]);
    expect(adapter.unsupported(ofEffort('max'))).toEqual([
      {
        path: 'parameters.reasoningEffort',
        message: 'The provider fake knows the reasoning efforts low only.',
      },
    ]);
    expect(adapter.unsupported(providerRequest())).toEqual([]);
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
      adapter.unsupported(providerRequest({ target: providerTarget({ quirks: { lacks: 1 } }) })),
    ).toThrow('Quirks of openai-responses');
  });
});

test('a tool loop of three turns sends every reasoning item back unmodified and in its place', async () => {
  const reasoning = (id: string) => ({
    id,
    type: 'reasoning',
    encrypted_content: `enc-${id}`,
    summary: [{ type: 'summary_text', text: id }],
    status: 'completed',
  });
  const call = (id: string) => ({
    type: 'function_call',
    id: `fc_${id}`,
    call_id: id,
    name: 'look',
    arguments: `{"at":"${id}"}`,
  });
  const turns = [
    [
      reasoning('rs_1'),
      { type: 'message', content: [{ type: 'output_text', text: 'I look twice.' }] },
      call('c1'),
      reasoning('rs_2'),
      call('c2'),
    ],
    [reasoning('rs_3'), call('c3')],
    [reasoning('rs_4'), { type: 'message', content: [{ type: 'output_text', text: 'Done.' }] }],
  ];
  await using provider = await startProvider((_request, index) => response(turns[index] ?? []));
  const target = providerTarget({ baseUrl: provider.upstream.url });
  const adapter = createOpenAiResponsesAdapter(provider.http);
  const messages: Message[] = [userMessage('Go')];
  for (const _turn of turns) {
    const { parts } = await collectParts(
      adapter,
      providerRequest({ target, messages, model: reasoningModel }),
    );
    const answer = assistantMessageOf(parts);
    messages.push(
      JSON.parse(JSON.stringify(answer)),
      ...answer.toolCalls.map(({ callId }) => toolMessage(callId, `saw ${callId}`)),
    );
  }
  const sentCall = (id: string) => ({
    type: 'function_call',
    call_id: id,
    name: 'look',
    arguments: `{"at":"${id}"}`,
  });
  const output = (id: string) => ({ type: 'function_call_output', call_id: id, output: `saw ${id}` });
  expect(provider.upstream.requests[2]?.json()).toHaveProperty('input', [
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Go' }] },
    reasoning('rs_1'),
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'I look twice.' }] },
    sentCall('c1'),
    reasoning('rs_2'),
    sentCall('c2'),
    output('c1'),
    output('c2'),
    reasoning('rs_3'),
    sentCall('c3'),
    output('c3'),
  ]);
  expect(messages.at(-1)?.parts).toEqual([{ type: 'text', text: 'Done.' }]);
});

test('an assistant message that was edited, or that another protocol continued, still says all it has', async () => {
  const call = { callId: 'c9', name: 'look', argumentsText: '{}' };
  const assistant = (continuation: Message['continuation']): Message => ({
    role: 'assistant',
    parts: [{ type: 'text', text: 'edited' }],
    toolCalls: [call],
    ...(continuation === undefined ? {} : { continuation }),
  });
  const said = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'edited' }] };
  const called = { type: 'function_call', call_id: 'c9', name: 'look', arguments: '{}' };
  const item = { type: 'reasoning', encrypted_content: 'e' };
  const places: JsonValue = { output: [{ item }, { text: 3 }, { call: 'gone' }] };
  expect((await bodyOf({ messages: [assistant(places)] })).input).toEqual([said, item, called]);
  expect((await bodyOf({ messages: [assistant({ signature: 'foreign' })] })).input).toEqual([said, called]);
  const phased = { output: [{ text: 6, phase: 'commentary' }] };
  expect((await bodyOf({ messages: [assistant(phased)] })).input).toEqual([
    { ...said, phase: 'commentary' },
    called,
  ]);
});

describe('an error answer', () => {
  const error = (fields: object) =>
    JSON.stringify({ error: { type: 'invalid_request_error', param: null, code: null, ...fields } });
  test.each([
    [
      400,
      error({ message: 'no such model', code: 'model_not_found', param: 'model' }),
      { code: 'MODEL_UNAVAILABLE', status: 400, providerCode: 'model_not_found' },
    ],
    [
      400,
      error({ message: 'too long', code: 'context_length_exceeded' }),
      { code: 'CONTEXT_LENGTH_EXCEEDED', message: 'too long' },
    ],
    [
      400,
      error({ message: 'bad', code: 'unsupported_value' }),
      { code: 'PROVIDER_INVALID_REQUEST', transient: false },
    ],
    [401, error({ message: 'bad key', code: 'invalid_api_key' }), { code: 'PROVIDER_AUTHENTICATION' }],
    [
      429,
      error({ message: 'slow', type: 'tokens', code: 'rate_limit_exceeded' }),
      { code: 'PROVIDER_RATE_LIMITED', transient: true, retryAfterMs: 2000, providerRequestId: 'req_9' },
    ],
    [
      429,
      error({ message: 'pay', type: 'insufficient_quota', code: 'insufficient_quota' }),
      { code: 'PROVIDER_RATE_LIMITED', transient: false },
    ],
    [404, error({ message: 'gone' }), { code: 'MODEL_UNAVAILABLE', providerCode: 'invalid_request_error' }],
    [
      503,
      '<html><title>Busy</title></html>',
      { code: 'PROVIDER_UNAVAILABLE', message: 'Busy', transient: true },
    ],
  ])('of status %i is translated once: %s', async (status, body, expected) => {
    const headers = { 'retry-after': '2', 'x-request-id': 'req_9' };
    await using provider = await startProvider({ status, body, headers });
    const target = providerTarget({ baseUrl: provider.upstream.url });
    const { fault, parts } = await collectParts(
      createOpenAiResponsesAdapter(provider.http),
      providerRequest({ target }),
    );
    expect(parts).toEqual([]);
    expect(fault).toMatchObject({ phase: 'headers', ...expected });
  });
});

const endless = {
  headers: { 'content-type': 'text/event-stream' },
  body: 'data: {"type":"response.output_text.delta","output_index":0,"delta":"a"}\n\n',
  fault: { stallAfterBytes: 10_000 },
};

test('aborting the signal stops the upstream request, and so does leaving the loop', async () => {
  await using provider = await startProvider(endless);
  const adapter = createOpenAiResponsesAdapter(provider.http);
  const request = providerRequest({ target: providerTarget({ baseUrl: provider.upstream.url }) });
  const controller = new AbortController();
  const reason = new Error('enough');
  const seen: StreamPart[] = [];
  const run = async () => {
    for await (const read of adapter.stream(request, { signal: controller.signal })) {
      seen.push(...read);
      controller.abort(reason);
    }
  };
  await expect(run()).rejects.toBe(reason);
  expect(seen).toEqual([{ type: 'text-delta', text: 'a' }]);
  await provider.upstream.requests.at(0)?.aborted;
  for await (const _read of adapter.stream(request, { signal: new AbortController().signal })) break;
  await provider.upstream.requests[1]?.aborted;
});

describe('the list of models', () => {
  const { signal } = new AbortController();
  test('gives their names, and proves the credential', async () => {
    await using provider = await startProvider({
      body: '{"object":"list","data":[{"id":"gpt-5","object":"model"},{"id":"o3"}]}',
    });
    const adapter = createOpenAiResponsesAdapter(provider.http);
    const target = providerTarget({ baseUrl: provider.upstream.url });
    expect(await adapter.listModels?.(target, { signal })).toEqual([{ key: 'gpt-5' }, { key: 'o3' }]);
    await adapter.check(target, { signal });
    expect(provider.upstream.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /models',
      'GET /models',
    ]);
  });

  test.each([
    [200, 'hello', 'PROVIDER_PROTOCOL'],
    [200, '{"models":[]}', 'PROVIDER_PROTOCOL'],
    [401, '{"error":{"message":"no","code":"invalid_api_key"}}', 'PROVIDER_AUTHENTICATION'],
  ])('of status %i that is %s is a fault', async (status, body, code) => {
    await using provider = await startProvider({ status, body });
    const target = providerTarget({ baseUrl: provider.upstream.url });
    await expect(
      createOpenAiResponsesAdapter(provider.http).listModels?.(target, { signal }),
    ).rejects.toMatchObject({ code });
  });

  test('may be missing: then an empty request that is refused as invalid proves address and credential', async () => {
    const statuses = [400, 401, 200];
    await using provider = await startProvider((_request, index) => ({
      status: statuses[index] ?? 500,
      body: '{"error":{"message":"model is required"}}',
    }));
    const adapter = createOpenAiResponsesAdapter(provider.http);
    const target = providerTarget({ baseUrl: provider.upstream.url, quirks: { modelsPath: null } });
    await adapter.check(target, { signal });
    await expect(adapter.check(target, { signal })).rejects.toMatchObject({
      code: 'PROVIDER_AUTHENTICATION',
    });
    await expect(adapter.check(target, { signal })).rejects.toMatchObject({ code: 'PROVIDER_PROTOCOL' });
    expect(provider.upstream.requests[0]).toMatchObject({ method: 'POST', path: '/responses', body: '{}' });
    await expect(adapter.check({ ...target, quirks: { checkPath: null } }, { signal })).rejects.toThrow();
    expect(provider.upstream.requests.at(-1)?.path).toBe('/responses');
    await expect(adapter.listModels?.(target, { signal })).rejects.toMatchObject({
      code: 'CAPABILITY_MISSING',
    });
  });

  test('may give way to another path that proves the credential', async () => {
    const bodies = ['{"user":"me"}', '<html>Sign in</html>'];
    await using provider = await startProvider((_request, index) => ({ body: bodies[index] ?? '' }));
    const adapter = createOpenAiResponsesAdapter(provider.http);
    const target = providerTarget({ baseUrl: provider.upstream.url, quirks: { checkPath: '/me' } });
    await adapter.check(target, { signal });
    await expect(adapter.check(target, { signal })).rejects.toMatchObject({ code: 'PROVIDER_PROTOCOL' });
    expect(provider.upstream.requests.map(({ path }) => path)).toEqual(['/me', '/me']);
  });
});
