// Owns what the tests of the Responses adapter share: a whole answer, and the body that a request becomes.
import type { ProviderRequest } from '../../../src/providers/contract/completions.ts';
import { createOpenAiResponsesAdapter } from '../../../src/providers/openai-responses/adapter.ts';
import {
  collectParts,
  providerRequest,
  providerTarget,
  startProvider,
} from '../../support/provider-calls.ts';

export const response = (output: unknown[]) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ id: 'resp_1', model: 'm', status: 'completed', output, usage: null }),
});

/** The body that a request becomes. */
export async function bodyOf(over: Partial<ProviderRequest>, quirks = {}): Promise<Record<string, unknown>> {
  await using provider = await startProvider(response([]));
  const target = providerTarget({ baseUrl: provider.upstream.url, quirks });
  await collectParts(createOpenAiResponsesAdapter(provider), providerRequest({ ...over, target }));
  return provider.upstream.requests[0]?.json() as Record<string, unknown>;
}

export const reasoningModel = { key: 'gpt-5', reasoning: true };
