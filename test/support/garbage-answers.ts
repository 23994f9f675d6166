// Owns invalid answers of an OpenAI-like server: numbers, texts and bytes that could break the code that reads or stores them.
import type { Reply } from './fake-upstream.ts';

export const EVENT_STREAM = { headers: { 'content-type': 'text/event-stream' } };

const chunk = (fields: object, over: object = {}) =>
  `data: ${JSON.stringify({ id: 'c1', model: 'served', choices: [{ index: 0, ...fields }], ...over })}\n\n`;
export const said = (content: string) => chunk({ delta: { content } });
export const stopped = (reason = 'stop') => chunk({ delta: {}, finish_reason: reason });
export const used = (completion_tokens: unknown, prompt_tokens: unknown = 7) =>
  `data: ${JSON.stringify({ id: 'c1', choices: [], usage: { prompt_tokens, completion_tokens } })}\n\n`;
/** A stream with its proper end. */
export const streamOf = (...body: string[]): Reply => ({
  ...EVENT_STREAM,
  body: [...body, 'data: [DONE]\n\n'],
});

const toolCall = (index: number, id: string, name: string) =>
  chunk({ delta: { tool_calls: [{ index, id, function: { name, arguments: '{}' } }] } });
const calling = (id: string, name: string) => streamOf(toolCall(0, id, name), stopped('tool_calls'), used(3));

/** Texts that PostgreSQL refuses: U+0000, and half a surrogate pair. */
const BAD = 'x\u0000\ud800y';

/** What is wrong with the answer, the answer, and how a run that gets it ends. */
export const GARBAGE_ANSWERS: readonly (readonly [string, Reply, 'FINISHED' | 'FAILED'])[] = [
  ['a finish reason with U+0000', streamOf(said('Hi'), stopped(BAD), used(3)), 'FINISHED'],
  [
    'a model and an id with half a surrogate',
    streamOf(chunk({ delta: { content: 'Hi' } }, { model: BAD, id: BAD }), stopped(), used(3)),
    'FINISHED',
  ],
  ['a tool id with U+0000', calling(BAD, 'f'), 'FINISHED'],
  ['a tool name with half a surrogate', calling('call', BAD), 'FINISHED'],
  ['text with U+0000 and half a surrogate', streamOf(said(BAD), stopped(), used(3)), 'FINISHED'],
  [
    'a pair of surrogates in two chunks',
    streamOf(
      'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}\n\n',
      'data: {"choices":[{"index":0,"delta":{"content":"\\ude00"}}]}\n\n',
      stopped(),
      used(3),
    ),
    'FINISHED',
  ],
  ['a usage of three billion tokens', streamOf(said('Hi'), stopped(), used(3e9)), 'FINISHED'],
  ['a usage of two billion tokens in and out', streamOf(said('Hi'), stopped(), used(2e9, 2e9)), 'FINISHED'],
  ['a usage of 1e300 tokens', streamOf(said('Hi'), stopped(), used(1e300, 1e300)), 'FINISHED'],
  ['a usage of text', streamOf(said('Hi'), stopped(), used('many', null)), 'FINISHED'],
  [
    'an error code with U+0000',
    {
      status: 400,
      headers: { 'content-type': 'application/json', 'retry-after': '1e300' },
      body: JSON.stringify({ error: { message: BAD, code: BAD } }),
    },
    'FAILED',
  ],
  [
    'an error amid the answer with U+0000 in its code',
    {
      ...EVENT_STREAM,
      body: [said('Hi'), `data: ${JSON.stringify({ error: { message: BAD, code: BAD } })}\n\n`],
    },
    'FAILED',
  ],
  ['cut JSON', { ...EVENT_STREAM, body: [said('Hi'), 'data: {"choices":[{"ind\n\n'] }, 'FAILED'],
  [
    'a page of HTML',
    { headers: { 'content-type': 'text/html' }, body: '<html><title>Sign in</title></html>' },
    'FAILED',
  ],
  ['no answer at all', { ...EVENT_STREAM, body: '' }, 'FAILED'],
  [
    '2,000 tool calls',
    streamOf(
      ...Array.from({ length: 2_000 }, (_value, index) => toolCall(index, `c${index}`, 'f')),
      stopped('tool_calls'),
      used(3),
    ),
    'FAILED',
  ],
];
