// Holds how answers of the Responses API become stream parts, whole and cut at every byte.
import { describe, expect, test } from 'vitest';
import {
  call,
  completed,
  created,
  message,
  partsOf,
  read,
  sse,
  start,
  usage,
  used,
} from './responses-events.ts';

describe('streams', () => {
  test('a Responses stream of reasoning, text and calls gives every part in order, and the reasoning items back', async () => {
    const reasoning = {
      id: 'rs_1',
      type: 'reasoning',
      encrypted_content: 'c2VjcmV0',
      summary: [
        { type: 'summary_text', text: 'First.' },
        { type: 'summary_text', text: 'Second.' },
      ],
    };
    const output = [reasoning, message('Grüße 👋'), call('a', '{"x":1}'), call('b', '{}')];
    const body = sse(
      created,
      { type: 'response.in_progress', response: { id: 'resp_1', model: 'm-2026', status: 'in_progress' } },
      {
        type: 'response.output_item.added',
        output_index: 0,
        item: { id: 'rs_1', type: 'reasoning', summary: [] },
      },
      {
        type: 'response.reasoning_summary_part.added',
        item_id: 'rs_1',
        output_index: 0,
        summary_index: 0,
        part: { type: 'summary_text', text: '' },
      },
      {
        type: 'response.reasoning_summary_text.delta',
        item_id: 'rs_1',
        output_index: 0,
        summary_index: 0,
        delta: 'First.',
        obfuscation: 'x',
      },
      {
        type: 'response.reasoning_summary_text.done',
        item_id: 'rs_1',
        output_index: 0,
        summary_index: 0,
        text: 'First.',
      },
      {
        type: 'response.reasoning_summary_part.added',
        item_id: 'rs_1',
        output_index: 0,
        summary_index: 1,
        part: { type: 'summary_text', text: '' },
      },
      {
        type: 'response.reasoning_summary_text.delta',
        item_id: 'rs_1',
        output_index: 0,
        summary_index: 1,
        delta: 'Second.',
      },
      { type: 'response.output_item.done', output_index: 0, item: reasoning },
      {
        type: 'response.output_item.added',
        output_index: 1,
        item: message('', { status: 'in_progress', content: [] }),
      },
      {
        type: 'response.content_part.added',
        item_id: 'msg_1',
        output_index: 1,
        content_index: 0,
        part: { type: 'output_text', text: '' },
      },
      {
        type: 'response.output_text.delta',
        item_id: 'msg_1',
        output_index: 1,
        content_index: 0,
        delta: 'Grüße ',
      },
      {
        type: 'response.output_text.delta',
        item_id: 'msg_1',
        output_index: 1,
        content_index: 0,
        delta: '👋',
      },
      {
        type: 'response.output_text.done',
        item_id: 'msg_1',
        output_index: 1,
        content_index: 0,
        text: 'Grüße 👋',
      },
      { type: 'response.output_item.done', output_index: 1, item: message('Grüße 👋') },
      {
        type: 'response.output_item.added',
        output_index: 2,
        item: { ...call('a', ''), status: 'in_progress' },
      },
      {
        type: 'response.output_item.added',
        output_index: 3,
        item: { ...call('b', ''), status: 'in_progress' },
      },
      { type: 'response.function_call_arguments.delta', item_id: 'fc_a', output_index: 2, delta: '{"x"' },
      { type: 'response.function_call_arguments.delta', item_id: 'fc_b', output_index: 3, delta: '{}' },
      { type: 'response.function_call_arguments.delta', item_id: 'fc_a', output_index: 2, delta: ':1}' },
      {
        type: 'response.function_call_arguments.done',
        item_id: 'fc_a',
        output_index: 2,
        arguments: '{"x":1}',
      },
      { type: 'response.output_item.done', output_index: 2, item: call('a', '{"x":1}') },
      { type: 'response.output_item.done', output_index: 3, item: call('b', '{}') },
      completed(output),
    );
    expect(await partsOf(body)).toEqual([
      start,
      { type: 'reasoning-delta', text: 'First.' },
      { type: 'reasoning-delta', text: '\n\n' },
      { type: 'reasoning-delta', text: 'Second.' },
      { type: 'text-delta', text: 'Grüße ' },
      { type: 'text-delta', text: '👋' },
      { type: 'tool-call-delta', index: 0, callId: 'call_a', name: 'tool_a', argumentsText: '' },
      { type: 'tool-call-delta', index: 1, callId: 'call_b', name: 'tool_b', argumentsText: '' },
      { type: 'tool-call-delta', index: 0, argumentsText: '{"x"' },
      { type: 'tool-call-delta', index: 1, argumentsText: '{}' },
      { type: 'tool-call-delta', index: 0, argumentsText: ':1}' },
      used,
      {
        type: 'finish',
        reason: 'tool-calls',
        providerReason: 'completed',
        continuation: { output: [{ item: reasoning }, { text: 8 }, { call: 'call_a' }, { call: 'call_b' }] },
      },
    ]);
  });

  test('a Responses stream whose items come without deltas loses nothing', async () => {
    const open = {
      type: 'reasoning',
      id: 'rs_1',
      summary: [],
      content: [{ type: 'reasoning_text', text: 'hm' }],
    };
    const body = sse(
      created,
      { type: 'response.output_item.done', output_index: 0, item: open },
      { type: 'response.output_text.delta', output_index: 1, delta: 'Hel' },
      { type: 'response.output_item.done', output_index: 1, item: message('Hello') },
      { type: 'response.output_item.done', output_index: 2, item: call('a', '{"y":2}') },
      completed([open, message('Hello'), call('a', '{"y":2}'), call('b', '{}')]),
    );
    expect(await partsOf(body)).toEqual([
      start,
      { type: 'reasoning-delta', text: 'hm' },
      { type: 'text-delta', text: 'Hel' },
      { type: 'text-delta', text: 'lo' },
      { type: 'tool-call-delta', index: 0, callId: 'call_a', name: 'tool_a', argumentsText: '' },
      { type: 'tool-call-delta', index: 0, argumentsText: '{"y":2}' },
      { type: 'tool-call-delta', index: 1, callId: 'call_b', name: 'tool_b', argumentsText: '' },
      { type: 'tool-call-delta', index: 1, argumentsText: '{}' },
      used,
      { type: 'finish', reason: 'tool-calls', providerReason: 'completed' },
    ]);
  });

  test('a Responses stream of an open model gives its reasoning text', async () => {
    const body = sse(
      created,
      { type: 'response.reasoning_text.delta', output_index: 0, content_index: 0, delta: 'thinking' },
      { type: 'response.output_text.delta', output_index: 1, delta: 'done' },
      completed(),
      { type: 'response.output_text.delta', output_index: 1, delta: 'never' },
    );
    expect(await partsOf(body)).toEqual([
      start,
      { type: 'reasoning-delta', text: 'thinking' },
      { type: 'text-delta', text: 'done' },
      used,
      { type: 'finish', reason: 'stop', providerReason: 'completed' },
    ]);
  });

  test('a Responses stream that is refused shows the refusal and ends as a content filter', async () => {
    const refused = {
      type: 'message',
      role: 'assistant',
      content: [{ type: 'refusal', refusal: 'I cannot.' }],
    };
    const body = sse(
      created,
      { type: 'response.refusal.delta', output_index: 0, content_index: 0, delta: 'I cannot.' },
      { type: 'response.refusal.done', output_index: 0, content_index: 0, refusal: 'I cannot.' },
      { type: 'response.output_item.done', output_index: 0, item: refused },
      completed([refused]),
    );
    expect(await partsOf(body)).toEqual([
      start,
      { type: 'text-delta', text: 'I cannot.' },
      used,
      { type: 'finish', reason: 'content-filter', providerReason: 'refusal' },
    ]);
  });

  test.each([
    ['max_output_tokens', 'length', 'max_output_tokens'],
    ['content_filter', 'content-filter', 'content_filter'],
    ['something_new', 'other', 'something_new'],
    [undefined, 'other', 'incomplete'],
  ])('a Responses stream that is incomplete for %s ends with %s', async (reason, finish, providerReason) => {
    const body = sse(
      created,
      { type: 'response.output_text.delta', output_index: 0, delta: 'par' },
      {
        type: 'response.incomplete',
        response: {
          id: 'resp_1',
          status: 'incomplete',
          incomplete_details: reason ? { reason } : null,
          output: [],
          usage,
        },
      },
    );
    expect(await partsOf(body)).toEqual([
      start,
      { type: 'text-delta', text: 'par' },
      used,
      { type: 'finish', reason: finish, providerReason },
    ]);
  });

  test('a Responses stream keeps the places of its text when a message has a phase, and drops reasoning that the server kept for itself', async () => {
    const output = [
      { type: 'reasoning', id: 'rs_1', summary: [] },
      message('Looking.', { phase: 'commentary' }),
      { type: 'web_search_call', id: 'ws_1', status: 'completed' },
      message('Found.', { phase: 'final_answer' }),
    ];
    const parts = await partsOf(sse(created, completed(output)));
    expect(parts.at(-1)).toEqual({
      type: 'finish',
      reason: 'stop',
      providerReason: 'completed',
      continuation: {
        output: [
          { text: 8, phase: 'commentary' },
          { item: { type: 'web_search_call', id: 'ws_1', status: 'completed' } },
          { text: 6, phase: 'final_answer' },
        ],
      },
    });
  });

  test('a Responses stream may have events of unknown types, comments and an end mark', async () => {
    const body = `: ping\n\n${sse(created, { type: 'response.dance', delta: 7 }, { type: 'response.output_text.delta', output_index: 0, delta: 'a' }, completed())}data: [DONE]\n\n`;
    expect((await partsOf(body)).map(({ type }) => type)).toEqual([
      'response-start',
      'text-delta',
      'usage',
      'finish',
    ]);
  });
});

describe('whole answers', () => {
  test('a whole Responses JSON answer gives the same parts as a stream', async () => {
    const response = {
      id: 'resp_1',
      object: 'response',
      model: 'm-2026',
      status: 'completed',
      error: null,
      output: [message('Hi')],
      usage,
    };
    const { parts } = await read({
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(response),
    });
    expect(parts).toEqual([
      { type: 'response-start', servedModel: 'm-2026', providerRequestId: 'resp_1' },
      { type: 'text-delta', text: 'Hi' },
      used,
      { type: 'finish', reason: 'stop', providerReason: 'completed' },
    ]);
  });

  test.each([
    ['{"error":{"code":"rate_limit_exceeded","message":"slow"}}', 'PROVIDER_RATE_LIMITED'],
    [
      '{"id":"r","status":"failed","error":{"code":"server_error","message":"oh"},"output":[]}',
      'PROVIDER_UNAVAILABLE',
    ],
    ['{"id":"r","status":"queued","output":[]}', 'PROVIDER_PROTOCOL'],
    ['{"output":"text"}', 'PROVIDER_PROTOCOL'],
    ['nonsense', 'PROVIDER_PROTOCOL'],
  ])('a whole Responses JSON answer that is a fault is raised as one: %s', async (body, code) => {
    const { fault } = await read({ headers: { 'content-type': 'application/json; charset=utf-8' }, body });
    expect(fault).toMatchObject({ code });
  });
});
