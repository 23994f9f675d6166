// Holds what is asked of GigaChat in messages and parameters, and the list of its models.
import { describe, expect, test } from 'vitest';
import type { Message } from '../../../src/providers/contract/completions.ts';
import {
  assistantMessageOf,
  collectParts,
  providerRequest,
  systemMessage,
  toolMessage,
  userMessage,
} from '../../support/provider-calls.ts';
import { json, startGigaChat, whole } from './fake-gigachat.ts';
import { bodyOf, pathsOf } from './gigachat-calls.ts';

describe('messages', () => {
  test('GigaChat messages have one system message, first, and content that is text', async () => {
    const messages: Message[] = [
      systemMessage('Be brief.'),
      {
        role: 'user',
        parts: [
          { type: 'text', text: 'Hi' },
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
      { role: 'user', content: 'Hi\n\nthere' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: 'Again' },
    ]);
  });

  test('GigaChat messages of a tool loop of three turns carry state, reasoning, calls as objects and results as JSON text', async () => {
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

  test('GigaChat messages tell parallel calls of another vendor one after another, each with its own result', async () => {
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
  test('GigaChat parameters go under their own names, and a temperature of 0 becomes a nucleus of 0', async () => {
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

  test('GigaChat parameters that GigaChat lacks are named, and left out', async () => {
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

test('GigaChat’s list of models tells what each gives', async () => {
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
  expect(await fake.adapter.models?.list(fake.target, { signal })).toEqual([
    { key: 'GigaChat-2-Pro', outputModalities: ['text'] },
    { key: 'Embeddings', outputModalities: ['embedding'] },
    { key: 'GigaFilter' },
  ]);
  await expect(fake.adapter.models?.list(fake.target, { signal })).rejects.toMatchObject({
    code: 'PROVIDER_AUTHENTICATION',
  });
});
