// Holds what is asked of GigaChat: messages, functions, images, what it cannot do, and its models.
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/kernel/json.ts';
import type { Message, ProviderRequest } from '../../../src/providers/contract.ts';
import {
  assistantMessageOf,
  collectParts,
  providerRequest,
  systemMessage,
  toolMessage,
  userMessage,
} from '../../support/provider-calls.ts';
import { type FakeGigaChatOptions, json, startGigaChat, whole } from './fake-gigachat.ts';

/** The body that a request becomes. */
async function bodyOf(over: Partial<ProviderRequest>, options: FakeGigaChatOptions = {}) {
  await using fake = await startGigaChat(options);
  const { fault } = await collectParts(fake.adapter, providerRequest({ ...over, target: fake.target }));
  if (fault) throw fault;
  return fake.bodies()[0] ?? {};
}

async function unsupportedOf(over: Partial<ProviderRequest>) {
  await using fake = await startGigaChat();
  return fake.adapter.unsupported(providerRequest({ target: fake.target, ...over }));
}

const pathsOf = async (over: Partial<ProviderRequest>) => (await unsupportedOf(over)).map(({ path }) => path);

describe('messages', () => {
  test('have one system message, first, and content that is text', async () => {
    const messages: Message[] = [
      systemMessage('Be brief.'),
      {
        role: 'user',
        parts: [
          { type: 'text', text: 'Hi ' },
          { type: 'text', text: 'there' },
        ],
        toolCalls: [],
      },
      { role: 'assistant', parts: [{ type: 'text', text: 'Hello' }], toolCalls: [] },
      systemMessage('Be kind.'),
      userMessage('Again'),
    ];
    expect((await bodyOf({ messages })).messages).toEqual([
      { role: 'system', content: 'Be brief.\n\nBe kind.' },
      { role: 'user', content: 'Hi there' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: 'Again' },
    ]);
  });

  test('of a tool loop of three turns carry state, reasoning, calls as objects and results as JSON text', async () => {
    const turns = [
      whole(
        {
          content: 'Looking',
          reasoning_content: 'think',
          function_call: { name: 'look', arguments: { at: 1 } },
          functions_state_id: 's1',
        },
        'function_call',
      ),
      whole(
        { content: '', function_call: { name: 'look', arguments: { at: 2 } }, functions_state_id: 's2' },
        'function_call',
      ),
      whole({ content: 'Done' }),
    ];
    await using fake = await startGigaChat({
      answer: (_request, count) => turns[count - 1] ?? json({}, 500),
    });
    const messages: Message[] = [userMessage('Go')];
    const results = ['plain text', '{"seen":true}'];
    for (const [index] of turns.entries()) {
      const tools = [{ name: 'look', parameters: {} }];
      const { parts } = await collectParts(
        fake.adapter,
        providerRequest({ target: fake.target, messages, tools }),
      );
      const answer: Message = JSON.parse(JSON.stringify(assistantMessageOf(parts)));
      messages.push(
        answer,
        ...answer.toolCalls.map(({ callId }) => toolMessage(callId, results[index] ?? '')),
      );
    }
    expect(fake.bodies()[2]?.messages).toEqual([
      { role: 'user', content: 'Go' },
      {
        role: 'assistant',
        content: 'Looking',
        function_call: { name: 'look', arguments: { at: 1 } },
        functions_state_id: 's1',
        reasoning_content: 'think',
      },
      { role: 'function', name: 'look', content: '"plain text"' },
      {
        role: 'assistant',
        content: '',
        function_call: { name: 'look', arguments: { at: 2 } },
        functions_state_id: 's2',
      },
      { role: 'function', name: 'look', content: '{"seen":true}' },
    ]);
    expect(messages.at(-1)?.parts).toEqual([{ type: 'text', text: 'Done' }]);
  });

  test('tell parallel calls of another vendor one after another, each with its own result', async () => {
    const call = (callId: string, argumentsText: string) => ({ callId, name: 'web_search', argumentsText });
    const messages: Message[] = [
      userMessage('Go'),
      {
        role: 'assistant',
        parts: [{ type: 'text', text: 'Both.' }],
        toolCalls: [call('a', '{"q":1}'), call('b', 'not json')],
        continuation: { output: [] },
      },
      toolMessage('b', '2'),
      toolMessage('a', 'one'),
      { role: 'assistant', parts: [], toolCalls: [call('a', '')] },
      toolMessage('a', ''),
    ];
    expect((await bodyOf({ messages })).messages).toEqual([
      { role: 'user', content: 'Go' },
      { role: 'assistant', content: 'Both.', function_call: { name: 'fn_web_search', arguments: { q: 1 } } },
      { role: 'function', name: 'fn_web_search', content: '"one"' },
      {
        role: 'assistant',
        content: '',
        function_call: { name: 'fn_web_search', arguments: { invalid_arguments: 'not json' } },
      },
      { role: 'function', name: 'fn_web_search', content: '2' },
      { role: 'assistant', content: '', function_call: { name: 'fn_web_search', arguments: {} } },
      { role: 'function', name: 'fn_web_search', content: '""' },
    ]);
    await expect(bodyOf({ messages: [userMessage('Go'), toolMessage('x', 'y')] })).rejects.toMatchObject({
      code: 'PROVIDER_INVALID_REQUEST',
      message: expect.stringContaining('messages[1]'),
    });
  });
});

describe('parameters', () => {
  test('go under their own names, and a temperature of 0 becomes a nucleus of 0', async () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } } };
    const body = await bodyOf({
      parameters: {
        maxTokens: 9,
        temperature: 0.5,
        topP: 0.9,
        repetitionPenalty: 1.1,
        reasoningEffort: 'high',
      },
      responseFormat: { type: 'json-schema', name: 'r', schema, strict: true },
      providerOptions: { profanity_check: false, model: 'GigaChat-2-Max' },
    });
    expect(body).toEqual({
      model: 'GigaChat-2-Max',
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
      max_tokens: 9,
      top_p: 0.9,
      temperature: 0.5,
      repetition_penalty: 1.1,
      reasoning_effort: 'high',
      response_format: { type: 'json_schema', schema, strict: true },
      profanity_check: false,
    });
    expect(await bodyOf({ parameters: { temperature: 0, topP: 0.9 } })).toMatchObject({ top_p: 0 });
    expect(
      await bodyOf({ parameters: { temperature: 0 }, responseFormat: { type: 'text' } }),
    ).not.toHaveProperty('temperature');
  });

  test('that it lacks are named, and left out', async () => {
    const parameters = {
      topK: 1,
      stop: ['x'],
      seed: 1,
      presencePenalty: 0,
      frequencyPenalty: 0,
      logitBias: {},
      reasoningTokens: 1,
      reasoningEffort: 'max',
      parallelToolCalls: true,
    } as const;
    expect(await pathsOf({ parameters, responseFormat: { type: 'json' } })).toEqual([
      'parameters.topK',
      'parameters.stop',
      'parameters.seed',
      'parameters.presencePenalty',
      'parameters.frequencyPenalty',
      'parameters.logitBias',
      'parameters.reasoningTokens',
      'parameters.reasoningEffort',
      'responseFormat',
    ]);
    expect(Object.keys(await bodyOf({ parameters, responseFormat: { type: 'json' } }))).toEqual([
      'model',
      'messages',
      'stream',
    ]);
  });
});

/** A schema of a few lines that has a million places once its references are written out. */
function doubling(levels: number): JsonObject {
  const level = (index: number) => ({
    properties: { a: { $ref: `#/$defs/d${index + 1}` }, b: { $ref: `#/$defs/d${index + 1}` } },
  });
  const entries = Array.from({ length: levels }, (_unused, index) => [`d${index}`, level(index)] as const);
  return {
    $ref: '#/$defs/d0',
    $defs: { ...Object.fromEntries(entries), [`d${levels}`]: { type: 'string' } },
  };
}

describe('functions', () => {
  const look = { name: 'look', description: 'Looks.', parameters: { type: 'object' } };
  const other = { name: '2-fa!', parameters: {} };

  test('have no wrapper, names that the service takes, and properties in every object', async () => {
    expect(await bodyOf({ tools: [look, other] })).toMatchObject({
      functions: [
        { name: 'look', description: 'Looks.', parameters: { type: 'object', properties: {} } },
        { name: 'fn_2-fa_', parameters: { type: 'object', properties: {} } },
      ],
      function_call: 'auto',
    });
  });

  test('are chosen as far as the service can be told', async () => {
    const choiceOf = async (toolChoice: ProviderRequest['toolChoice'], tools = [look, other]) =>
      (await bodyOf({ tools, ...(toolChoice ? { toolChoice } : {}) })).function_call;
    expect(await choiceOf({ type: 'none' })).toBe('none');
    expect(await choiceOf({ type: 'auto' })).toBe('auto');
    expect(await choiceOf({ type: 'tool', name: '2-fa!' })).toEqual({ name: 'fn_2-fa_' });
    expect(await choiceOf({ type: 'tool', name: 'gone' })).toBe('auto');
    expect(await choiceOf({ type: 'required' }, [look])).toEqual({ name: 'look' });
    expect(await choiceOf({ type: 'required' })).toBe('auto');
    expect(await choiceOf({ type: 'required' }, [])).toBeUndefined();
    expect(await pathsOf({ tools: [look], toolChoice: { type: 'required' } })).toEqual([]);
    expect(await pathsOf({ tools: [look, other], toolChoice: { type: 'required' } })).toEqual(['toolChoice']);
  });

  test('get schemas without references, combinations and lists of types', async () => {
    const parameters: JsonObject = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: {
        'a/b': { type: 'object', properties: { deep: { $ref: '#/$defs/plain' } } },
        plain: { type: ['string', 'null'], format: 'email', maxLength: 5 },
        named: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
      },
      properties: {
        one: { $ref: '#/$defs/a~1b', description: 'kept' },
        maybe: { anyOf: [{ type: 'integer' }, { type: 'null' }], title: 'Maybe' },
        only: { oneOf: [{ const: 'x' }] },
        both: {
          allOf: [
            { $ref: '#/$defs/named' },
            { properties: { age: { type: 'integer' } }, required: ['age', 'name'] },
          ],
        },
        day: { type: 'string', format: 'date' },
        list: { type: 'array', items: { type: 'object', additionalProperties: { type: 'string' } } },
        any: true,
      },
      required: ['one', 'maybe', 'day'],
      additionalProperties: false,
    };
    const body = await bodyOf({ tools: [{ name: 'f', parameters }] });
    expect(body.functions).toEqual([
      {
        name: 'f',
        parameters: {
          type: 'object',
          properties: {
            one: {
              type: 'object',
              properties: { deep: { type: 'string', maxLength: 5 } },
              description: 'kept',
            },
            maybe: { title: 'Maybe', type: 'integer' },
            only: { enum: ['x'] },
            both: {
              type: 'object',
              properties: { name: { type: 'string' }, age: { type: 'integer' } },
              required: ['name', 'age'],
            },
            day: { type: 'string', format: 'date' },
            list: { type: 'array', items: { type: 'object', properties: {} } },
            any: {},
          },
          required: ['one', 'day'],
          additionalProperties: false,
        },
      },
    ]);
  });

  test.each([
    [{ properties: { a: { anyOf: [{ type: 'string' }, { type: 'integer' }] } } }, 'parameters.a has `anyOf`'],
    [{ properties: { a: { oneOf: [true] } } }, 'parameters.a has `oneOf`'],
    [{ properties: { a: { type: ['string', 'integer'] } } }, 'parameters.a has several types'],
    [{ properties: { a: { type: ['null'] } } }, 'parameters.a has several types'],
    [{ properties: { a: { type: 'array', prefixItems: [{}] } } }, 'parameters.a has `prefixItems`'],
    [
      { properties: { a: { items: { $ref: 'https://example.com/s' } } } },
      'parameters.a[] refers to https://example.com/s',
    ],
    [{ properties: { a: { $ref: '#/gone' } } }, 'parameters.a refers to #/gone'],
    [{ properties: { child: { $ref: '#' } } }, 'refers to itself'],
    [{ $defs: { a: { $ref: '#/$defs/a' } }, allOf: [{ $ref: '#/$defs/a' }] }, 'refers to itself'],
  ])('whose schema cannot be said are refused and left out: %j', async (parameters, words) => {
    const tools = [{ name: 'f', parameters, strict: true }, look];
    const unsupported = await unsupportedOf({ tools });
    expect(unsupported.map(({ path }) => path)).toEqual(['tools[0].strict', 'tools[0].parameters']);
    expect(unsupported[1]?.message).toContain(words);
    expect((await bodyOf({ tools })).functions).toHaveLength(1);
  });
});

test('a function whose references multiply is refused at once', async () => {
  const [unsupported] = await unsupportedOf({ tools: [{ name: 'f', parameters: doubling(20) }] });
  expect(unsupported).toMatchObject({
    path: 'tools[0].parameters',
    message: expect.stringContaining('too large'),
  });
});

describe('images', () => {
  const image = (text: string) =>
    ({
      type: 'image',
      image: { data: Buffer.from(text).toString('base64'), mediaType: 'image/png' },
    }) as const;
  const withImages = (...parts: Message['parts']): Message => ({
    role: 'user',
    parts: [{ type: 'text', text: 'Look' }, ...parts],
    toolCalls: [],
  });

  test('are uploaded first, and attached to their message', async () => {
    await using fake = await startGigaChat({
      answer: ({ path }, count) =>
        path === '/api/files' ? json({ id: `file-${count}`, object: 'file' }) : whole({ content: 'Hi' }),
    });
    const messages = [withImages(image('first')), withImages(image('second'))];
    await collectParts(fake.adapter, providerRequest({ target: fake.target, messages }));
    const uploads = fake.requestsTo('/api/files');
    expect(uploads).toHaveLength(2);
    const boundary = /boundary=(.+)$/.exec(uploads[0]?.headers['content-type'] ?? '')?.[1];
    expect(uploads[0]?.headers.authorization).toBe('Bearer token-1');
    expect(uploads[0]?.body).toBe(
      [
        `--${boundary}`,
        'content-disposition: form-data; name="purpose"',
        '',
        'general',
        `--${boundary}`,
        'content-disposition: form-data; name="file"; filename="image.png"',
        'content-type: image/png',
        '',
        'first',
        `--${boundary}--`,
        '',
      ].join('\r\n'),
    );
    expect(fake.bodies()[0]?.messages).toEqual([
      { role: 'user', content: 'Look', attachments: ['file-1'] },
      { role: 'user', content: 'Look', attachments: ['file-2'] },
    ]);
  });

  test('that cannot be taken are named, and left out', async () => {
    const many = Array.from({ length: 11 }, () => withImages(image('x')));
    const byUrl = { type: 'image', image: { url: 'https://example.com/a.png' } } as const;
    const messages = [
      ...many,
      withImages(byUrl, image('y')),
      { ...withImages(image('z')), role: 'tool' } as const,
    ];
    expect(await pathsOf({ messages })).toEqual([
      'messages[10].parts[1]',
      'messages[11].parts[1]',
      'messages[11].parts[2]',
      'messages[12].parts[1]',
    ]);
    expect((await bodyOf({ messages: [withImages(byUrl)] })).messages).toEqual([
      { role: 'user', content: 'Look' },
    ]);
  });

  test('whose upload fails end the run before it is asked for', async () => {
    const replies = [json({ status: 413, message: 'Payload too large' }, 413), json({ ok: true })];
    for (const [index, code] of ['PROVIDER_INVALID_REQUEST', 'PROVIDER_PROTOCOL'].entries()) {
      await using fake = await startGigaChat({ answer: () => replies[index] ?? json({}) });
      const request = providerRequest({ target: fake.target, messages: [withImages(image('x'))] });
      expect((await collectParts(fake.adapter, request)).fault).toMatchObject({ code });
      expect(fake.bodies()).toEqual([]);
    }
  });
});

test('the list of models tells what each gives', async () => {
  const data = [
    { id: 'GigaChat-2-Pro', object: 'model', owned_by: 'salutedevices', type: 'chat' },
    { id: 'Embeddings', object: 'model', owned_by: 'salutedevices', type: 'embedder' },
    { id: 'GigaFilter', object: 'model', owned_by: 'salutedevices', type: 'filter' },
  ];
  await using fake = await startGigaChat({
    answer: (_request, count) =>
      count === 1 ? json({ object: 'list', data }) : json({ status: 403, message: 'no' }, 403),
  });
  const { signal } = new AbortController();
  expect(await fake.adapter.listModels?.(fake.target, { signal })).toEqual([
    { key: 'GigaChat-2-Pro', outputModalities: ['text'] },
    { key: 'Embeddings', outputModalities: ['embedding'] },
    { key: 'GigaFilter' },
  ]);
  await expect(fake.adapter.listModels?.(fake.target, { signal })).rejects.toMatchObject({
    code: 'PROVIDER_AUTHENTICATION',
  });
});
