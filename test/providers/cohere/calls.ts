// Owns what the Cohere tests share: events in Cohere's own form, and the adapter over a fake upstream.
import { createCohereAdapter } from '../../../src/providers/cohere/adapter.ts';
import type { ProviderRequest } from '../../../src/providers/contract/completions.ts';
import type { Answer, Reply } from '../../support/fake-upstream.ts';
import {
  collectParts,
  providerRequest,
  providerTarget,
  startProvider,
} from '../../support/provider-calls.ts';

export const SSE = { 'content-type': 'text/event-stream' };
export const JSON_TYPE = { 'content-type': 'application/json' };

export function events(...all: ({ type: string } & Record<string, unknown>)[]): string {
  return `${all.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`;
}

export const start = {
  type: 'message-start',
  id: 'msg-1',
  delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] } },
};

export function content(type: 'content-start' | 'content-delta', index: number, piece: object) {
  return { type, index, delta: { message: { content: piece } } };
}

export function plan(text: string) {
  return { type: 'tool-plan-delta', delta: { message: { tool_plan: text } } };
}

/** In the stream, `tool_calls` is one object. */
export function toolCall(type: 'tool-call-start' | 'tool-call-delta', index: number, call: object) {
  return { type, index, delta: { message: { tool_calls: call } } };
}

export function end(finish_reason: string | undefined, more: object = {}) {
  return {
    type: 'message-end',
    delta: {
      finish_reason,
      usage: {
        billed_units: { input_tokens: 5, output_tokens: 20 },
        tokens: { input_tokens: 500, output_tokens: 40, reasoning_tokens: 8 },
        cached_tokens: 448,
      },
      ...more,
    },
  };
}

export const START = { type: 'response-start', providerRequestId: 'msg-1' } as const;
export const USAGE = {
  type: 'usage',
  usage: { inputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 12, reasoningTokens: 8 },
} as const;

export async function callCohere(
  answer: Answer | Reply,
  over: Partial<ProviderRequest> = {},
  basePath = '/v2',
) {
  await using provider = await startProvider(answer);
  let minted = 0;
  const adapter = createCohereAdapter({ ...provider, newId: () => `minted-${minted++}` });
  const request = providerRequest({
    ...over,
    target: providerTarget({ baseUrl: `${provider.upstream.url}${basePath}`, providerKey: 'cohere' }),
  });
  const collected = await collectParts(adapter, request);
  const [received] = provider.upstream.requests;
  return { ...collected, received, unsupported: adapter.completions.unsupported(request) };
}
