// Owns what the tests of the chat protocol share: chunks as the wire has them, and the same answer whole and cut at every byte.
import { expect } from 'vitest';
import type { ProviderError } from '../../../src/kernel/errors.ts';
import type { JsonObject } from '../../../src/kernel/json.ts';
import type { CompletionAdapter } from '../../../src/providers/contract/adapter.ts';
import type { ProviderRequest } from '../../../src/providers/contract/completions.ts';
import type { UpstreamHttp } from '../../../src/providers/contract/http.ts';
import { createOpenAiChatAdapter } from '../../../src/providers/openai-chat/adapter.ts';
import type { Reply } from '../../support/fake-upstream.ts';
import {
  type Collected,
  collectParts,
  providerRequest,
  providerTarget,
  startProvider,
} from '../../support/provider-calls.ts';

/** The text of a stream of these data objects, with `[DONE]` at its end. */
export function sse(...chunks: (JsonObject | string)[]): string {
  return [...chunks, '[DONE]'].map(eventOf).join('');
}

/** As `sse`, but ending without a word. */
export function sseWithoutDone(...chunks: (JsonObject | string)[]): string {
  return chunks.map(eventOf).join('');
}

function eventOf(chunk: JsonObject | string): string {
  return `data: ${typeof chunk === 'string' ? chunk : JSON.stringify(chunk)}\n\n`;
}

export function chunkOf(
  delta: JsonObject,
  finishReason: string | null = null,
  more: JsonObject = {},
): JsonObject {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    model: 'gpt-9-2026',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
    ...more,
  };
}

export function usageChunk(usage: JsonObject): JsonObject {
  return { id: 'chatcmpl-1', model: 'gpt-9-2026', choices: [], usage };
}

export const START = {
  type: 'response-start',
  servedModel: 'gpt-9-2026',
  providerRequestId: 'chatcmpl-1',
} as const;

export function usagePart(inputTokens: number, outputTokens: number, more: Record<string, number> = {}) {
  return {
    type: 'usage',
    usage: {
      inputTokens,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      outputTokens,
      reasoningTokens: 0,
      ...more,
    },
  };
}

export interface ChatTrial {
  readonly quirks?: JsonObject;
  readonly request?: Partial<ProviderRequest>;
  adapter?(http: UpstreamHttp): CompletionAdapter;
}

/** Reads a reply whole and cut at every byte; both give the same parts and the same fault. */
export async function readReply(reply: Reply, trial: ChatTrial = {}): Promise<Collected> {
  await using side = await startProvider((_request, index) =>
    index === 0 ? reply : { ...reply, cut: 'every-byte' },
  );
  const target = providerTarget({ baseUrl: side.upstream.url, quirks: trial.quirks ?? {} });
  const read = () => {
    let minted = 0;
    const adapter = createOpenAiChatAdapter({ ...side, newId: () => `minted-${++minted}` });
    return collectParts(trial.adapter?.(side.http) ?? adapter, providerRequest({ target, ...trial.request }));
  };
  const whole = await read();
  const cut = await read();
  expect(cut.parts).toEqual(whole.parts);
  expect(told(cut.fault)).toEqual(told(whole.fault));
  return whole;
}

/** A fault without its cause, which knows the port of its connection. */
function told(fault: ProviderError | undefined) {
  return fault && { ...fault, message: fault.message, cause: undefined };
}

/** The body that the adapter posts for a request. */
export async function postedBody(
  over: Partial<ProviderRequest>,
  quirks: JsonObject = {},
): Promise<JsonObject> {
  await using side = await startProvider({ body: sse(chunkOf({}, 'stop')) });
  const target = providerTarget({ baseUrl: side.upstream.url, quirks });
  await collectParts(createOpenAiChatAdapter(side), providerRequest({ target, ...over }));
  return side.upstream.requests[0]?.json() as JsonObject;
}
