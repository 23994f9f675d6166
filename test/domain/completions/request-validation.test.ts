import { describe, expect, test } from 'vitest';
import {
  COMPLETION_DEFAULTS,
  type CompletionRequest,
} from '../../../src/domain/completions/completion-request.ts';
import { encodeContinuation } from '../../../src/domain/completions/continuation.ts';
import { type RequestRules, validateCompletion } from '../../../src/domain/completions/request-validation.ts';
import { GatewayError } from '../../../src/kernel/errors.ts';
import type { JsonValue } from '../../../src/kernel/json.ts';

const rules: RequestRules = {
  bounds: { maxMessages: 4, maxTextLength: 10, maxImageLength: 8, maxTools: 2 },
  optionRulesOf: () => undefined,
  paidFor: false,
};
const text = (words = 'a') => ({ type: 'text', text: words });
const image = (over: object) => ({ type: 'image', image: over });
const data = (base64: string, mediaType = 'image/png') => image({ data: base64, mediaType });
const user = (...parts: readonly object[]) => ({ role: 'user', parts, toolCalls: [] });
const call = (over: object = {}) => ({ callId: 'c', name: 'f', argumentsText: '{}', ...over });
const assistant = (over: object = {}) => ({ role: 'assistant', parts: [], toolCalls: [call()], ...over });
const answer = (over: object = {}) => ({
  role: 'tool',
  parts: [text()],
  toolCalls: [],
  toolCallId: 'c',
  ...over,
});
const continuation = (state: JsonValue) =>
  encodeContinuation({ instanceId: null, canonicalId: 'p/m', protocol: 'gemini', data: state });
const tool = (over: object = {}) => ({ name: 'f', parameters: { type: 'object' }, ...over });

/** The path that is refused; `undefined` where the request is taken. */
function refusedPath(over: object): string | undefined {
  const request = { ...COMPLETION_DEFAULTS, model: 'auto', messages: [user(text())], ...over };
  try {
    validateCompletion(request as unknown as CompletionRequest, rules);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    expect((error as GatewayError).code).toBe('BAD_USER_INPUT');
    return (error as GatewayError).path;
  }
}
const messages = (...given: readonly object[]) => ({ messages: given });

describe('messages', () => {
  test.each<[string, object]>([
    ['a plain question', {}],
    ['as many messages as are taken', messages(...Array(4).fill(user(text())))],
    ['as much text as is taken, over all messages', messages(user(text('12345')), user(text('67890')))],
    ['a text of no characters', messages(user(text('')))],
    ['a tool loop', messages(assistant(), answer(), user(text()))],
    ['a tool’s answer without content', messages(assistant(), answer({ parts: [] }))],
    ['a call without arguments', messages(assistant({ toolCalls: [call({ argumentsText: '' })] }))],
    ['a continuation', messages(assistant({ continuation: continuation({ a: 1 }) }))],
    ['an image by address', messages(user(image({ url: 'https://example.com/a.png' })))],
    ['an image as data', messages(user(data('AAAA+/==')))],
    ['an image in a tool’s answer', messages(assistant(), answer({ parts: [data('AAAA')] }))],
  ])('%s is taken', (_what, over) => {
    expect(refusedPath(over)).toBeUndefined();
  });

  test.each<[string, string, object]>([
    ['no message', 'messages', messages()],
    ['too many messages', 'messages', messages(...Array(5).fill(user(text())))],
    ['too much text', 'messages[1]', messages(user(text('123456')), user(text('78901')))],
    ['too many images', 'messages[1]', messages(user(data('AAAAAA==')), user(data('AA==')))],
    ['a message without content', 'messages[0]', messages(user())],
    ['text with U+0000', 'messages[0].parts[1].text', messages(user(text(), text('\0')))],
    ['a user that calls a tool', 'messages[0].toolCalls', messages({ ...user(text()), toolCalls: [call()] })],
    [
      'an answer without its call',
      'messages[1].toolCallId',
      messages(assistant(), answer({ toolCallId: undefined })),
    ],
    ['an answer to no call', 'messages[1].toolCallId', messages(assistant(), answer({ toolCallId: 'd' }))],
    ['an answer before its call', 'messages[0].toolCallId', messages(answer(), assistant())],
    [
      'a user that answers a call',
      'messages[1].toolCallId',
      messages(assistant(), { ...user(text()), toolCallId: 'c' }),
    ],
    [
      'a call without an id',
      'messages[0].toolCalls[0].callId',
      messages(assistant({ toolCalls: [call({ callId: '' })] })),
    ],
    ['two calls of one id', 'messages[1].toolCalls[0].callId', messages(assistant(), assistant())],
    [
      'a call of a bad name',
      'messages[0].toolCalls[0].name',
      messages(assistant({ toolCalls: [call({ name: 'a b' })] })),
    ],
    [
      'a call with half its arguments',
      'messages[0].toolCalls[0].argumentsText',
      messages(assistant({ toolCalls: [call({ argumentsText: '{"a"' })] })),
    ],
    [
      'a call with a list for arguments',
      'messages[0].toolCalls[0].argumentsText',
      messages(assistant({ toolCalls: [call({ argumentsText: '[]' })] })),
    ],
    [
      'a user with a continuation',
      'messages[0].continuation',
      messages({ ...user(text()), continuation: continuation(1) }),
    ],
    [
      'a continuation of somebody else',
      'messages[0].continuation',
      messages(assistant({ continuation: 'abc' })),
    ],
    [
      'a continuation that cannot be stored',
      'messages[0].continuation',
      messages(assistant({ continuation: continuation('\0') })),
    ],
    [
      'an image of an assistant',
      'messages[0].parts[0].image',
      messages(assistant({ parts: [data('AAAA')] })),
    ],
    [
      'an image in a file',
      'messages[0].parts[0].image.url',
      messages(user(image({ url: 'file:///etc/passwd' }))),
    ],
    [
      'an image that holds its data in the address',
      'messages[0].parts[0].image.url',
      messages(user(image({ url: 'data:image/png;base64,AAAA' }))),
    ],
    ['data of no image', 'messages[0].parts[0].image.mediaType', messages(user(data('AAAA', 'text/html')))],
    ['no data', 'messages[0].parts[0].image.data', messages(user(data('')))],
    ['data behind a prefix', 'messages[0].parts[0].image.data', messages(user(data('data:,AAAA')))],
  ])('%s is refused at %s', (_what, path, over) => {
    expect(refusedPath(over)).toBe(path);
  });
});

describe('tools, formats and options', () => {
  test.each<[string, object]>([
    ['as many tools as are taken', { tools: [tool(), tool({ name: 'g.h-i_1', description: 'd' })] }],
    ['a choice of a tool that is there', { tools: [tool()], toolChoice: { type: 'tool', name: 'f' } }],
    ['a choice of none without tools', { toolChoice: { type: 'none' } }],
    ['a schema', { responseFormat: { type: 'json-schema', name: 'answer', schema: { type: 'object' } } }],
    ['plain JSON', { responseFormat: { type: 'json' } }],
  ])('%s is taken', (_what, over) => {
    expect(refusedPath(over)).toBeUndefined();
  });

  test.each<[string, string, object]>([
    ['too many tools', 'tools', { tools: [tool(), tool({ name: 'g' }), tool({ name: 'h' })] }],
    ['a tool of a bad name', 'tools[0].name', { tools: [tool({ name: 'a b' })] }],
    ['two tools of one name', 'tools[1].name', { tools: [tool(), tool()] }],
    ['a tool without a schema', 'tools[0].parameters', { tools: [tool({ parameters: null })] }],
    [
      'a tool whose description cannot be stored',
      'tools[0].description',
      { tools: [tool({ description: '\0' })] },
    ],
    ['a demand for a tool where there is none', 'toolChoice', { toolChoice: { type: 'required' } }],
    [
      'a choice of an unknown tool',
      'toolChoice.name',
      { tools: [tool()], toolChoice: { type: 'tool', name: 'g' } },
    ],
    [
      'a schema of a bad name',
      'responseFormat.name',
      { responseFormat: { type: 'json-schema', name: 'a.b', schema: {} } },
    ],
    [
      'a schema that is none',
      'responseFormat.schema',
      { responseFormat: { type: 'json-schema', name: 'a', schema: [] } },
    ],
    ['a parameter out of range', 'parameters.temperature', { parameters: { temperature: 2.1 } }],
    ['options that are no object', 'providerOptions', { providerOptions: [] }],
  ])('%s is refused at %s', (_what, path, over) => {
    expect(refusedPath(over)).toBe(path);
  });
});
