// Owns short hand-made events of the Responses API, and the reading of them, whole and cut at every byte.
import { expect } from 'vitest';
import type { StreamPart } from '../../../src/providers/contract/completions.ts';
import { createOpenAiResponsesAdapter } from '../../../src/providers/openai-responses/adapter.ts';
import type { Reply } from '../../support/fake-upstream.ts';
import {
  collectParts,
  providerRequest,
  providerTarget,
  startProvider,
} from '../../support/provider-calls.ts';

export const SSE = { 'content-type': 'text/event-stream; charset=utf-8', 'x-request-id': 'req_1' };

export type Event = { readonly type: string } & Record<string, unknown>;

export const sse = (...events: Event[]) =>
  events
    .map(
      (event, index) =>
        `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: index })}\n\n`,
    )
    .join('');

export const created: Event = {
  type: 'response.created',
  response: { id: 'resp_1', model: 'm-2026', status: 'in_progress', output: [] },
};
export const usage = {
  input_tokens: 30,
  input_tokens_details: { cached_tokens: 20 },
  output_tokens: 12,
  output_tokens_details: { reasoning_tokens: 5 },
  total_tokens: 42,
};
export const completed = (output: unknown[] = []): Event => ({
  type: 'response.completed',
  response: {
    id: 'resp_1',
    model: 'm-2026',
    status: 'completed',
    error: null,
    incomplete_details: null,
    output,
    usage,
  },
});
export const message = (text: string, extra = {}) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
  ...extra,
});
export const call = (id: string, argumentsText: string) => ({
  id: `fc_${id}`,
  type: 'function_call',
  status: 'completed',
  call_id: `call_${id}`,
  name: `tool_${id}`,
  arguments: argumentsText,
});

export const start: StreamPart = {
  type: 'response-start',
  servedModel: 'm-2026',
  providerRequestId: 'req_1',
};
export const used: StreamPart = {
  type: 'usage',
  usage: { inputTokens: 10, cacheReadTokens: 20, cacheWriteTokens: 0, outputTokens: 7, reasoningTokens: 5 },
};

export async function read(reply: Reply) {
  await using provider = await startProvider(reply);
  const target = providerTarget({ baseUrl: provider.upstream.url });
  return await collectParts(createOpenAiResponsesAdapter(provider), providerRequest({ target }));
}

/** The parts, which are the same however the bytes are cut. */
export async function partsOf(body: string): Promise<StreamPart[]> {
  const whole = await read({ headers: SSE, body });
  expect(whole.fault).toBeUndefined();
  const cut = await read({ headers: SSE, body, cut: 'every-byte' });
  expect(cut.parts).toEqual(whole.parts);
  return whole.parts;
}
