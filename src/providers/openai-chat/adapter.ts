// Owns the adapter `openai-chat`: OpenAI's chat completions and the whole family of servers that offer them.

import type { AdapterDependencies, CompletionAdapter } from '../contract/adapter.ts';
import type { UpstreamHttp, UpstreamRequest } from '../contract/http.ts';
import type { ProviderTarget } from '../contract/target.ts';
import { isLacking } from '../shared/check-answer.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { faultsIn } from '../shared/quirks.ts';
import { checkByEmptyCompletion, checkByGet } from './check.ts';
import { encodeRequest } from './encode.ts';
import { decodeModels, getOf, listModels } from './models.ts';
import { OPTION_RULES } from './option-rules.ts';
import { quirksOf, quirksSchema } from './quirks.ts';
import { streamAnswer } from './stream.ts';
import { fitRequest, unsupportedBy } from './unsupported.ts';

export function createOpenAiChatAdapter({ http, newId }: AdapterDependencies): CompletionAdapter {
  return {
    protocol: 'openai-chat',
    completions: {
      optionRules: OPTION_RULES,
      unsupported: unsupportedBy,
      stream: (request, options) =>
        streamAnswer({
          http,
          target: request.target,
          newId,
          quirks: () => quirksOf(request.target),
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

async function check(http: UpstreamHttp, target: ProviderTarget, signal: AbortSignal): Promise<void> {
  const { modelsPath, checkPath } = quirksOf(target);
  const listPath = target.hasModelList === false ? null : modelsPath;
  const path = checkPath === undefined ? listPath : checkPath;
  const ask = () => checkByEmptyCompletion(http, target, completionOf(target, '{}', signal));
  if (path === null) return ask();
  try {
    const body = await checkByGet(http, target, getOf(target, path, signal));
    if (checkPath === undefined) decodeModels(body);
  } catch (error) {
    // Many servers have no list of the models that they serve.
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
