// Holds how the lines of Ollama become stream parts, whole and cut at every byte.
import { describe, expect, test } from 'vitest';
import { createOllamaAdapter } from '../../../src/providers/ollama/adapter.ts';
import { providerRequest, startProvider } from '../../support/provider-calls.ts';
import { callOllama, done, JSON_TYPE, lines, NDJSON, ollamaTarget, START, says, USAGE } from './calls.ts';

describe.each([undefined, 'every-byte'] as const)('an answer of Ollama, cut %s', (cut) => {
  const stream = (body: string) => callOllama({ headers: NDJSON, body, ...(cut ? { cut } : {}) });

  test('an answer of Ollama gives thinking, text and counts, in order', async () => {
    const { parts, fault } = await stream(
      lines(
        says({ thinking: 'Hm, é' }),
        says({ content: 'Grüße ' }),
        says({ content: '🌍' }),
        done({ done_reason: 'length' }),
      ),
    );
    expect(fault).toBeUndefined();
    expect(parts).toEqual([
      START,
      { type: 'reasoning-delta', text: 'Hm, é' },
      { type: 'text-delta', text: 'Grüße ' },
      { type: 'text-delta', text: '🌍' },
      USAGE,
      { type: 'finish', reason: 'length', providerReason: 'length' },
    ]);
  });

  test('an answer of Ollama gives calls of several lines with their ids or minted ones, and says that they end it', async () => {
    const { parts } = await stream(
      lines(
        says({ thinking: 'Hm.' }),
        says({
          tool_calls: [
            { id: 'call_1', function: { index: 0, name: 'weather', arguments: { city: 'Łódź' } } },
          ],
        }),
        says({
          tool_calls: [
            { function: { name: 'dice', arguments: {} } },
            { function: { name: 'time', arguments: '' } },
          ],
        }),
        done(),
      ),
    );
    expect(parts).toEqual([
      START,
      { type: 'reasoning-delta', text: 'Hm.' },
      {
        type: 'tool-call-delta',
        index: 0,
        callId: 'call_1',
        name: 'weather',
        argumentsText: '{"city":"Łódź"}',
      },
      { type: 'tool-call-delta', index: 1, callId: 'call_minted-0', name: 'dice', argumentsText: '{}' },
      { type: 'tool-call-delta', index: 2, callId: 'call_minted-1', name: 'time', argumentsText: '{}' },
      USAGE,
      { type: 'finish', reason: 'tool-calls', providerReason: 'stop', continuation: { thinking: 'Hm.' } },
    ]);
  });

  test('an answer of Ollama raises the fault that is a line, after what came before', async () => {
    const { parts, fault } = await stream(
      lines(says({ content: 'Hi' }), { error: 'model runner has stopped' }),
    );
    expect(parts).toEqual([START, { type: 'text-delta', text: 'Hi' }]);
    expect(fault).toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      message: 'model runner has stopped',
      phase: 'stream',
      transient: true,
    });
  });

  test('an answer of Ollama that ends without its end is a broken protocol', async () => {
    const { parts, fault } = await stream(lines(says({ content: 'Hi' })));
    expect(parts).toEqual([START, { type: 'text-delta', text: 'Hi' }]);
    expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL', phase: 'stream' });
  });
});

test.each([
  [{ done_reason: 'stop' }, { reason: 'stop', providerReason: 'stop' }],
  [{ done_reason: undefined }, { reason: 'stop' }],
  [{ done_reason: 'load' }, { reason: 'other', providerReason: 'load' }],
])('the end %j of Ollama is %j', async (over, finish) => {
  const { parts } = await callOllama({ headers: NDJSON, body: lines(done(over)) });
  expect(parts.at(-1)).toEqual({ type: 'finish', ...finish });
});

test.each([
  [{ prompt_eval_count: undefined }, [{ ...USAGE, usage: { ...USAGE.usage, inputTokens: 0 } }]],
  [{ eval_count: undefined }, [{ ...USAGE, usage: { ...USAGE.usage, outputTokens: 0 } }]],
  [{ prompt_eval_count: undefined, eval_count: undefined }, []],
])('Ollama’s counts with %j are %j', async (over, expected) => {
  const { parts } = await callOllama({ headers: NDJSON, body: lines(done(over)) });
  expect(parts.filter(({ type }) => type === 'usage')).toEqual(expected);
});

test('an answer of Ollama in one piece, without its last line feed, is read alike', async () => {
  const body = JSON.stringify(done({ message: { role: 'assistant', content: 'Hi' } }));
  const { parts } = await callOllama({ headers: JSON_TYPE, body });
  expect(parts).toEqual([
    START,
    { type: 'text-delta', text: 'Hi' },
    USAGE,
    { type: 'finish', reason: 'stop', providerReason: 'stop' },
  ]);
});

test.each([
  ['HTML', '<html></html>'],
  ['a line that is no piece', '{"message":"hello"}\n'],
  ['nothing', ''],
])('%s is a broken protocol of Ollama', async (_name, body) => {
  const { fault } = await callOllama({ headers: NDJSON, body });
  expect(fault).toMatchObject({ code: 'PROVIDER_PROTOCOL' });
});

test('a fault of Ollama in the form of other servers is told in their words', async () => {
  const { fault } = await callOllama({
    headers: JSON_TYPE,
    body: '{"error":{"message":"context length exceeded"}}',
  });
  expect(fault).toMatchObject({
    code: 'CONTEXT_LENGTH_EXCEEDED',
    message: 'context length exceeded',
    transient: false,
  });
});

test.each(['leaving the loop', 'the signal'])(
  'leaving an answer of Ollama stops the upstream request: %s',
  async (how) => {
    const body = lines(says({ content: 'Hi' }), says({ content: 'on' }));
    await using provider = await startProvider({ headers: NDJSON, body, fault: { stallAfterBytes: 150 } });
    const abort = new AbortController();
    const adapter = createOllamaAdapter(provider);
    const request = providerRequest({ target: ollamaTarget(provider.upstream.url) });
    const read = async () => {
      for await (const _parts of adapter.completions.stream(request, { signal: abort.signal })) {
        if (how === 'leaving the loop') return;
        abort.abort(new Error('enough'));
      }
    };
    if (how === 'leaving the loop') await read();
    else await expect(read()).rejects.toThrow('enough');
    await provider.upstream.requests[0]?.aborted;
  },
);
