// Holds that a tool loop of three turns sends each signed block back unmodified, in its place, before the calls that follow from it.
import { expect, test } from 'vitest';
import { createBedrockConverseAdapter } from '../../../src/providers/bedrock-converse/adapter.ts';
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
  metadata,
  reasoningEvents,
  START,
  stop,
  streamReply,
  textEvents,
  toolEvents,
} from './answers.ts';

const TURNS = [
  streamReply([
    START,
    ...reasoningEvents(0, 'First the city.', 'sig-1'),
    ...textEvents(1, 'Looking.'),
    ...toolEvents(2, 'tooluse_1', 'city', ''),
    stop('tool_use'),
    metadata(),
  ]),
  streamReply([
    START,
    ...blockEvents(0, [{ reasoningContent: { redactedContent: 'c2VjcmV0' } }]),
    ...toolEvents(1, 'tooluse_2', 'weather', '{"city":"Oslo"}'),
    ...toolEvents(2, 'tooluse_3', 'weather', '{"city":"Bergen"}'),
    stop('tool_use'),
    metadata(),
  ]),
  streamReply([START, ...textEvents(0, 'Rain.'), stop('end_turn'), metadata()]),
];

test('a Bedrock tool loop of three turns sends signed reasoning back where it stood', async () => {
  await using provider = await startProvider((_request, index) => TURNS[index] ?? { status: 500, body: '' });
  const adapter = createBedrockConverseAdapter(provider);
  const target = providerTarget({ baseUrl: provider.upstream.url });
  const tools = [
    { name: 'city', parameters: { type: 'object' } },
    { name: 'weather', parameters: { type: 'object' } },
  ];
  const messages: Message[] = [userMessage('Weather?')];
  const results = [
    [toolMessage('tooluse_1', 'Oslo')],
    [toolMessage('tooluse_3', 'sun'), toolMessage('tooluse_2', 'rain')],
    [],
  ];
  for (const answers of results) {
    const { parts, fault } = await collectParts(
      adapter,
      providerRequest({
        target,
        tools,
        messages,
        model: { key: 'anthropic.claude-sonnet-4-5-v1:0', reasoning: true, maxOutputTokens: 64_000 },
        parameters: { reasoningEffort: 'low' },
      }),
    );
    expect(fault).toBeUndefined();
    messages.push(assistantMessageOf(parts), ...answers);
  }
  const body = provider.upstream.requests[2]?.json() as Record<string, unknown>;
  expect(body.additionalModelRequestFields).toEqual({ thinking: { type: 'enabled', budget_tokens: 2048 } });
  expect(body.messages).toEqual([
    { role: 'user', content: [{ text: 'Weather?' }] },
    {
      role: 'assistant',
      content: [
        { reasoningContent: { reasoningText: { text: 'First the city.', signature: 'sig-1' } } },
        { text: 'Looking.' },
        { toolUse: { toolUseId: 'tooluse_1', name: 'city', input: {} } },
      ],
    },
    { role: 'user', content: [{ toolResult: { toolUseId: 'tooluse_1', content: [{ text: 'Oslo' }] } }] },
    {
      role: 'assistant',
      content: [
        { reasoningContent: { redactedContent: 'c2VjcmV0' } },
        { toolUse: { toolUseId: 'tooluse_2', name: 'weather', input: { city: 'Oslo' } } },
        { toolUse: { toolUseId: 'tooluse_3', name: 'weather', input: { city: 'Bergen' } } },
      ],
    },
    {
      role: 'user',
      content: [
        { toolResult: { toolUseId: 'tooluse_3', content: [{ text: 'sun' }] } },
        { toolResult: { toolUseId: 'tooluse_2', content: [{ text: 'rain' }] } },
      ],
    },
  ]);
});
