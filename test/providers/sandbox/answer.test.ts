// Holds what the sandbox answers: deterministic, honest, and as each option says.
import { describe, expect, test } from 'vitest';
import type { Message } from '../../../src/providers/contract/completions.ts';
import { collect, options, reads, request, user, WHO, weather } from './sandbox-calls.ts';

describe('answers', () => {
  test('the sandbox’s answer is the full ordered list of parts that the options chose', async () => {
    const asked = options({ text: 'Hi there, you.', reasoningTokens: 2, tokensPerRead: 2 });
    expect(await reads(asked)).toEqual([
      [
        {
          type: 'response-start',
          servedModel: 'sandbox-text',
          providerRequestId: expect.stringMatching(/^sandbox-\w{16}$/),
        },
        { type: 'reasoning-delta', text: 'Simu' },
        { type: 'reasoning-delta', text: 'late' },
      ],
      [
        { type: 'text-delta', text: 'Hi' },
        { type: 'text-delta', text: ' ther' },
      ],
      [
        { type: 'text-delta', text: 'e,' },
        { type: 'text-delta', text: ' you.' },
      ],
      [
        {
          type: 'usage',
          usage: {
            inputTokens: 4,
            cacheReadTokens: 0,
            cacheWriteTokens: 0,
            outputTokens: 4,
            reasoningTokens: 2,
          },
        },
        {
          type: 'finish',
          reason: 'stop',
          providerReason: 'stop',
          continuation: { sandboxTurn: expect.any(String) },
        },
      ],
    ]);
  });

  test('the sandbox’s answer says that it is simulated, echoes the last user message and says in a whole sentence what the gateway did', async () => {
    const { text, finish } = await collect(request());
    expect(text).toBe(
      `This is ${WHO}. You wrote: "Hello there". The gateway chose this instance from its plan, passed on each token as it came, and recorded what the answer cost.`,
    );
    expect(finish).toEqual({ type: 'finish', reason: 'stop', providerReason: 'stop' });
  });

  test('the sandbox’s answer echoes only the start of a long message, and never cuts a character in two', async () => {
    const { text } = await collect(
      request({ messages: [user('😀'.repeat(500))], providerOptions: { tokens: 100 } }),
    );
    expect(text).toContain(`"${'😀'.repeat(60)}..."`);
    const plain = await collect(options({ text: '😀👩‍👩‍👧 ж\n\n end  ' }));
    expect(plain.text).toBe('😀👩‍👩‍👧 ж\n\n end  ');
  });

  test('the sandbox’s answer is the same for the same request, and another for another seed', async () => {
    const first = await reads(request({ parameters: { seed: 1 } }));
    expect(await reads(request({ parameters: { seed: 1 } }))).toEqual(first);
    expect((await collect(request({ parameters: { seed: 2 } }))).text).not.toBe(
      (await collect(request({ parameters: { seed: 1 } }))).text,
    );
  });

  test('the sandbox’s answer has exactly as many tokens as asked for', async () => {
    expect((await collect(options({ tokens: 1000, tokensPerSecond: 0 }))).usage?.outputTokens).toBe(1000);
    expect((await collect(options({ tokens: 3 }))).text).toBe('This is Mode');
  });

  test('the sandbox’s answer is cut by maxTokens with reason length, reasoning first', async () => {
    const cut = await collect(
      request({ parameters: { maxTokens: 5 }, providerOptions: { reasoningTokens: 3 } }),
    );
    expect(cut.usage).toMatchObject({ reasoningTokens: 3, outputTokens: 2 });
    expect(cut.finish.reason).toBe('length');
    const calls = await collect(
      request({
        parameters: { maxTokens: 2 },
        providerOptions: { toolCalls: [{ name: 'a', arguments: { b: 'cdef' } }, { name: 'c' }] },
      }),
    );
    expect(calls.calls).toEqual([{ callId: expect.any(String), name: 'a', text: '{"b":"cd' }]);
    expect(calls.finish.reason).toBe('length');
  });

  test('the sandbox’s answer ends before the first stop string', async () => {
    const asked = request({
      parameters: { stop: ['three', ' two'] },
      providerOptions: { text: 'one two three' },
    });
    expect(await collect(asked)).toMatchObject({ text: 'one', finish: { reason: 'stop' } });
    expect(
      (await collect(request({ parameters: { stop: ['zzz'] }, providerOptions: { text: 'one' } }))).text,
    ).toBe('one');
  });

  test('the sandbox’s answer ends with the finish reason that was chosen', async () => {
    expect((await collect(options({ finishReason: 'content-filter' }))).finish.reason).toBe('content-filter');
  });

  test('the sandbox’s usage counts every word of the input by the rule, tools included, and 64 for an image', async () => {
    const image = { type: 'image', image: { url: 'https://example.com/a.png' } } as const;
    const messages: Message[] = [
      { role: 'user', parts: [{ type: 'text', text: 'one 12345' }, image], toolCalls: [] },
      { role: 'assistant', parts: [], toolCalls: [{ callId: 'c', name: 'abcd', argumentsText: '{}' }] },
    ];
    expect((await collect(request({ messages }))).usage?.inputTokens).toBe(3 + 64 + 2);
    expect(
      (await collect(request({ messages, tools: [{ name: 'x', parameters: {} }] }))).usage?.inputTokens,
    ).toBe(69 + 8);
    expect((await collect(request({ messages }))).text).toContain('"one 12345 [image]"');
  });
});

describe('reasoning', () => {
  test('reasoning of the sandbox follows the effort, bounded by its own limit, and is simulated by name', async () => {
    const high = await collect(request({ parameters: { reasoningEffort: 'high' } }));
    expect(high.usage?.reasoningTokens).toBe(64);
    expect(high.reasoning.startsWith(`Simulated reasoning of ${WHO}.`)).toBe(true);
    const bounded = await collect(request({ parameters: { reasoningEffort: 'max', reasoningTokens: 10 } }));
    expect(bounded.usage?.reasoningTokens).toBe(10);
  });

  test('reasoning is there unasked with sandbox-reasoning, unless the effort is none', async () => {
    const model = { key: 'sandbox-reasoning', reasoning: true };
    expect((await collect(request({ model }))).usage?.reasoningTokens).toBe(32);
    expect((await collect(request({ model, parameters: { reasoningEffort: 'none' } }))).reasoning).toBe('');
  });
});

describe('tool calls', () => {
  test('tool calls of the sandbox are exactly those of the options, in order, with ids of their own and bad JSON untouched', async () => {
    const { calls, text, finish } = await collect(
      options({
        toolCalls: [
          { name: 'a', arguments: { city: 'Kazan' } },
          { name: 'b', arguments: '{"x":' },
          { name: 'c', arguments: '' },
        ],
      }),
    );
    expect(calls.map(({ name, text }) => [name, text])).toEqual([
      ['a', '{"city":"Kazan"}'],
      ['b', '{"x":'],
      ['c', ''],
    ]);
    expect(new Set(calls.map(({ callId }) => callId)).size).toBe(3);
    expect(text).toBe('');
    expect(finish).toMatchObject({ reason: 'tool-calls', continuation: { sandboxTurn: expect.any(String) } });
  });

  test('tool calls of the sandbox are made from the schema when a tool is required or named, and then reported in text', async () => {
    const asked = request({
      tools: [{ name: 'other', parameters: {} }, weather],
      toolChoice: { type: 'tool', name: 'weather' },
    });
    const [call] = (await collect(asked)).calls;
    expect(call).toMatchObject({ name: 'weather', text: '{"city":"simulated","days":2}' });
    expect((await collect({ ...asked, toolChoice: { type: 'required' } })).calls).toMatchObject([
      { name: 'other' },
    ]);

    const messages: Message[] = [
      user('Weather?'),
      { role: 'assistant', parts: [], toolCalls: [{ callId: 'c1', name: 'weather', argumentsText: '{}' }] },
      { role: 'tool', parts: [{ type: 'text', text: '7 degrees' }], toolCalls: [], toolCallId: 'c1' },
    ];
    const after = await collect({ ...asked, messages });
    expect(after.calls).toEqual([]);
    expect(after.text).toContain('The tool answered: "7 degrees".');
    expect(after.finish.reason).toBe('stop');
  });

  test('tool calls of the sandbox come unasked from sandbox-tools only, and never when the choice is none or no tool fits', async () => {
    const model = { key: 'sandbox-tools', reasoning: false };
    expect((await collect(request({ model, tools: [weather] }))).calls).toHaveLength(1);
    expect((await collect(request({ tools: [weather] }))).calls).toHaveLength(0);
    expect(
      (await collect(request({ model, tools: [weather], toolChoice: { type: 'none' } }))).calls,
    ).toHaveLength(0);
    expect((await collect(request({ toolChoice: { type: 'tool', name: 'gone' } }))).calls).toHaveLength(0);
  });
});

describe('structured output', () => {
  test('structured output of the sandbox is JSON made from the schema, or an honest object without one', async () => {
    const schema = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] };
    const made = await collect(request({ responseFormat: { type: 'json-schema', name: 'r', schema } }));
    expect(made.text).toBe('{"ok":true}');
    const free = await collect(request({ responseFormat: { type: 'json' } }));
    expect(JSON.parse(free.text)).toEqual({ from: WHO, heard: 'Hello there' });
  });
});
