// Owns what the Ollama tests share: lines in Ollama's own form, and the adapter over a fake upstream.
import type { ProviderRequest } from '../../../src/providers/contract/completions.ts';
import type { ProviderTarget } from '../../../src/providers/contract/target.ts';
import { createOllamaAdapter } from '../../../src/providers/ollama/adapter.ts';
import type { Answer, Reply } from '../../support/fake-upstream.ts';
import {
  collectParts,
  providerRequest,
  providerTarget,
  startProvider,
} from '../../support/provider-calls.ts';

export const NDJSON = { 'content-type': 'application/x-ndjson' };
export const JSON_TYPE = { 'content-type': 'application/json' };

export function lines(...all: unknown[]): string {
  return all.map((line) => `${JSON.stringify(line)}\n`).join('');
}

export function says(message: object): object {
  return {
    model: 'qwen3:8b',
    created_at: '2026-01-01T00:00:00.1Z',
    message: { role: 'assistant', content: '', ...message },
    done: false,
  };
}

export function done(over: object = {}): object {
  return {
    model: 'qwen3:8b',
    message: { role: 'assistant', content: '' },
    done: true,
    done_reason: 'stop',
    total_duration: 9,
    prompt_eval_count: 12,
    eval_count: 5,
    ...over,
  };
}

export const START = { type: 'response-start', servedModel: 'qwen3:8b' } as const;
export const USAGE = {
  type: 'usage',
  usage: { inputTokens: 12, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 5, reasoningTokens: 0 },
} as const;

export function ollamaTarget(baseUrl: string, over: Partial<ProviderTarget> = {}): ProviderTarget {
  return providerTarget({
    baseUrl,
    providerKey: 'ollama',
    auth: { type: 'header', header: 'authorization', prefix: 'Bearer ', optional: true },
    ...over,
  });
}

export async function callOllama(
  answer: Answer | Reply,
  over: Partial<ProviderRequest> = {},
  target: Partial<ProviderTarget> = {},
) {
  await using provider = await startProvider(answer);
  let minted = 0;
  const adapter = createOllamaAdapter({ ...provider, newId: () => `minted-${minted++}` });
  const request = providerRequest({
    model: { key: 'qwen3:8b', reasoning: true },
    ...over,
    target: ollamaTarget(provider.upstream.url, target),
  });
  const collected = await collectParts(adapter, request);
  const [received] = provider.upstream.requests;
  return { ...collected, received, unsupported: adapter.completions.unsupported(request) };
}
