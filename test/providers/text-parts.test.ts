// Holds that two texts of one message reach every provider as two: as parts where the protocol has them, else with a blank line between.
import { expect, test } from 'vitest';
import type { Message } from '../../src/providers/contract/completions.ts';
import { openAdapters } from '../conformance/adapters.ts';
import { collectParts, providerRequest, providerTarget, startProvider } from '../support/provider-calls.ts';

const parts = (...texts: string[]) => texts.map((text) => ({ type: 'text', text }) as const);
const message = (
  role: Message['role'],
  first: string,
  second: string,
  over: Partial<Message> = {},
): Message => ({
  role,
  parts: parts(first, second),
  toolCalls: [],
  ...over,
});

const MESSAGES: readonly Message[] = [
  message('system', 'S1', 'S2'),
  message('user', 'U1', 'U2'),
  message('assistant', 'A1', 'A2', { toolCalls: [{ callId: 'callid001', name: 'f', argumentsText: '{}' }] }),
  message('tool', 'T1', 'T2', { toolCallId: 'callid001' }),
];

const typed = (type: string, ...texts: string[]) => texts.map((text) => ({ type, text }));
const plain = (...texts: string[]) => texts.map((text) => ({ text }));

/** Of each protocol: the texts of the system, the user, the assistant and the tool, as they lie in the body. */
const TEXTS: Readonly<Record<string, { textsOf(body: any): unknown[]; readonly expected: unknown[] }>> = {
  'openai-chat': {
    textsOf: ({ messages }) => messages.map(({ content }: any) => content),
    expected: ['S1\n\nS2', typed('text', 'U1', 'U2'), 'A1\n\nA2', 'T1\n\nT2'],
  },
  'openai-responses': {
    textsOf: ({ instructions, input }) => [instructions, input[0].content, input[1].content, input[3].output],
    expected: [
      'S1\n\nS2',
      typed('input_text', 'U1', 'U2'),
      typed('output_text', 'A1', 'A2'),
      typed('input_text', 'T1', 'T2'),
    ],
  },
  'anthropic-messages': {
    textsOf: ({ system, messages: [user, answer, result] }) => [
      system,
      user.content,
      answer.content.slice(0, 2),
      result.content[0].content,
    ],
    expected: [
      typed('text', 'S1', 'S2'),
      typed('text', 'U1', 'U2'),
      typed('text', 'A1', 'A2'),
      typed('text', 'T1', 'T2'),
    ],
  },
  'bedrock-converse': {
    textsOf: ({ system, messages: [user, answer, result] }) => [
      system,
      user.content,
      answer.content.slice(0, 2),
      result.content[0].toolResult.content,
    ],
    expected: [plain('S1', 'S2'), plain('U1', 'U2'), plain('A1', 'A2'), plain('T1', 'T2')],
  },
  gemini: {
    textsOf: ({ systemInstruction, contents: [user, answer, result] }) => [
      systemInstruction.parts,
      user.parts,
      answer.parts.slice(0, 2),
      result.parts[0].functionResponse.response.output,
    ],
    expected: [plain('S1', 'S2'), plain('U1', 'U2'), plain('A1', 'A2'), 'T1\n\nT2'],
  },
  cohere: {
    textsOf: ({ messages }) => messages.map(({ content }: any) => content),
    expected: [typed('text', 'S1', 'S2'), typed('text', 'U1', 'U2'), typed('text', 'A1', 'A2'), 'T1\n\nT2'],
  },
  ollama: {
    textsOf: ({ messages }) => messages.map(({ content }: any) => content),
    expected: ['S1\n\nS2', 'U1\n\nU2', 'A1\n\nA2', 'T1\n\nT2'],
  },
  gigachat: {
    textsOf: ({ messages }) => messages.map(({ content }: any) => content),
    expected: ['S1\n\nS2', 'U1\n\nU2', 'A1\n\nA2', '"T1\\n\\nT2"'],
  },
};

test.each(Object.keys(TEXTS))('two texts of a message stay two for %s', async (protocol) => {
  const adapters = openAdapters();
  await using side = await startProvider({ status: 500, body: '{}' });
  try {
    const adapter = adapters.get(protocol);
    if (!adapter) throw new Error(`There is no adapter of ${protocol}.`);
    const target = providerTarget({ baseUrl: side.upstream.url });
    const tools = [{ name: 'f', parameters: { type: 'object', properties: {} } }];
    await collectParts(adapter, providerRequest({ target, messages: MESSAGES, tools }));
    const { textsOf, expected } = TEXTS[protocol] as (typeof TEXTS)[string];
    expect(textsOf(side.upstream.requests[0]?.json())).toEqual(expected);
  } finally {
    await adapters.close();
  }
});
