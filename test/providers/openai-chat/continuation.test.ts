import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/kernel/json.ts';
import type { Message } from '../../../src/providers/contract/completions.ts';
import { createOpenAiChatAdapter } from '../../../src/providers/openai-chat/adapter.ts';
import {
  assistantMessageOf,
  collectParts,
  providerRequest,
  providerTarget,
  startProvider,
  toolMessage,
  userMessage,
} from '../../support/provider-calls.ts';
import { chunkOf, readReply, sse } from './chat-calls.ts';

const CALL = { tool_calls: [{ index: 0, id: 'call_1', function: { name: 'now', arguments: '{}' } }] };

async function continuationOf(deltas: JsonObject[], echoReasoning: string): Promise<unknown> {
  const body = sse(...deltas.map((delta) => chunkOf(delta)), chunkOf({}, 'stop'));
  const { parts } = await readReply({ body }, { quirks: { echoReasoning } });
  const finish = parts.at(-1);
  return finish?.type === 'finish' ? finish.continuation : 'no finish';
}

test('reasoning is kept under the field that it came in', async () => {
  const content = [{ reasoning_content: 'Let me ' }, { reasoning_content: 'see.' }, CALL];
  expect(await continuationOf(content, 'with-tool-calls')).toEqual({ reasoning_content: 'Let me see.' });
  const reasoning = [{ reasoning: 'Let me ' }, { reasoning: 'see.' }, CALL];
  expect(await continuationOf(reasoning, 'with-tool-calls')).toEqual({ reasoning: 'Let me see.' });
});

test('reasoning is kept only where it is to be sent back', async () => {
  const plain: JsonObject[] = [{ reasoning_content: 'Hm.' }, { content: 'x' }];
  expect(await continuationOf([...plain, CALL], 'never')).toBeUndefined();
  expect(await continuationOf(plain, 'with-tool-calls')).toBeUndefined();
  expect(await continuationOf(plain, 'always')).toEqual({ reasoning_content: 'Hm.' });
  expect(await continuationOf([CALL], 'always')).toBeUndefined();
});

test('fragments of reasoning details are put together, with signatures and encrypted data unchanged', async () => {
  const detail = (more: JsonObject) => ({
    reasoning_details: [{ type: 'reasoning.text', index: 0, format: 'f1', ...more }],
  });
  const deltas = [
    { reasoning: 'Let ', ...detail({ text: 'Let ' }) },
    { reasoning: 'me.', ...detail({ text: 'me.', signature: null }) },
    detail({ signature: 'c2ln' }),
    {
      reasoning_details: [
        { type: 'reasoning.encrypted', data: 'AAAA', id: 'rs_1', index: 1 },
        { type: 'reasoning.encrypted', data: 'BBBB', id: 'rs_2', index: 1 },
      ],
    },
    CALL,
  ];
  expect(await continuationOf(deltas, 'with-tool-calls')).toEqual({
    reasoning_details: [
      { type: 'reasoning.text', index: 0, format: 'f1', text: 'Let me.', signature: 'c2ln' },
      { type: 'reasoning.encrypted', data: 'AAAA', id: 'rs_1', index: 1 },
      { type: 'reasoning.encrypted', data: 'BBBB', id: 'rs_2', index: 1 },
    ],
  });
});

test('a tool loop of three turns sends each message back with its own reasoning', async () => {
  await using side = await startProvider((_request, index) => ({
    body: sse(
      chunkOf({ reasoning_content: `thought ${index}` }),
      index < 2
        ? chunkOf(
            { tool_calls: [{ index: 0, id: `call_${index}`, function: { name: 'now', arguments: '{}' } }] },
            'tool_calls',
          )
        : chunkOf({ content: 'done' }, 'stop'),
    ),
  }));
  const target = providerTarget({ baseUrl: side.upstream.url, quirks: { echoReasoning: 'with-tool-calls' } });
  const adapter = createOpenAiChatAdapter(side);
  const messages = [userMessage('What time is it?')];
  for (let turn = 0; turn < 3; turn++) {
    const { parts } = await collectParts(adapter, providerRequest({ target, messages }));
    const answer = assistantMessageOf(parts);
    messages.push(answer);
    for (const call of answer.toolCalls) messages.push(toolMessage(call.callId, 'noon'));
  }
  const sent = side.upstream.requests.at(-1)?.json() as { messages: JsonObject[] };
  expect(sent.messages.map(({ role, reasoning_content }) => [role, reasoning_content])).toEqual([
    ['user', undefined],
    ['assistant', 'thought 0'],
    ['tool', undefined],
    ['assistant', 'thought 1'],
    ['tool', undefined],
  ]);
});

test.each([
  ['', true, ['', undefined, 'Hm.']],
  [' ', true, [' ', undefined, 'Hm.']],
  [' ', false, [undefined, undefined, 'Hm.']],
  [undefined, true, [undefined, undefined, 'Hm.']],
])(
  'calls that come back without their reasoning get the pad %j where the model reasons (%s)',
  async (pad, reasoning, expected) => {
    await using side = await startProvider({ body: sse(chunkOf({ content: 'x' }, 'stop')) });
    const quirks = { echoReasoning: 'with-tool-calls', ...(pad === undefined ? {} : { reasoningPad: pad }) };
    const target = providerTarget({ baseUrl: side.upstream.url, quirks });
    const toolCalls = [{ callId: 'call_1', name: 'now', argumentsText: '{}' }];
    const messages: Message[] = [
      { role: 'assistant', parts: [], toolCalls },
      { role: 'assistant', parts: [{ type: 'text', text: 'x' }], toolCalls: [] },
      { role: 'assistant', parts: [], toolCalls, continuation: { reasoning_content: 'Hm.' } },
    ];
    const model = { key: 'm', reasoning };
    await collectParts(createOpenAiChatAdapter(side), providerRequest({ target, messages, model }));
    const sent = side.upstream.requests[0]?.json() as { messages: JsonObject[] };
    expect(sent.messages.map(({ reasoning_content }) => reasoning_content)).toEqual(expected);
  },
);

test('thinking that came as a chunk of the content goes back as the first chunk of the content', async () => {
  await using side = await startProvider((_request, index) => ({
    body: sse(
      chunkOf({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Let me ' }] }] }),
      chunkOf({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'see.' }] }] }),
      index === 0
        ? chunkOf({ content: 'A moment.', ...CALL }, 'tool_calls')
        : chunkOf({ content: 'Noon.' }, 'stop'),
    ),
  }));
  const target = providerTarget({ baseUrl: side.upstream.url, quirks: { echoReasoning: 'with-tool-calls' } });
  const adapter = createOpenAiChatAdapter(side);
  const messages = [userMessage('What time is it?')];
  const { parts } = await collectParts(adapter, providerRequest({ target, messages }));
  messages.push(assistantMessageOf(parts), toolMessage('call_1', 'noon'));
  await collectParts(adapter, providerRequest({ target, messages }));
  const sent = side.upstream.requests.at(-1)?.json() as { messages: JsonObject[] };
  expect(sent.messages[1]).toMatchObject({
    content: [
      { type: 'thinking', thinking: [{ type: 'text', text: 'Let me see.' }] },
      { type: 'text', text: 'A moment.' },
    ],
  });
  expect(sent.messages[1]).not.toHaveProperty('thinking');
});
