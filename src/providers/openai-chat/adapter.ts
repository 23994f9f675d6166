// Owns the adapter `openai-chat`: OpenAI's chat completions and the whole family of servers that speak them.

import { ProviderError } from '../../kernel/errors.ts';
import { type NewId, newId } from '../../kernel/ids.ts';
import type { CompletionAdapter } from '../contract/adapter.ts';
import type { UpstreamHttp, UpstreamRequest } from '../contract/http.ts';
import type { ListedModel } from '../contract/models.ts';
import type { ProviderTarget } from '../contract/target.ts';
import { isLacking } from '../shared/check-answer.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { faultsIn } from '../shared/quirks.ts';
import { checkByEmptyCompletion, checkByGet } from './check.ts';
import { encodeRequest } from './encode.ts';
import { fitRequest } from './features.ts';
import { decodeModels } from './models.ts';
import { CHAT_OPTION_RULES } from './option-rules.ts';
import { quirksOf, quirksSchema } from './quirks.ts';
import { streamChat } from './stream.ts';

export interface OpenAiChatOptions {
  readonly http: UpstreamHttp;
  /** Makes the ids of tool calls that come without one. */
  readonly newId?: NewId;
}

export function createOpenAiChatAdapter({ http, newId: mint = newId }: OpenAiChatOptions): CompletionAdapter {
  return {
    protocol: 'openai-chat',
    completions: {
      optionRules: CHAT_OPTION_RULES,
      unsupported: (request) => fitRequest(request, quirksOf(request.target.quirks)).unsupported,
      stream: (request, options) =>
        streamChat({
          http,
          target: request.target,
          newId: mint,
          quirks: () => quirksOf(request.target.quirks),
          prepare: (quirks, streamed) => {
            const body = encodeRequest(fitRequest(request, quirks).request, quirks, streamed);
            return completionOf(request.target, body, options.signal);
          },
          options,
        }),
    },
    models: { list: (target, { signal }) => listModels(http, target, signal) },
    health: { check: (target, { signal }) => check(http, target, signal) },
    faultsOfQuirks: faultsIn(quirksSchema),
  };
}

async function listModels(
  http: UpstreamHttp,
  target: ProviderTarget,
  signal: AbortSignal,
): Promise<ListedModel[]> {
  const { modelsPath } = quirksOf(target.quirks);
  if (modelsPath === null) {
    throw new ProviderError(
      'CAPABILITY_MISSING',
      `The provider ${target.providerKey} has no list of its models.`,
    );
  }
  return decodeModels(await checkByGet(http, target, getOf(target, modelsPath, signal)));
}

async function check(http: UpstreamHttp, target: ProviderTarget, signal: AbortSignal): Promise<void> {
  const { modelsPath, checkPath } = quirksOf(target.quirks);
  const listPath = target.hasModelList === false ? null : modelsPath;
  const path = checkPath === undefined ? listPath : checkPath;
  const ask = () => checkByEmptyCompletion(http, target, completionOf(target, '{}', signal));
  if (path === null) return ask();
  try {
    const body = await checkByGet(http, target, getOf(target, path, signal));
    if (checkPath === undefined) decodeModels(body);
  } catch (error) {
    // Many servers serve their models without listing them.
    if (checkPath !== undefined || !isLacking(error)) throw error;
    await ask();
  }
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

function getOf(target: ProviderTarget, path: string, signal: AbortSignal): UpstreamRequest {
  return {
    method: 'GET',
    url: `${target.baseUrl}${path}`,
    headers: { accept: 'application/json', ...authHeaders(target) },
    signal,
    ...connectionOf(target),
  };
}
