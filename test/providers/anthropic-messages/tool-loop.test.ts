// Holds that a tool loop of three turns sends each signed block back unmodified, in its place, before the calls that follow from it.
import { expect, test } from 'vitest';
import { createAnthropicMessagesAdapter } from '../../../src/providers/anthropic-messages/adapter.ts';
import type { Message } from '../../../src/providers/contract/completions.ts';
import {
  assistantMessageOf,
  collectParts,
  providerRequest,
  providerTarget,
  startProvider,
  toolMessage,
  userMessage,
} from '../../support/provider-calls.ts';
import {
  blockEvents,
  ending,
  START,
  STOP,
  streamReply,
  textEvents,
  thinkingEvents,
  toolEvents,
} from './answers.ts';

const redacted = { type: 'redacted_thinking', data: 'c2VjcmV0' };
const TURNS = [
  streamReply([
    START,
    ...thinkingEvents(0, 'First the city.', 'sig-1'),
    ...textEvents(1, 'Looking.'),
    ...toolEvents(2, 'toolu_1', 'city'),
    ending('tool_use'),
    STOP,
  ]),
  streamReply([
    START,
    // Newer models leave the text of thinking out; the signature alone has to go back.
    ...thinkingEvents(0, '', 'sig-2'),
    ...blockEvents(1, redacted, []),
    ...toolEvents(2, 'toolu_2', 'weather', '{"city":"Oslo"}'),
    ...toolEvents(3, 'toolu_3', 'weather', '{"city":"Bergen"}'),
    ending('tool_use'),
    STOP,
  ]),
  streamReply([
    START,
    ...thinkingEvents(0, 'Done.', 'sig-3'),
    ...textEvents(1, 'Rain.'),
    ending('end_turn'),
    STOP,
  ]),
];

test('a Claude tool loop of three turns sends signed thinking back where it stood', async () => {
  await using provider = await startProvider((_request, index) => TURNS[index] ?? { status: 500, body: '' });
  const adapter = createAnthropicMessagesAdapter(provider);
  const target = providerTarget({ baseUrl: provider.upstream.url });
  const tools = [
    { name: 'city', parameters: { type: 'object' } },
    { name: 'weather', parameters: { type: 'object' } },
  ];
  const messages: Message[] = [userMessage('Weather?')];
  const results = [
    [toolMessage('toolu_1', 'Oslo')],
    [toolMessage('toolu_3', 'sun'), toolMessage('toolu_2', 'rain')],
    [],
  ];
  for (const answers of results) {
    const { parts, fault } = await collectParts(
      adapter,
      providerRequest({
        target,
        tools,
        messages,
        model: { key: 'claude-sonnet-4-5', reasoning: true, maxOutputTokens: 64_000 },
        parameters: { reasoningEffort: 'low' },
      }),
    );
    expect(fault).toBeUndefined();
    messages.push(assistantMessageOf(parts), ...answers);
  }
  const body = provider.upstream.requests[2]?.json() as { thinking: unknown; messages: unknown[] };
  expect(body.thinking).toEqual({ type: 'enabled', budget_tokens: 2048 });
  expect(body.messages).toEqual([
    { role: 'user', content: [{ type: 'text', text: 'Weather?' }] },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'First the city.', signature: 'sig-1' },
        { type: 'text', text: 'Looking.' },
        { type: 'tool_use', id: 'toolu_1', name: 'city', input: {} },
      ],
    },
    {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'Oslo' }] }],
    },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: '', signature: 'sig-2' },
        redacted,
        { type: 'tool_use', id: 'toolu_2', name: 'weather', input: { city: 'Oslo' } },
        { type: 'tool_use', id: 'toolu_3', name: 'weather', input: { city: 'Bergen' } },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'toolu_3', content: [{ type: 'text', text: 'sun' }] },
        { type: 'tool_result', tool_use_id: 'toolu_2', content: [{ type: 'text', text: 'rain' }] },
      ],
    },
  ]);
  expect(messages.at(-1)).toMatchObject({
    parts: [{ text: 'Rain.' }],
    continuation: { blocks: [{}, { length: 5 }] },
  });
});
