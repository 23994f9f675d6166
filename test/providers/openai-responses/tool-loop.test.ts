// Holds what goes back to the Responses API with an assistant message: its reasoning, in its place.
import { expect, test } from 'vitest';
import type { JsonValue } from '../../../src/kernel/json.ts';
import type { Message } from '../../../src/providers/contract/completions.ts';
import { createOpenAiResponsesAdapter } from '../../../src/providers/openai-responses/adapter.ts';
import {
  assistantMessageOf,
  collectParts,
  providerRequest,
  providerTarget,
  startProvider,
  toolMessage,
  userMessage,
} from '../../support/provider-calls.ts';
import { bodyOf, reasoningModel, response } from './responses-calls.ts';

test('a Responses tool loop of three turns sends every reasoning item back unmodified and in its place', async () => {
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
  const adapter = createOpenAiResponsesAdapter(provider);
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

test('an assistant message that was edited, or that another protocol continued, still says all it has to the Responses API', async () => {
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
