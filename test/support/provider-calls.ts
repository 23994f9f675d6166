// Owns what the adapter tests share: a request with default values, and the reading of a stream to its end.

import { systemClock } from '../../src/kernel/clock.ts';
import { ProviderError } from '../../src/kernel/errors.ts';
import { newId } from '../../src/kernel/ids.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { Secret } from '../../src/kernel/secret.ts';
import type { TokenCache } from '../../src/kernel/token-cache.ts';
import type { AdapterDependencies, CompletionAdapter } from '../../src/providers/contract/adapter.ts';
import type { Message, ProviderRequest, StreamPart } from '../../src/providers/contract/completions.ts';
import type { UpstreamHttp } from '../../src/providers/contract/http.ts';
import type { ProviderTarget } from '../../src/providers/contract/target.ts';
import { createUpstreamHttp } from '../../src/providers/http/upstream-http.ts';
import { type Answer, type Reply, startFakeUpstream } from './fake-upstream.ts';

export function providerTarget(over: Partial<ProviderTarget> = {}): ProviderTarget {
  return {
    configId: 'config-1',
    providerKey: 'fake',
    baseUrl: 'http://127.0.0.1:1',
    auth: { type: 'header', header: 'authorization', prefix: 'Bearer ', optional: false },
    secret: new Secret('sk-test'),
    headers: {},
    settings: {},
    quirks: {},
    connectTimeoutMs: 2000,
    ...over,
  };
}

export function providerRequest(over: Partial<ProviderRequest> = {}): ProviderRequest {
  return {
    target: providerTarget(),
    model: { key: 'model-1', reasoning: false },
    messages: [userMessage('Hello')],
    parameters: {},
    tools: [],
    providerOptions: {},
    ...over,
  };
}

export function userMessage(text: string): Message {
  return { role: 'user', parts: [{ type: 'text', text }], toolCalls: [] };
}

export function systemMessage(text: string): Message {
  return { role: 'system', parts: [{ type: 'text', text }], toolCalls: [] };
}

export function toolMessage(toolCallId: string, text: string): Message {
  return { role: 'tool', parts: [{ type: 'text', text }], toolCalls: [], toolCallId };
}

export interface Collected {
  readonly reads: StreamPart[][];
  readonly parts: StreamPart[];
  /** The error that ended the stream, if it did not end with `finish`. */
  readonly fault?: ProviderError;
}

/** Reads a stream to its end; a fault that is no ProviderError is raised. */
export async function collectParts(
  adapter: CompletionAdapter,
  request: ProviderRequest,
  signal = new AbortController().signal,
): Promise<Collected> {
  const reads: StreamPart[][] = [];
  try {
    for await (const read of adapter.completions.stream(request, { signal })) reads.push(read);
  } catch (fault) {
    if (!(fault instanceof ProviderError)) throw fault;
    return { reads, parts: reads.flat(), fault };
  }
  return { reads, parts: reads.flat() };
}

/** Dependencies of an adapter whose test needs the HTTP client only. Each token is fetched again. */
export function dependenciesOn(http: UpstreamHttp): AdapterDependencies {
  const tokens: TokenCache = { get: async (_key, { fetch, signal }) => (await fetch(signal)).token };
  return { http, tokens, clock: systemClock, newId };
}

/** An HTTP client that reaches nothing. */
export const NO_WAY_OUT: UpstreamHttp = { send: () => Promise.reject(), close: async () => {} };

/** Starts a fake provider and an HTTP client, with the other dependencies of an adapter; both are closed when the test leaves the block. */
export async function startProvider(answer: Answer | Reply) {
  const upstream = await startFakeUpstream(typeof answer === 'function' ? answer : () => answer);
  const http = createUpstreamHttp({ logger: silentLogger });
  return {
    upstream,
    ...dependenciesOn(http),
    async [Symbol.asyncDispose]() {
      await http.close();
      await upstream.close();
    },
  };
}

/** The assistant message that a finished stream makes up, as the gateway stores it. */
export function assistantMessageOf(parts: readonly StreamPart[]): Message {
  const calls = new Map<number, { callId: string; name: string; argumentsText: string }>();
  let text = '';
  for (const part of parts) {
    if (part.type === 'text-delta') text += part.text;
    if (part.type !== 'tool-call-delta') continue;
    const call = calls.get(part.index) ?? {
      callId: part.callId ?? '',
      name: part.name ?? '',
      argumentsText: '',
    };
    call.argumentsText += part.argumentsText;
    calls.set(part.index, call);
  }
  const finish = parts.at(-1);
  return {
    role: 'assistant',
    parts: text === '' ? [] : [{ type: 'text', text }],
    toolCalls: [...calls.values()],
    ...(finish?.type === 'finish' && finish.continuation !== undefined
      ? { continuation: finish.continuation }
      : {}),
  };
}
