// Owns the adapter `openai-chat`: OpenAI's chat completions and the whole family of servers that speak them.

import { ProviderError } from '../../kernel/errors.ts';
import { type NewId, newId } from '../../kernel/ids.ts';
import type { Adapter, ProviderTarget, UpstreamHttp, UpstreamRequest } from '../contract/adapter.ts';
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

export function createOpenAiChatAdapter({ http, newId: mint = newId }: OpenAiChatOptions): Adapter {
  return {
    protocol: 'openai-chat',
    optionRules: CHAT_OPTION_RULES,

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

    faultsOfQuirks: faultsIn(quirksSchema),
    unsupported: (request) => fitRequest(request, quirksOf(request.target.quirks)).unsupported,

    async listModels(target, options) {
      const { modelsPath } = quirksOf(target.quirks);
      if (modelsPath === null) {
        throw new ProviderError(
          'CAPABILITY_MISSING',
          `The provider ${target.providerKey} has no list of its models.`,
        );
      }
      return decodeModels(await checkByGet(http, target, getOf(target, modelsPath, options.signal)));
    },

    async check(target, { signal }) {
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

function getOf(target: ProviderTarget, path: string, signal: AbortSignal): UpstreamRequest {
  return {
    method: 'GET',
    url: `${target.baseUrl}${path}`,
    headers: { accept: 'application/json', ...authHeaders(target) },
    signal,
    ...connectionOf(target),
  };
}
