// Owns what the Gemini tests share: answers in Google's own form, and the adapter over a fake upstream.
import type { ProviderRequest, Tool } from '../../../src/providers/contract/completions.ts';
import type { ProviderTarget } from '../../../src/providers/contract/target.ts';
import { createGeminiAdapter } from '../../../src/providers/gemini/adapter.ts';
import type { Answer, Reply } from '../../support/fake-upstream.ts';
import {
  collectParts,
  providerRequest,
  providerTarget,
  startProvider,
} from '../../support/provider-calls.ts';

export const SSE = { 'content-type': 'text/event-stream' };
export const JSON_TYPE = { 'content-type': 'application/json; charset=UTF-8' };

/** Pieces as Google frames them: CRLF, no name, no end mark. */
export function events(...pieces: unknown[]): string {
  return pieces.map((piece) => `data: ${JSON.stringify(piece)}\r\n\r\n`).join('');
}

export function piece(parts: unknown[], more: object = {}, usage: object = {}): object {
  return {
    candidates: [{ content: { parts, role: 'model' }, index: 0, ...more }],
    usageMetadata: { promptTokenCount: 10, totalTokenCount: 10, ...usage },
    modelVersion: 'gemini-3-flash',
    responseId: 'resp-1',
  };
}

export const START = {
  type: 'response-start',
  servedModel: 'gemini-3-flash',
  providerRequestId: 'resp-1',
} as const;

export function usage(over: object = {}) {
  return {
    type: 'usage',
    usage: {
      inputTokens: 10,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      outputTokens: 0,
      reasoningTokens: 0,
      ...over,
    },
  } as const;
}

export function mintInOrder(): () => string {
  let next = 0;
  return () => `minted-${next++}`;
}

export function geminiTarget(baseUrl: string, over: Partial<ProviderTarget> = {}): ProviderTarget {
  return providerTarget({
    baseUrl,
    providerKey: 'google',
    auth: { type: 'header', header: 'x-goog-api-key', prefix: '', optional: false },
    ...over,
  });
}

/** What one call of the adapter gives, and what the provider was sent. */
export async function callGemini(
  answer: Answer | Reply,
  over: Partial<ProviderRequest> = {},
  target: Partial<ProviderTarget> = {},
) {
  await using provider = await startProvider(answer);
  const adapter = createGeminiAdapter({ ...provider, newId: mintInOrder() });
  const request = providerRequest({
    model: { key: 'gemini-3-flash', reasoning: true },
    ...over,
    target: geminiTarget(provider.upstream.url, target),
  });
  const collected = await collectParts(adapter, request);
  const [received] = provider.upstream.requests;
  return { ...collected, received, unsupported: adapter.completions.unsupported(request) };
}

export const DONE = { headers: SSE, body: events(piece([{ text: 'ok' }], { finishReason: 'STOP' })) };

/** What the provider was sent, and what could not be. */
export async function sent(over: Partial<ProviderRequest>, quirks = {}) {
  const { received, unsupported } = await callGemini(DONE, over, { quirks });
  return { body: received?.json() as Record<string, unknown>, path: received?.path, unsupported, received };
}

export const weather: Tool = {
  name: 'weather',
  description: 'Weather of a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, additionalProperties: false },
};
export const dice: Tool = { name: 'dice', parameters: { type: 'object', properties: {} } };
