import { describe, expect, test } from 'vitest';
import {
  COMPLETION_DEFAULTS,
  type CompletionRequest,
} from '../../../src/domain/completions/completion-request.ts';
import { encodeContinuation } from '../../../src/domain/completions/continuation.ts';
import { latestContinuation, translateRequest } from '../../../src/domain/completions/provider-request.ts';
import type { CallableCandidate } from '../../../src/domain/runs/kind.ts';

const call = (over: object = {}, unsupported: readonly object[] = []) =>
  ({
    candidate: {
      canonicalId: 'p/m',
      protocol: 'gemini',
      model: { key: 'm', capabilities: [], maxOutputTokens: null },
      instance: { defaultParameters: { temperature: 0.5, maxTokens: 100 } },
      ...over,
    },
    adapter: { protocol: 'gemini', completions: { unsupported: () => unsupported } },
    target: { baseUrl: 'https://example.com' },
  }) as unknown as CallableCandidate;
const request = (over: object = {}) =>
  ({ ...COMPLETION_DEFAULTS, model: 'm', messages: [], ...over }) as unknown as CompletionRequest;
const made = (over: object = {}) =>
  encodeContinuation({ instanceId: null, canonicalId: 'p/m', protocol: 'gemini', data: { s: 1 }, ...over });
const assistant = (continuation?: string) => ({ role: 'assistant', parts: [], toolCalls: [], continuation });

describe('what an adapter is asked', () => {
  test('the caller’s parameters win over the instance’s defaults, each by itself', () => {
    const asked = request({ parameters: { temperature: 1, topK: 3 } });
    expect(translateRequest(call(), asked).request.parameters).toEqual({
      temperature: 1,
      maxTokens: 100,
      topK: 3,
    });
  });

  test('an adapter gets the options of its own protocol alone', () => {
    const asked = request({ providerOptions: { gemini: { a: 1 }, 'openai-chat': { b: 2 } } });
    expect(translateRequest(call(), asked).request.providerOptions).toEqual({ a: 1 });
    expect(translateRequest(call(), request()).request.providerOptions).toEqual({});
  });

  test.each([
    [
      { key: 'm', capabilities: ['reasoning'], maxOutputTokens: 9 },
      { key: 'm', reasoning: true, maxOutputTokens: 9 },
    ],
    [
      { key: 'm', capabilities: ['tools'], maxOutputTokens: null },
      { key: 'm', reasoning: false },
    ],
    [undefined, { key: 'p/m', reasoning: false }],
  ])('of the model %j an adapter is told %j', (model, told) => {
    expect(translateRequest(call({ model }), request()).request.model).toEqual(told);
  });

  test('everything that the adapter cannot express is a warning that names its path', () => {
    const { warnings } = translateRequest(
      call({}, [
        { path: 'tools', message: 'no' },
        { path: 'seed', message: 'no' },
      ]),
      request(),
    );
    expect(warnings.map(({ code, message }) => [code, message.split(':')[0]])).toEqual([
      ['UNSUPPORTED_DROPPED', 'tools'],
      ['UNSUPPORTED_DROPPED', 'seed'],
    ]);
  });

  test('an adapter that offers no completions is not asked for one', () => {
    const without = { ...call(), adapter: { protocol: 'x' } } as unknown as CallableCandidate;
    expect(() => translateRequest(without, request())).toThrow(
      expect.objectContaining({ code: 'CAPABILITY_MISSING' }),
    );
  });
});

describe('continuations', () => {
  const translated = (continuation: string) => {
    const { request: sent, warnings } = translateRequest(
      call(),
      request({ messages: [assistant(continuation)] }),
    );
    return [sent.messages[0]?.continuation, warnings.map(({ code }) => code)];
  };

  test('a continuation goes back to the model and protocol that made it, whichever instance did', () => {
    expect(translated(made({ instanceId: 'another' }))).toEqual([{ s: 1 }, []]);
  });

  test.each([{ canonicalId: 'p/n' }, { protocol: 'openai-chat' }])(
    'a continuation of %j is left behind with a warning',
    (over) => {
      expect(translated(made(over))).toEqual([undefined, ['CONTINUATION_DROPPED']]);
    },
  );

  test('text that is no continuation never reaches an adapter', () => {
    expect(translated('abc')).toEqual([undefined, []]);
  });

  test('the latest message with a continuation is the one that counts', () => {
    const messages = [assistant(made({ data: 1 })), assistant(made({ data: 2 })), assistant()];
    expect(latestContinuation(messages as never)?.data).toBe(2);
    expect(latestContinuation([])).toBeUndefined();
    expect(latestContinuation([assistant(made()), assistant('abc')] as never)).toBeUndefined();
  });
});
