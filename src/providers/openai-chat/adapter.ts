// Owns the adapter `openai-chat`: OpenAI's chat completions and the whole family of servers that speak them.

import { ProviderError } from '../../kernel/errors.ts';
import { type NewId, newId } from '../../kernel/ids.ts';
import type { Adapter, CallOptions, ProviderTarget, UpstreamHttp, UpstreamRequest } from '../contract.ts';
import { authHeaders, connectionOf } from '../credentials.ts';
import { encodeRequest } from './encode.ts';
import { fitRequest } from './features.ts';
import { decodeModels } from './models.ts';
import { quirksOf } from './quirks.ts';
import { expectSuccess, streamChat } from './stream.ts';

export interface OpenAiChatOptions {
  readonly http: UpstreamHttp;
  /** Makes the ids of tool calls that come without one. */
  readonly newId?: NewId;
}

export function createOpenAiChatAdapter({ http, newId: mint = newId }: OpenAiChatOptions): Adapter {
  return {
    protocol: 'openai-chat',

    stream: (request, { signal }) =>
      streamChat({
        http,
        target: request.target,
        newId: mint,
        quirks: () => quirksOf(request.target.quirks),
        prepare: (quirks) => {
          const body = encodeRequest(fitRequest(request, quirks).request, quirks);
          return completionOf(request.target, body, signal);
        },
      }),

    unsupported: (request) => fitRequest(request, quirksOf(request.target.quirks)).unsupported,

    async listModels(target, options) {
      const { modelsPath } = quirksOf(target.quirks);
      if (modelsPath === null) {
        throw new ProviderError(
          'CAPABILITY_MISSING',
          `The provider ${target.providerKey} has no list of its models.`,
        );
      }
      return decodeModels(await getText(http, target, modelsPath, options));
    },

    async check(target, options) {
      const { modelsPath, checkPath = modelsPath } = quirksOf(target.quirks);
      if (checkPath === null) await checkByEmptyCompletion(http, target, options);
      else await getText(http, target, checkPath, options);
    },
  };
}

function completionOf(target: ProviderTarget, body: string, signal: AbortSignal): UpstreamRequest {
  return {
    method: 'POST',
    url: `${target.baseUrl}/chat/completions`,
    headers: { accept: 'text/event-stream', 'content-type': 'application/json', ...authHeaders(target) },
    body,
    signal,
    ...connectionOf(target),
  };
}

async function getText(
  http: UpstreamHttp,
  target: ProviderTarget,
  path: string,
  { signal }: CallOptions,
): Promise<string> {
  const response = await http.send({
    method: 'GET',
    url: `${target.baseUrl}${path}`,
    headers: { accept: 'application/json', ...authHeaders(target) },
    signal,
    ...connectionOf(target),
  });
  try {
    await expectSuccess(response, target);
  } catch (error) {
    throw wrongAddress(error, target, path);
  }
  return response.text();
}

/** Without a model in play, "not found" speaks of the address. */
function wrongAddress(error: unknown, target: ProviderTarget, path: string): unknown {
  if (!(error instanceof ProviderError) || error.status !== 404) return error;
  return new ProviderError(
    'PROVIDER_UNAVAILABLE',
    `There is nothing at ${path} under the base URL of ${target.providerKey}: ${error.message}`,
    { cause: error, status: 404, phase: 'headers' },
  );
}

/** A good credential gets as far as the validation of the body, which names no model and no message. */
async function checkByEmptyCompletion(
  http: UpstreamHttp,
  target: ProviderTarget,
  { signal }: CallOptions,
): Promise<void> {
  const response = await http.send(completionOf(target, '{}', signal));
  if (response.status === 400 || response.status === 404 || response.status === 422) {
    const fault = await expectSuccess(response, target).catch((error: unknown) => error);
    if (fault instanceof ProviderError && fault.code === 'PROVIDER_AUTHENTICATION') throw fault;
    if (response.status === 404) throw wrongAddress(fault, target, '/chat/completions');
    return;
  }
  await expectSuccess(response, target);
  await response.text(64 * 1024);
}
