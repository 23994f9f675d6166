import { beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { type CatalogueCalls, catalogueCalls } from '../../support/catalogue-calls.ts';
import { describeEachDatabase } from '../../support/databases.ts';
import { type Answer, type FakeUpstream, startFakeUpstream } from '../../support/fake-upstream.ts';
import { complete, HELLO, sandboxInput } from '../../support/run-calls.ts';
import { sandboxCatalogue } from '../../support/sandbox-catalogue.ts';

const COMPLETE = `mutation ($input: CompletionInput!) { complete(input: $input) { completion {
  id status text reasoning finishReason providerFinishReason model continuation metadata error { code }
  toolCalls { callId name argumentsText }
  usage { inputTokens cacheReadTokens outputTokens reasoningTokens totalTokens estimated }
  cost costLines { kind tokens pricePerMillion cost }
  warnings { code message }
  instance { slug } modelSpec { canonicalId }
  plan { summary candidates { place label code reason } }
  attempts { number outcome canonicalId servedModel error { code message status } }
} userErrors { message } } }`;

describeEachDatabase('complete', (kind) => {
  let app: TestApp;
  let mine: CatalogueCalls;
  let key: string;
  let upstream: FakeUpstream;
  let answer: Answer;

  beforeAll(async () => {
    app = await startTestApp(kind, { overrides: { catalogueData: await sandboxCatalogue() } });
    ({ key } = await app.createWorkspace());
    mine = catalogueCalls(app, key);
    await mine.config({ name: 'Sandbox', providerKey: 'sandbox', secret: undefined });
    upstream = await startFakeUpstream((request, index) => answer(request, index));
    return () => upstream.close();
  });

  const run = async (input: Record<string, unknown>) => {
    const { data, errors } = await mine.run(COMPLETE, { input });
    if (errors) throw Object.assign(new Error(errors[0]?.message), errors[0]?.extensions);
    return data.complete.completion;
  };
  const refusal = async (input: Record<string, unknown>) => {
    const error = await run(input).then(
      () => {
        throw new Error('was not refused');
      },
      (caught) => caught,
    );
    return error as { message: string; code: string; path?: string; completionId?: string; attempts?: any[] };
  };
  /** A provider of the protocol at the fake upstream, with a model and an instance. */
  const served = async (protocol: string, over: { model?: object; instance?: object } = {}) => {
    const auth =
      protocol === 'anthropic-messages'
        ? { type: 'header', header: 'x-api-key', prefix: '', optional: false }
        : { type: 'header', header: 'authorization', prefix: 'Bearer ', optional: false };
    const provider = await mine.provider({ protocol, auth, baseUrl: upstream.url });
    const config = await mine.config({ providerKey: provider.key });
    const model = await mine.model({ providerKey: provider.key, ...over.model });
    const instance = await mine.instance({
      configId: config.id,
      canonicalId: model.canonicalId,
      ...over.instance,
    });
    return { config, model, instance };
  };
  const chatAnswer = (message: object, usage: object = { prompt_tokens: 10, completion_tokens: 4 }) => {
    const chunk = (choice: object) =>
      `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', model: 'served-1', choices: [{ index: 0, ...choice }] })}\n\n`;
    return {
      headers: { 'content-type': 'text/event-stream' },
      body: `${chunk({ delta: { role: 'assistant', ...message } })}${chunk({ delta: {}, finish_reason: 'tool_calls' in message ? 'tool_calls' : 'stop' })}data: ${JSON.stringify({ id: 'c1', choices: [], usage })}\n\ndata: [DONE]\n\n`,
    };
  };

  test('complete answers with text, usage, cost, plan and attempts, and keeps them', async () => {
    const given = await run({ ...sandboxInput({ text: 'All is well.' }), metadata: { ticket: 7 } });
    expect(given).toMatchObject({
      status: 'FINISHED',
      text: 'All is well.',
      finishReason: 'STOP',
      error: null,
      metadata: { ticket: 7 },
      attempts: [{ number: 1, outcome: 'SUCCEEDED', canonicalId: 'sandbox/sandbox-text' }],
      plan: { candidates: [{ place: 1, label: 'sandbox-text' }] },
    });
    expect(given.usage.totalTokens).toBe(given.usage.inputTokens + given.usage.outputTokens);
    const kept = await mine.run(
      `query ($id: String!, $nodeId: ID!) {
        completion(id: $id) { text status usage { totalTokens } attempts { number } }
        node(id: $nodeId) { id }
      }`,
      { id: given.id, nodeId: given.id },
    );
    expect(kept.data.completion).toEqual({
      text: 'All is well.',
      status: 'FINISHED',
      usage: { totalTokens: given.usage.totalTokens },
      attempts: [{ number: 1 }],
    });
    expect(kept.data.node).toEqual({ id: given.id });
  });

  test('complete charges tokens by kind at the price in force', async () => {
    const { model, instance } = await served('openai-chat');
    await mine.mutate('setPrice', {
      canonicalId: model.canonicalId,
      input: '2',
      output: '8',
      cacheRead: '0.5',
    });
    answer = () =>
      chatAnswer(
        { content: 'Hi' },
        { prompt_tokens: 1000, completion_tokens: 500, prompt_tokens_details: { cached_tokens: 400 } },
      );
    const given = await run({ model: instance.slug, messages: HELLO });
    expect(given).toMatchObject({
      usage: { inputTokens: 600, cacheReadTokens: 400, outputTokens: 500, estimated: false },
      cost: '0.0054',
      costLines: [
        { kind: 'INPUT', tokens: 600, pricePerMillion: '2', cost: '0.0012' },
        { kind: 'CACHE_READ', tokens: 400, pricePerMillion: '0.5', cost: '0.0002' },
        { kind: 'OUTPUT', tokens: 500, pricePerMillion: '8', cost: '0.004' },
      ],
      attempts: [{ servedModel: 'served-1' }],
    });
  });

  test('complete says what a model without a price costs: nothing that is known', async () => {
    const { instance } = await served('openai-chat');
    answer = () => chatAnswer({ content: 'Hi' });
    const given = await run({ model: instance.slug, messages: HELLO });
    expect([given.cost, given.warnings.map(({ code }: { code: string }) => code)]).toEqual([
      null,
      ['UNPRICED_MODEL'],
    ]);
  });

  test('complete sends what was asked, the instance’s defaults under it', async () => {
    const { instance, model } = await served('openai-chat', {
      model: { inputModalities: ['text', 'image'], capabilities: ['tools', 'vision'] },
      instance: { defaultParameters: { temperature: 0.1, topP: 0.5 } },
    });
    answer = () => chatAnswer({ content: '{}' });
    await run({
      model: instance.slug,
      messages: [
        { role: 'SYSTEM', text: 'Be brief.' },
        { role: 'USER', parts: [{ text: 'What is this?' }, { image: { url: 'https://example.com/a.png' } }] },
      ],
      parameters: { temperature: 0.9, maxTokens: 99, stop: ['END'], seed: 5 },
      responseFormat: { kind: 'JSON_SCHEMA', name: 'thing', schema: { type: 'object' } },
    });
    expect(upstream.requests.at(-1)?.json()).toMatchObject({
      model: model.canonicalId.split('/')[1],
      temperature: 0.9,
      top_p: 0.5,
      stop: ['END'],
      seed: 5,
      response_format: { type: 'json_schema', json_schema: { name: 'thing' } },
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'What is this?' }, { type: 'image_url' }] },
      ],
    });
  });

  test('complete carries a tool loop with its continuation', async () => {
    const { instance } = await served('anthropic-messages', {
      model: { capabilities: ['tools', 'reasoning'] },
    });
    const event = (data: { type: string; [name: string]: unknown }) =>
      `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
    answer = () => ({
      headers: { 'content-type': 'text/event-stream' },
      body: [
        event({
          type: 'message_start',
          message: { id: 'm', model: 'claude', usage: { input_tokens: 3, output_tokens: 1 } },
        }),
        event({ type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '' } }),
        event({ type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Hm.' } }),
        event({
          type: 'content_block_delta',
          index: 0,
          delta: { type: 'signature_delta', signature: 'SIGNED' },
        }),
        event({ type: 'content_block_stop', index: 0 }),
        event({
          type: 'content_block_start',
          index: 1,
          content_block: { type: 'tool_use', id: 't1', name: 'add', input: {} },
        }),
        event({
          type: 'content_block_delta',
          index: 1,
          delta: { type: 'input_json_delta', partial_json: '{"a":1}' },
        }),
        event({ type: 'content_block_stop', index: 1 }),
        event({ type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 9 } }),
        event({ type: 'message_stop' }),
      ].join(''),
    });
    const tools = [{ name: 'add', parameters: { type: 'object', properties: { a: { type: 'number' } } } }];
    const first = await run({ model: instance.slug, messages: HELLO, tools });
    expect(first).toMatchObject({
      finishReason: 'TOOL_CALLS',
      reasoning: 'Hm.',
      toolCalls: [{ callId: 't1', name: 'add', argumentsText: '{"a":1}' }],
    });
    await run({
      model: instance.slug,
      tools,
      messages: [
        ...(HELLO as object[]),
        { role: 'ASSISTANT', toolCalls: first.toolCalls, continuation: first.continuation },
        { role: 'TOOL', toolCallId: 't1', text: '2' },
      ],
    });
    const sent = upstream.requests.at(-1)?.json() as { messages: { content: object[] }[] };
    expect(sent.messages[1]?.content).toEqual([
      { type: 'thinking', thinking: 'Hm.', signature: 'SIGNED' },
      { type: 'tool_use', id: 't1', name: 'add', input: { a: 1 } },
    ]);
  });

  test('complete tells of a provider’s fault with the run, its attempts and the provider’s words', async () => {
    const { instance } = await served('openai-chat');
    answer = () => ({
      status: 401,
      body: JSON.stringify({ error: { message: 'Incorrect API key', code: 'invalid_api_key' } }),
    });
    const error = await refusal({ model: instance.slug, messages: HELLO });
    expect(error).toMatchObject({
      code: 'PROVIDER_AUTHENTICATION',
      attempts: [{ outcome: 'FAILED', status: 401, code: 'PROVIDER_AUTHENTICATION' }],
    });
    expect(error.message).toContain('Incorrect API key');
    const kept = await mine.run(
      'query ($id: String!) { completion(id: $id) { status error { code message } } }',
      {
        id: error.completionId,
      },
    );
    expect(kept.data.completion).toMatchObject({
      status: 'FAILED',
      error: { code: 'PROVIDER_AUTHENTICATION' },
    });
  });

  test('complete goes on to the next instance of the model when one fails unseen, and accounts for both', async () => {
    const { config, model, instance } = await served('openai-chat', { instance: { priority: 5 } });
    const second = await mine.instance({ configId: config.id, canonicalId: model.canonicalId, priority: 1 });
    let tries = 0;
    answer = () => (++tries === 1 ? { status: 504, body: '{}' } : chatAnswer({ content: 'From the other' }));
    const given = await run({ model: instance.slug, messages: HELLO });
    expect(given.text).toBe('From the other');
    expect(given.instance).toEqual({ slug: second.slug });
    expect(given.modelSpec).toEqual({ canonicalId: model.canonicalId });
    expect(given.attempts.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      'FAILED',
      'SUCCEEDED',
    ]);
    expect(given.plan.candidates.map(({ label }: { label: string }) => label)).toEqual([
      instance.slug,
      second.slug,
    ]);
  });

  test.each([
    ['no message', { messages: [] }, 'messages'],
    ['a message without content', { messages: [{ role: 'USER' }] }, 'messages[0]'],
    ['an empty text', { messages: [{ role: 'USER', text: '' }] }, 'messages[0]'],
    [
      'a result of no call',
      { messages: [{ role: 'TOOL', toolCallId: 'x', text: '1' }] },
      'messages[0].toolCallId',
    ],
    [
      'calls that a user makes',
      {
        messages: [...HELLO, { role: 'USER', toolCalls: [{ callId: 'a', name: 'f', argumentsText: '{}' }] }],
      },
      'messages[1].toolCalls',
    ],
    [
      'arguments that are no JSON',
      { messages: [{ role: 'ASSISTANT', toolCalls: [{ callId: 'a', name: 'f', argumentsText: '{' }] }] },
      'messages[0].toolCalls[0].argumentsText',
    ],
    [
      'an image that is neither',
      { messages: [{ role: 'USER', parts: [{ image: {} }] }] },
      'messages[0].parts[0].image',
    ],
    ['half a surrogate pair', { messages: [{ role: 'USER', text: '\ud800' }] }, 'messages[0].parts[0].text'],
    ['a temperature of 3', { parameters: { temperature: 3 } }, 'parameters.temperature'],
    ['a topP of -1', { parameters: { topP: -1 } }, 'parameters.topP'],
    ['no tokens at all', { parameters: { maxTokens: 0 } }, 'parameters.maxTokens'],
    ['an empty model', { model: ' ' }, 'model'],
    ['a choice without tools', { toolChoice: { mode: 'REQUIRED' } }, 'toolChoice'],
    [
      'a made-up continuation',
      { messages: [{ role: 'ASSISTANT', text: 'a', continuation: 'x' }] },
      'messages[0].continuation',
    ],
    ['an empty key', { idempotencyKey: '' }, 'idempotencyKey'],
  ])('complete refuses %s and names the path', async (_what, fault, path) => {
    expect(await refusal({ ...sandboxInput(), ...fault })).toMatchObject({ code: 'BAD_USER_INPUT', path });
  });

  describe('what complete tells apart', () => {
    test('complete tells apart a model that is unknown', async () => {
      expect(await refusal({ model: 'no-such-model', messages: HELLO })).toMatchObject({
        code: 'MODEL_NOT_FOUND',
      });
      expect(await refusal({ model: 'tag:nothing', messages: HELLO })).toMatchObject({
        code: 'MODEL_NOT_FOUND',
      });
    });

    test('complete tells apart a model, a config and an instance that is switched off', async () => {
      const { config, model, instance } = await served('openai-chat');
      await mine.mutate('updateModelInstance', { id: instance.id, version: 1, enabled: false });
      expect((await refusal({ model: instance.slug, messages: HELLO })).message).toContain(
        `instance "${instance.slug}" is switched off`,
      );
      await mine.mutate('updateModelInstance', { id: instance.id, version: 2, enabled: true });
      await mine.mutate('updateProviderConfig', { id: config.id, version: 1, enabled: false });
      expect((await refusal({ model: instance.slug, messages: HELLO })).message).toContain(
        `config "${config.name}" is switched off`,
      );
      await mine.mutate('updateProviderConfig', { id: config.id, version: 2, enabled: true });
      await mine.mutate('updateModelSpec', { id: model.id, version: 1, available: false });
      const error = await refusal({ model: instance.slug, messages: HELLO });
      expect(error).toMatchObject({ code: 'MODEL_UNAVAILABLE' });
      expect(error.message).toContain(`model "${model.canonicalId}" is switched off`);
    });

    test('complete tells apart a model whose provider nobody configured', async () => {
      const model = await mine.model();
      expect(await refusal({ model: model.canonicalId, messages: HELLO })).toMatchObject({
        code: 'MODEL_UNAVAILABLE',
      });
    });

    test('complete tells apart a model whose output is not text', async () => {
      const { instance } = await served('openai-chat', {
        model: { outputModalities: ['image'] },
        instance: { tags: ['art'] },
      });
      expect(await refusal({ model: instance.slug, messages: HELLO })).toMatchObject({
        code: 'CAPABILITY_MISSING',
      });
      expect(
        await refusal({ model: 'tag:art', messages: HELLO, routing: { fallback: 'SAME_MODEL' } }),
      ).toMatchObject({ code: 'CAPABILITY_MISSING' });
    });

    test('complete tells apart a request for more tokens than the model gives', async () => {
      const { instance } = await served('openai-chat', { model: { maxOutputTokens: 50 } });
      const error = await refusal({ model: instance.slug, messages: HELLO, parameters: { maxTokens: 51 } });
      expect(error).toMatchObject({ code: 'BAD_USER_INPUT', path: 'parameters.maxTokens' });
    });
  });

  test('complete shows its plan without calling anybody', async () => {
    const before = upstream.requests.length;
    const { instance } = await served('openai-chat');
    const plan = await mine.run(
      'query ($input: CompletionInput!) { routePlan(input: $input) { summary candidates { place label code } } }',
      {
        input: { model: instance.slug, messages: HELLO },
      },
    );
    expect(plan.data.routePlan.candidates).toEqual([{ place: 1, label: instance.slug, code: 'NAMED' }]);
    expect(upstream.requests.length).toBe(before);
  });

  test('complete needs scope RUN', async () => {
    const reader = await app.createWorkspace(['READ']);
    const { errors } = await complete(app, reader.key, sandboxInput());
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });

  test('a completion is seen by its caller, by scope READ, and by nobody else', async () => {
    const { id } = await run(sandboxInput());
    const seen = async (otherKey: string) => {
      const { data, errors } = await app.graph(
        'query ($id: String!) { completion(id: $id) { id } }',
        { id },
        otherKey,
      );
      return data.completion?.id ?? errors?.[0]?.extensions.code;
    };
    const colleague = async (scopes: string[]) =>
      (
        await mine.run('mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }', {
          input: { name: 'c', scopes },
        })
      ).data.createApiKey.secret;
    expect(await seen(key)).toBe(id);
    expect(await seen(await colleague(['READ']))).toBe(id);
    expect(await seen(await colleague(['RUN']))).toBe('NOT_FOUND');
    expect(await seen((await app.createWorkspace()).key)).toBe('NOT_FOUND');
  });

  test('a list of completions reads no prompt, and answers only where they are asked for', async () => {
    const statements: string[] = [];
    const spied = await startTestApp(kind, {
      overrides: { catalogueData: await sandboxCatalogue(), onStatement: (text) => statements.push(text) },
    });
    await spied.graph(
      'mutation { createProviderConfig(input: {name: "S", providerKey: "sandbox"}) { userErrors { message } } }',
    );
    await complete(spied, spied.adminKey, sandboxInput({ text: 'The answer.' }));
    const read = async (query: string) => {
      statements.length = 0;
      const { data } = await spied.graph(query);
      const [statement = ''] = statements.filter((text) => text.includes('from "completion_run"'));
      const columns = ['input', 'text', 'reasoning', 'tool_calls', 'continuation', 'status'];
      return [data.completions, columns.filter((column) => statement.includes(`."${column}"`))];
    };
    expect(await read('{ completions { nodes { status } edges { cursor } } }')).toMatchObject([
      { nodes: [{ status: 'FINISHED' }] },
      ['status'],
    ]);
    const byFragment =
      '{ completions { edges { node { ...Content } } } } fragment Content on Completion { text }';
    expect(await read(byFragment)).toEqual([
      { edges: [{ node: { text: 'The answer.' } }] },
      ['text', 'reasoning', 'tool_calls', 'continuation', 'status'],
    ]);
    await spied.close();
  });

  test('completions are listed newest first, in pages, by status', async () => {
    const { key: own } = await app.createWorkspace();
    const calls = catalogueCalls(app, own);
    await calls.config({ name: 'Sandbox', providerKey: 'sandbox', secret: undefined });
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1)
      ids.unshift((await complete(app, own, sandboxInput())).data.complete.completion!.id);
    await complete(app, own, sandboxInput({ fail: { code: 'PROVIDER_INVALID_REQUEST' } }));
    const list = async (args: string) =>
      (
        await calls.run(
          `{ completions(${args}) { totalCount nodes { id status } pageInfo { hasNextPage endCursor } } }`,
        )
      ).data.completions;
    const first = await list('first: 2, filter: { status: FINISHED }');
    expect(first).toMatchObject({
      totalCount: 5,
      nodes: ids.slice(0, 2).map((id) => ({ id })),
      pageInfo: { hasNextPage: true },
    });
    const second = await list(`first: 3, after: "${first.pageInfo.endCursor}", filter: { status: FINISHED }`);
    expect(second.nodes.map(({ id }: { id: string }) => id)).toEqual(ids.slice(2));
    expect(second.pageInfo.hasNextPage).toBe(false);
    expect((await list('last: 1')).nodes.map(({ id }: { id: string }) => id)).toEqual([ids[4]]);
    expect((await list('filter: { status: FAILED }')).totalCount).toBe(1);
  });
});
