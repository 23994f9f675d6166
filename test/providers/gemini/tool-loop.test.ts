// Holds what goes back to Gemini in a tool loop: signatures and ids where they were, results in the order of their calls.
import { expect, test } from 'vitest';
import type { Message } from '../../../src/providers/contract/completions.ts';
import { assistantMessageOf, toolMessage, userMessage } from '../../support/provider-calls.ts';
import { callGemini, DONE, dice, events, piece, SSE, sent, weather } from './answers.ts';

test('a loop of three turns echoes to Gemini each signature and each own id on its part', async () => {
  const call = (name: string, args: object, more: object = {}) => ({ functionCall: { name, args, ...more } });
  const answers = [
    events(
      piece([{ text: 'Let me ' }]),
      piece([
        { text: 'see.' },
        { ...call('weather', { city: 'Oslo' }, { id: 'fc-1' }), thoughtSignature: 'sig-a' },
      ]),
      piece([call('dice', {})], { finishReason: 'STOP' }),
    ),
    events(
      piece([{ ...call('dice', {}), thoughtSignature: 'sig-b' }, call('dice', {})], { finishReason: 'STOP' }),
    ),
    events(piece([{ text: 'Done.' }], { finishReason: 'STOP' })),
  ];
  const messages: Message[] = [userMessage('Go')];
  const bodies: Record<string, unknown>[] = [];
  for (const body of answers) {
    const { parts, received } = await callGemini(
      { headers: SSE, body },
      { messages: [...messages], tools: [weather, dice] },
    );
    bodies.push(received?.json() as Record<string, unknown>);
    const answer = assistantMessageOf(parts);
    messages.push(answer);
    // Answered in the reverse order: Gemini pairs calls without ids by their order.
    for (const { callId, name } of answer.toolCalls.toReversed())
      messages.push(toolMessage(callId, `"${name} ${callId}"`));
  }
  expect(bodies[2]?.contents).toEqual([
    { role: 'user', parts: [{ text: 'Go' }] },
    {
      role: 'model',
      parts: [
        { text: 'Let me see.' },
        { functionCall: { id: 'fc-1', name: 'weather', args: { city: 'Oslo' } }, thoughtSignature: 'sig-a' },
        { functionCall: { name: 'dice', args: {} } },
      ],
    },
    {
      role: 'user',
      parts: [
        { functionResponse: { id: 'fc-1', name: 'weather', response: { output: '"weather fc-1"' } } },
        { functionResponse: { name: 'dice', response: { output: '"dice call_minted-0"' } } },
      ],
    },
    {
      role: 'model',
      parts: [
        { functionCall: { name: 'dice', args: {} }, thoughtSignature: 'sig-b' },
        { functionCall: { name: 'dice', args: {} } },
      ],
    },
    {
      role: 'user',
      parts: [
        { functionResponse: { name: 'dice', response: { output: '"dice call_minted-0"' } } },
        { functionResponse: { name: 'dice', response: { output: '"dice call_minted-1"' } } },
      ],
    },
  ]);
});

const foreign: Message[] = [
  userMessage('Go'),
  {
    role: 'assistant',
    parts: [{ type: 'text', text: 'Hm.' }],
    toolCalls: [
      { callId: 'toolu_1', name: 'weather', argumentsText: '{"city":"Oslo"}' },
      { callId: 'toolu_2', name: 'dice', argumentsText: '' },
    ],
    continuation: { blocks: ['of another protocol'] },
  },
  toolMessage('toolu_1', '{"celsius":4}'),
  {
    ...toolMessage('toolu_2', '[1,2]'),
    parts: [
      { type: 'text', text: '[1,2]' },
      { type: 'image', image: { data: 'AA==', mediaType: 'image/png' } },
    ],
  },
];

test('calls that another vendor made are marked as such where Gemini requires signatures', async () => {
  const { body, unsupported } = await sent({ messages: foreign });
  expect(unsupported).toEqual([]);
  expect((body.contents as unknown[]).slice(1)).toEqual([
    {
      role: 'model',
      parts: [
        { text: 'Hm.' },
        {
          functionCall: { name: 'weather', args: { city: 'Oslo' } },
          thoughtSignature: 'skip_thought_signature_validator',
        },
        { functionCall: { name: 'dice', args: {} } },
      ],
    },
    {
      role: 'user',
      parts: [
        { functionResponse: { name: 'weather', response: { celsius: 4 } } },
        {
          functionResponse: {
            name: 'dice',
            response: { output: [1, 2] },
            parts: [{ inlineData: { mimeType: 'image/png', data: 'AA==' } }],
          },
        },
      ],
    },
  ]);
});

test('early models of Gemini need no such mark for calls of other vendors, and take no images from tools', async () => {
  const { body, unsupported } = await sent({
    messages: foreign,
    model: { key: 'gemini-2.5-pro', reasoning: true },
  });
  expect(unsupported.map(({ path }) => path)).toEqual(['messages[3].parts[1]']);
  expect(JSON.stringify(body)).not.toMatch(/thoughtSignature|inlineData/);
});

test('thoughts and parts of other kinds go back to Gemini in their places', async () => {
  const code = { executableCode: { code: '1' } };
  const { body } = await sent({
    messages: [
      userMessage('Go'),
      {
        role: 'assistant',
        parts: [{ type: 'text', text: 'ab' }],
        toolCalls: [],
        continuation: {
          steps: [
            { kind: 'thought', text: 'idea', signature: 's0' },
            { kind: 'text', length: 1, signature: 's1' },
            { kind: 'part', part: code },
            { kind: 'text', length: 1 },
          ],
        },
      },
      userMessage('On'),
    ],
  });
  expect((body.contents as unknown[])[1]).toEqual({
    role: 'model',
    parts: [
      { text: 'idea', thought: true, thoughtSignature: 's0' },
      { text: 'a', thoughtSignature: 's1' },
      code,
      { text: 'b' },
    ],
  });
});

test('a message that the caller changed is sent to Gemini as it is now, without its old signatures', async () => {
  const { body } = await sent({
    messages: [
      userMessage('Go'),
      {
        role: 'assistant',
        parts: [{ type: 'text', text: 'rewritten' }],
        toolCalls: [],
        continuation: { steps: [{ kind: 'text', length: 3, signature: 's1' }] },
      },
      userMessage('On'),
    ],
  });
  expect((body.contents as unknown[])[1]).toEqual({ role: 'model', parts: [{ text: 'rewritten' }] });
});

test('a result that answers no call is refused before anything is sent', async () => {
  const { fault, received } = await callGemini(DONE, {
    messages: [userMessage('Go'), toolMessage('lost', 'x')],
  });
  expect(fault).toMatchObject({ code: 'PROVIDER_INVALID_REQUEST', message: expect.stringContaining('lost') });
  expect(received).toBeUndefined();
});
