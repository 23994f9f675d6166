// Holds what the sandbox promises: it is deterministic, honest, obeys each option, and stops at once.
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../../src/kernel/clock.ts';
import type { Message, ProviderRequest, StreamPart } from '../../../src/providers/contract.ts';
import { createSandboxAdapter } from '../../../src/providers/sandbox/adapter.ts';

const WHO = "Modelgraph's sandbox, a simulated model, not a language model";
const target: ProviderRequest['target'] = {
  configId: 'config',
  providerKey: 'sandbox',
  baseUrl: 'sandbox:',
  auth: { type: 'none' },
  headers: {},
  settings: {},
  quirks: {},
  connectTimeoutMs: 1000,
};

/** A clock that stands still but for the delays asked of it, which it records. */
function simulatedTime() {
  let nowMs = 0;
  const waits: number[] = [];
  const clock: Clock = { now: () => new Date(nowMs), monotonicMs: () => nowMs };
  const delay = async (ms: number) => {
    waits.push(ms);
    nowMs += ms;
  };
  return { clock, delay, waits };
}

const user = (text: string): Message => ({ role: 'user', parts: [{ type: 'text', text }], toolCalls: [] });

function request(over: Partial<ProviderRequest> = {}): ProviderRequest {
  return {
    target,
    model: { key: 'sandbox-text', reasoning: false },
    messages: [user('Hello there')],
    parameters: {},
    tools: [],
    providerOptions: {},
    ...over,
  };
}

const options = (providerOptions: ProviderRequest['providerOptions']) => request({ providerOptions });

async function reads(asked: ProviderRequest, signal = new AbortController().signal): Promise<StreamPart[][]> {
  const { clock, delay } = simulatedTime();
  const collected: StreamPart[][] = [];
  for await (const read of createSandboxAdapter({ clock, delay }).stream(asked, { signal }))
    collected.push(read);
  return collected;
}

async function collect(asked: ProviderRequest) {
  const parts = (await reads(asked)).flat();
  const textOf = (type: 'text-delta' | 'reasoning-delta') =>
    parts.map((part) => (part.type === type ? part.text : '')).join('');
  const calls = new Map<number, { callId?: string | undefined; name?: string | undefined; text: string }>();
  for (const part of parts) {
    if (part.type !== 'tool-call-delta') continue;
    const call = calls.get(part.index) ?? { callId: part.callId, name: part.name, text: '' };
    call.text += part.argumentsText;
    calls.set(part.index, call);
  }
  const usage = parts.find((part) => part.type === 'usage')?.usage;
  const finish = parts.at(-1);
  if (finish?.type !== 'finish') throw new Error('no finish');
  return {
    text: textOf('text-delta'),
    reasoning: textOf('reasoning-delta'),
    calls: [...calls.values()],
    usage,
    finish,
  };
}

const weather = {
  name: 'weather',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 2 } },
    required: ['city'],
  },
} as const;

describe('the answer', () => {
  test('is the full ordered list of parts that the options chose', async () => {
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

  test('says that it is simulated, echoes the last user message and has about forty tokens', async () => {
    const { text, usage, finish } = await collect(request());
    expect(text.startsWith(`This is ${WHO}. You wrote: "Hello there".`)).toBe(true);
    expect(usage?.outputTokens).toBe(40);
    expect(finish).toEqual({ type: 'finish', reason: 'stop', providerReason: 'stop' });
  });

  test('echoes only the start of a long message, and never cuts a character in two', async () => {
    const { text } = await collect(
      request({ messages: [user('😀'.repeat(500))], providerOptions: { tokens: 100 } }),
    );
    expect(text).toContain(`"${'😀'.repeat(60)}..."`);
    const plain = await collect(options({ text: '😀👩‍👩‍👧 ж\n\n end  ' }));
    expect(plain.text).toBe('😀👩‍👩‍👧 ж\n\n end  ');
  });

  test('is the same for the same request, and another for another seed', async () => {
    const first = await reads(request({ parameters: { seed: 1 } }));
    expect(await reads(request({ parameters: { seed: 1 } }))).toEqual(first);
    expect((await collect(request({ parameters: { seed: 2 } }))).text).not.toBe(
      (await collect(request({ parameters: { seed: 1 } }))).text,
    );
  });

  test('has exactly as many tokens as asked for', async () => {
    expect((await collect(options({ tokens: 1000, tokensPerSecond: 0 }))).usage?.outputTokens).toBe(1000);
    expect((await collect(options({ tokens: 3 }))).text).toBe('This is Mode');
  });

  test('is cut by maxTokens with reason length, reasoning first', async () => {
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

  test('ends before the first stop string', async () => {
    const asked = request({
      parameters: { stop: ['three', ' two'] },
      providerOptions: { text: 'one two three' },
    });
    expect(await collect(asked)).toMatchObject({ text: 'one', finish: { reason: 'stop' } });
    expect(
      (await collect(request({ parameters: { stop: ['zzz'] }, providerOptions: { text: 'one' } }))).text,
    ).toBe('one');
  });

  test('ends with the finish reason that was chosen', async () => {
    expect((await collect(options({ finishReason: 'content-filter' }))).finish.reason).toBe('content-filter');
  });

  test('counts every word of the input by the rule, tools included, and 64 for an image', async () => {
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
  test('follows the effort, bounded by its own limit, and is simulated by name', async () => {
    const high = await collect(request({ parameters: { reasoningEffort: 'high' } }));
    expect(high.usage?.reasoningTokens).toBe(64);
    expect(high.reasoning.startsWith(`Simulated reasoning of ${WHO}.`)).toBe(true);
    const bounded = await collect(request({ parameters: { reasoningEffort: 'max', reasoningTokens: 10 } }));
    expect(bounded.usage?.reasoningTokens).toBe(10);
  });

  test('is there unasked with sandbox-reasoning, unless the effort is none', async () => {
    const model = { key: 'sandbox-reasoning', reasoning: true };
    expect((await collect(request({ model }))).usage?.reasoningTokens).toBe(32);
    expect((await collect(request({ model, parameters: { reasoningEffort: 'none' } }))).reasoning).toBe('');
  });
});

describe('tool calls', () => {
  test('are exactly those of the options, in order, with ids of their own and bad JSON untouched', async () => {
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

  test('are made from the schema when a tool is required or named, and then reported in text', async () => {
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

  test('come unasked from sandbox-tools only, and never when the choice is none or no tool fits', async () => {
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
  test('is JSON made from the schema, or an honest object without one', async () => {
    const schema = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] };
    const made = await collect(request({ responseFormat: { type: 'json-schema', name: 'r', schema } }));
    expect(made.text).toBe('{"ok":true}');
    const free = await collect(request({ responseFormat: { type: 'json' } }));
    expect(JSON.parse(free.text)).toEqual({ from: WHO, heard: 'Hello there' });
  });
});

describe('pace', () => {
  test('waits for the first token, then keeps to tokens per second', async () => {
    const { clock, delay, waits } = simulatedTime();
    const adapter = createSandboxAdapter({ clock, delay });
    const asked = options({ tokens: 6, tokensPerSecond: 100, tokensPerRead: 2, firstTokenMs: 30 });
    for await (const _read of adapter.stream(asked, { signal: new AbortController().signal }));
    expect(waits).toEqual([30, 20, 20]);
  });

  test('is hundreds of thousands of tokens a second when unbounded', async () => {
    const asked = options({ tokens: 100_000, tokensPerSecond: 0, firstTokenMs: 0 });
    const startedMs = performance.now();
    let tokens = 0;
    for await (const read of createSandboxAdapter().stream(asked, { signal: new AbortController().signal })) {
      for (const part of read) if (part.type === 'text-delta') tokens += 1;
    }
    expect(tokens).toBe(100_000);
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });
});

describe('faults', () => {
  const fail = { code: 'PROVIDER_RATE_LIMITED', message: 'slow down', status: 429, retryAfterMs: 1500 };

  test('before the first token look like a refused request', async () => {
    await expect(reads(options({ fail }))).rejects.toMatchObject({
      code: 'PROVIDER_RATE_LIMITED',
      message: 'slow down',
      status: 429,
      retryAfterMs: 1500,
      phase: 'headers',
      transient: true,
    });
  });

  test('in mid-stream come after exactly the tokens asked for', async () => {
    const seen: StreamPart[] = [];
    const run = async () => {
      const asked = options({
        fail: { code: 'PROVIDER_UNAVAILABLE', afterTokens: 3, transient: false },
        tokensPerRead: 2,
      });
      const stream = createSandboxAdapter(simulatedTime()).stream(asked, {
        signal: new AbortController().signal,
      });
      for await (const read of stream) seen.push(...read);
    };
    await expect(run()).rejects.toMatchObject({ phase: 'stream', transient: false, status: undefined });
    expect(seen.filter(({ type }) => type === 'text-delta')).toHaveLength(3);
  });

  test('can be a stream that just ends', async () => {
    const parts = (await reads(options({ cutAfterTokens: 2, stallAfterTokens: 10 }))).flat();
    expect(parts.map(({ type }) => type)).toEqual(['response-start', 'text-delta', 'text-delta']);
    expect((await reads(options({ cutAfterTokens: 0 }))).flat().map(({ type }) => type)).toEqual([
      'response-start',
    ]);
  });

  test('can be a stream that stalls until it is cancelled', async () => {
    const controller = new AbortController();
    const iterator = createSandboxAdapter()
      .stream(options({ stallAfterTokens: 1, firstTokenMs: 0 }), { signal: controller.signal })
      [Symbol.asyncIterator]();
    expect((await iterator.next()).value).toHaveLength(2);
    const stalled = iterator.next();
    controller.abort();
    await expect(stalled).rejects.toBe(controller.signal.reason);
  });

  test.each([
    [{ tokens: 'many' }, 'providerOptions.tokens: '],
    [{ fail: { code: 'NOPE' } }, 'providerOptions.fail.code: '],
    [{ toolCalls: [{ name: 'a', args: {} }] }, 'providerOptions.toolCalls.0.args: '],
    [{ speed: 9 }, 'providerOptions.speed: '],
  ])('of the options themselves name the field: %j', async (providerOptions, beginning) => {
    await expect(reads(options(providerOptions))).rejects.toMatchObject({
      code: 'PROVIDER_INVALID_REQUEST',
      message: expect.stringContaining(beginning),
    });
  });
});

describe('cancelling', () => {
  test('ends a wait at once, with the reason that the caller gave', async () => {
    const controller = new AbortController();
    const iterator = createSandboxAdapter()
      .stream(options({ firstTokenMs: 3_600_000 }), { signal: controller.signal })
      [Symbol.asyncIterator]();
    const first = iterator.next();
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(first).rejects.toBe(reason);
  });

  test('is noticed between two reads of an unbounded stream, and before it began', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    let count = 0;
    const run = async () => {
      const asked = options({ tokens: 100_000, tokensPerSecond: 0, firstTokenMs: 0 });
      for await (const _read of createSandboxAdapter().stream(asked, { signal: controller.signal })) {
        count += 1;
        if (count === 10) controller.abort(reason);
      }
    };
    await expect(run()).rejects.toBe(reason);
    expect(count).toBe(10);
    await expect(createSandboxAdapter().check(target, { signal: controller.signal })).rejects.toBe(
      controller.signal.reason,
    );
  });
});

test('the models say in their names that they are simulated, and the check needs nothing', async () => {
  const adapter = createSandboxAdapter();
  const { signal } = new AbortController();
  await adapter.check(target, { signal });
  const models = (await adapter.listModels?.(target, { signal })) ?? [];
  expect(models.map(({ key }) => key)).toEqual(['sandbox-text', 'sandbox-reasoning', 'sandbox-tools']);
  expect(models.every(({ displayName }) => displayName?.includes('simulated'))).toBe(true);
  expect(models.every((model) => !('traits' in model))).toBe(true);
  expect(adapter.unsupported(request())).toEqual([]);
});
