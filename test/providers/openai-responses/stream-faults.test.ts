// Holds that a fault within an answer of the Responses API is raised after the content before it.
import { describe, expect, test } from 'vitest';
import { created, type Event, read, SSE, sse, start } from './responses-events.ts';

describe('faults within a stream', () => {
  const begun = sse(created, { type: 'response.output_text.delta', output_index: 0, delta: 'par' });
  const faults: [string, Event, object][] = [
    [
      'a failed response',
      {
        type: 'response.failed',
        response: { id: 'r', status: 'failed', error: { code: 'insufficient_quota', message: 'pay' } },
      },
      {
        code: 'PROVIDER_RATE_LIMITED',
        message: 'pay',
        transient: false,
        providerCode: 'insufficient_quota',
        providerRequestId: 'req_1',
      },
    ],
    [
      'an error event',
      { type: 'error', code: 'server_error', message: 'oh', param: null },
      { code: 'PROVIDER_UNAVAILABLE', message: 'oh', transient: true, phase: 'stream' },
    ],
    [
      'an error event with an object',
      {
        type: 'error',
        error: { type: 'invalid_request_error', code: 'context_length_exceeded', message: 'long' },
      },
      { code: 'CONTEXT_LENGTH_EXCEEDED', message: 'long', transient: false },
    ],
    [
      'an error without a type',
      { type: '', error: 'gone' },
      { code: 'PROVIDER_UNAVAILABLE', message: 'gone' },
    ],
    [
      'a failure without words',
      { type: 'response.failed', response: { status: 'failed' } },
      { code: 'PROVIDER_UNAVAILABLE', message: 'The provider reported a failure without a message.' },
    ],
    [
      'a policy',
      { type: 'error', code: 'content_policy_violation', message: 'no' },
      { code: 'PROVIDER_CONTENT_FILTERED' },
    ],
    [
      'an image that is none',
      { type: 'error', code: 'invalid_image', message: 'no' },
      { code: 'PROVIDER_INVALID_REQUEST' },
    ],
    [
      'a cancelled response',
      { type: 'response.cancelled', response: { status: 'cancelled' } },
      { code: 'PROVIDER_PROTOCOL' },
    ],
    [
      'arguments of no call',
      { type: 'response.function_call_arguments.delta', output_index: 4, delta: '{' },
      { code: 'PROVIDER_PROTOCOL' },
    ],
    [
      'an event of a wrong shape',
      { type: 'response.output_item.done', item: 'x' },
      { code: 'PROVIDER_PROTOCOL' },
    ],
  ];
  test.each(faults)(
    'a Responses fault within a stream such as %s is raised after the content before it',
    async (_name, event, fault) => {
      for (const cut of [undefined, 'every-byte'] as const) {
        const result = await read({ headers: SSE, body: begun + sse(event), ...(cut ? { cut } : {}) });
        expect(result.parts).toEqual([start, { type: 'text-delta', text: 'par' }]);
        expect(result.fault).toMatchObject(fault);
      }
    },
  );

  test('a page that a gateway sent instead of a Responses stream is a fault', async () => {
    const page = '<!doctype html><html><head><title>Bad gateway</title></head></html>';
    const { fault } = await read({ headers: { 'content-type': 'text/html' }, body: page });
    expect(fault).toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      message: expect.stringContaining('Bad gateway'),
    });
  });

  test('a fault within a Responses stream can be a field named error, or data that is no JSON', async () => {
    expect(
      (await read({ headers: SSE, body: `${begun}error: {"error":{"message":"crash"}}\n\n` })).fault,
    ).toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      message: 'crash',
    });
    expect((await read({ headers: SSE, body: `${begun}data: {"type"\n\n` })).fault).toMatchObject({
      code: 'PROVIDER_PROTOCOL',
    });
  });

  test('a Responses stream without a terminal event is a fault, wherever it is cut off', async () => {
    expect((await read({ headers: SSE, body: begun })).fault).toMatchObject({
      code: 'PROVIDER_PROTOCOL',
      transient: true,
    });
    expect((await read({ headers: SSE, body: '' })).fault).toMatchObject({ code: 'PROVIDER_PROTOCOL' });
    const broken = await read({ headers: SSE, body: begun, fault: { cutAfterBytes: begun.length - 4 } });
    expect(broken.fault).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', phase: 'stream' });
  });
});
