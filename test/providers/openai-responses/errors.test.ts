// Holds how error answers of the Responses API are translated, and that leaving stops the request.
import { describe, expect, test } from 'vitest';
import type { StreamPart } from '../../../src/providers/contract/completions.ts';
import { createOpenAiResponsesAdapter } from '../../../src/providers/openai-responses/adapter.ts';
import {
  collectParts,
  providerRequest,
  providerTarget,
  startProvider,
} from '../../support/provider-calls.ts';

describe('Responses error answers', () => {
  const error = (fields: object) =>
    JSON.stringify({ error: { type: 'invalid_request_error', param: null, code: null, ...fields } });
  test.each([
    [
      400,
      error({ message: 'no such model', code: 'model_not_found', param: 'model' }),
      { code: 'MODEL_UNAVAILABLE', status: 400, providerCode: 'model_not_found' },
    ],
    [
      400,
      error({ message: 'too long', code: 'context_length_exceeded' }),
      { code: 'CONTEXT_LENGTH_EXCEEDED', message: 'too long' },
    ],
    [
      400,
      error({ message: 'bad', code: 'unsupported_value' }),
      { code: 'PROVIDER_INVALID_REQUEST', transient: false },
    ],
    [401, error({ message: 'bad key', code: 'invalid_api_key' }), { code: 'PROVIDER_AUTHENTICATION' }],
    [
      429,
      error({ message: 'slow', type: 'tokens', code: 'rate_limit_exceeded' }),
      { code: 'PROVIDER_RATE_LIMITED', transient: true, retryAfterMs: 2000, providerRequestId: 'req_9' },
    ],
    [
      429,
      error({ message: 'pay', type: 'insufficient_quota', code: 'insufficient_quota' }),
      { code: 'PROVIDER_RATE_LIMITED', transient: false },
    ],
    [404, error({ message: 'gone' }), { code: 'MODEL_UNAVAILABLE', providerCode: 'invalid_request_error' }],
    [
      503,
      '<html><title>Busy</title></html>',
      { code: 'PROVIDER_UNAVAILABLE', message: 'Busy', transient: true },
    ],
  ])('a Responses error answer of status %i is translated once: %s', async (status, body, expected) => {
    const headers = { 'retry-after': '2', 'x-request-id': 'req_9' };
    await using provider = await startProvider({ status, body, headers });
    const target = providerTarget({ baseUrl: provider.upstream.url });
    const { fault, parts } = await collectParts(
      createOpenAiResponsesAdapter(provider),
      providerRequest({ target }),
    );
    expect(parts).toEqual([]);
    expect(fault).toMatchObject({ phase: 'headers', ...expected });
  });
});

const endless = {
  headers: { 'content-type': 'text/event-stream' },
  body: 'data: {"type":"response.output_text.delta","output_index":0,"delta":"a"}\n\n',
  fault: { stallAfterBytes: 10_000 },
};

test('aborting the signal of a Responses stream stops the upstream request, and so does leaving the loop', async () => {
  await using provider = await startProvider(endless);
  const adapter = createOpenAiResponsesAdapter(provider);
  const request = providerRequest({ target: providerTarget({ baseUrl: provider.upstream.url }) });
  const controller = new AbortController();
  const reason = new Error('enough');
  const seen: StreamPart[] = [];
  const run = async () => {
    for await (const read of adapter.completions.stream(request, { signal: controller.signal })) {
      seen.push(...read);
      controller.abort(reason);
    }
  };
  await expect(run()).rejects.toBe(reason);
  expect(seen).toEqual([{ type: 'text-delta', text: 'a' }]);
  await provider.upstream.requests.at(0)?.aborted;
  for await (const _read of adapter.completions.stream(request, { signal: new AbortController().signal }))
    break;
  await provider.upstream.requests[1]?.aborted;
});
