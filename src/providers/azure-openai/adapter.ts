// Owns the adapter `azure-openai`: the chat protocol at Azure's addresses, with Azure's credentials. A deployment's name is its model.

import type { AdapterDependencies, CompletionAdapter } from '../contract/adapter.ts';
import type { ProviderRequest } from '../contract/completions.ts';
import type { UpstreamHttp, UpstreamRequest } from '../contract/http.ts';
import type { ProviderTarget } from '../contract/target.ts';
import { checkByEmptyCompletion, checkByGet } from '../openai-chat/check.ts';
import { encodeRequest } from '../openai-chat/encode.ts';
import { OPTION_RULES } from '../openai-chat/option-rules.ts';
import { type ChatQuirks, quirksOf, quirksSchema } from '../openai-chat/quirks.ts';
import { streamAnswer } from '../openai-chat/stream.ts';
import { fitRequest, unsupportedBy } from '../openai-chat/unsupported.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { faultsIn } from '../shared/quirks.ts';
import { type AzureEndpoint, catalogueUrl, completionsUrl, endpointOf } from './settings.ts';

/** Older dated versions refuse the unknown field. */
const FIRST_VERSION_WITH_STREAM_OPTIONS = '2024-09-01';

/** Has no `models`: deployments are listed by Azure's management plane only. */
export function createAzureOpenAiAdapter({ http, newId }: AdapterDependencies): CompletionAdapter {
  return {
    protocol: 'azure-openai',
    completions: {
      optionRules: OPTION_RULES,
      unsupported: unsupportedBy,
      stream: (request, options) =>
        streamAnswer({
          http,
          target: request.target,
          newId,
          quirks: () => quirksOf(request.target),
          prepare: (quirks, streamed) => completionOf(request, quirks, streamed, options.signal),
          options,
        }),
    },
    health: { check: (target, { signal }) => check(http, target, signal) },
    faultsOfQuirks: faultsIn(quirksSchema),
  };
}

async function check(http: UpstreamHttp, target: ProviderTarget, signal: AbortSignal): Promise<void> {
  const endpoint = endpointOf(target);
  if (endpoint.surface === 'models') {
    await checkByEmptyCompletion(http, target, post(target, endpoint, '', '{}', signal));
  } else {
    await checkByGet(http, target, {
      method: 'GET',
      url: catalogueUrl(endpoint),
      headers: { accept: 'application/json', ...azureHeaders(target, endpoint) },
      signal,
      ...connectionOf(target),
    });
  }
}

function completionOf(
  request: ProviderRequest,
  quirks: ChatQuirks,
  streamed: boolean,
  signal: AbortSignal,
): UpstreamRequest {
  const { target, model } = request;
  const endpoint = endpointOf(target);
  const fitted = fitRequest(request, quirks).request;
  const body = encodeRequest(fitted, quirksAt(endpoint, request, quirks), streamed);
  return post(target, endpoint, model.key, body, signal);
}

/** The surface and its version decide the quirks that the row leaves open. */
function quirksAt(
  { surface, apiVersion = '' }: AzureEndpoint,
  { target, model }: ProviderRequest,
  quirks: ChatQuirks,
): ChatQuirks {
  const tooOld = surface === 'deployments' && apiVersion < FIRST_VERSION_WITH_STREAM_OPTIONS;
  const newName = surface === 'v1' || model.reasoning;
  return {
    ...quirks,
    streamOptions: quirks.streamOptions && !tooOld,
    maxTokensName:
      target.quirks.maxTokensName === undefined && newName ? 'max_completion_tokens' : quirks.maxTokensName,
  };
}

function post(
  target: ProviderTarget,
  endpoint: AzureEndpoint,
  deployment: string,
  body: string,
  signal: AbortSignal,
): UpstreamRequest {
  return {
    method: 'POST',
    url: completionsUrl(endpoint, deployment),
    headers: {
      accept: 'text/event-stream',
      'content-type': 'application/json',
      ...azureHeaders(target, endpoint),
    },
    body,
    signal,
    ...connectionOf(target),
  };
}

function azureHeaders(target: ProviderTarget, { bearer }: AzureEndpoint): Record<string, string> {
  if (!bearer) return authHeaders(target);
  const auth = { type: 'header', header: 'authorization', prefix: 'Bearer ', optional: false } as const;
  return authHeaders({ ...target, auth });
}
