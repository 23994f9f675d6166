// Owns the calls of a Messages API: addresses, headers, and the one way in which its answers are read.

import { ProviderError } from '../../kernel/errors.ts';
import type { AdapterDependencies, CompletionAdapter } from '../contract/adapter.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import type { CallOptions, ProviderTarget } from '../contract/target.ts';
import { isLacking, isPage, requireJson } from '../shared/check-answer.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { faultsIn } from '../shared/quirks.ts';
import { withBetas } from './betas.ts';
import { type EncodedRequest, encodeRequest } from './encode.ts';
import { faultOfAnswer } from './errors.ts';
import { listModels } from './models.ts';
import { OPTION_RULES } from './option-rules.ts';
import { quirksOf, quirksSchema } from './quirks.ts';
import { streamAnswer } from './stream.ts';
import { unsupportedBy } from './unsupported.ts';

const API_VERSION = '2023-06-01';

export function createAnthropicMessagesAdapter({ http }: AdapterDependencies): CompletionAdapter {
  async function send(
    target: ProviderTarget,
    path: string,
    { signal }: CallOptions,
    content?: { readonly body: string; readonly betas: readonly string[] },
  ): Promise<UpstreamResponse> {
    const response = await http.send({
      method: content ? 'POST' : 'GET',
      url: `${apiRoot(target)}${path}`,
      headers: headersFor(target, content?.betas),
      ...(content ? { body: content.body } : {}),
      signal,
      ...connectionOf(target),
    });
    if (response.status === 200) return response;
    throw await faultOfAnswer(response, target.secret);
  }

  async function fetchModels(target: ProviderTarget, query: string, options: CallOptions): Promise<string> {
    const response = await send(target, `/models${query}`, options);
    return response.text();
  }

  return {
    protocol: 'anthropic-messages',
    completions: {
      optionRules: OPTION_RULES,
      unsupported: unsupportedBy,
      async *stream(request, options) {
        const post = ({ body, betas }: EncodedRequest) =>
          send(request.target, '/messages', options, { body: JSON.stringify(body), betas });
        yield* streamAnswer(post, encodeRequest(request), request, options);
      },
    },
    models: {
      async list(target, options) {
        if (!quirksOf(target).listsModels) {
          throw new ProviderError('CAPABILITY_MISSING', 'This provider does not list its models.');
        }
        return listModels((query) => fetchModels(target, query, options));
      },
    },
    health: { check },
    faultsOfQuirks: faultsIn(quirksSchema),
  };

  async function check(target: ProviderTarget, options: CallOptions): Promise<void> {
    if (!quirksOf(target).listsModels || target.hasModelList === false) {
      return checkWithoutList(target, options);
    }
    try {
      requireJson(await fetchModels(target, '?limit=1', options), `${apiRoot(target)}/models`);
    } catch (error) {
      // Compatible servers may have no list of the models that they serve.
      if (!isLacking(error)) throw error;
      await checkWithoutList(target, options);
    }
  }

  /** Only a caller with a good credential is told that an empty request is invalid. */
  async function checkWithoutList(target: ProviderTarget, options: CallOptions): Promise<void> {
    try {
      const response = await send(target, '/messages', options, { body: '{}', betas: [] });
      const text = await response.text();
      if (isPage(response)) requireJson(text, `${apiRoot(target)}/messages`);
    } catch (error) {
      if (!isRefusedAsInvalid(error)) throw error;
    }
  }
}

/** Base URLs of compatible servers end in the version or not. */
function apiRoot({ baseUrl }: ProviderTarget): string {
  return baseUrl.endsWith('/v1') ? baseUrl : `${baseUrl}/v1`;
}

/** `betas` of a completion; absent for calls without a body. */
function headersFor(target: ProviderTarget, betas?: readonly string[]): Record<string, string> {
  const headers = {
    'anthropic-version': API_VERSION,
    ...(betas
      ? { accept: 'text/event-stream, application/json', 'content-type': 'application/json' }
      : { accept: 'application/json' }),
    ...authHeaders(target),
  };
  return withBetas(headers, betas ?? quirksOf(target).betas);
}

function isRefusedAsInvalid(error: unknown): boolean {
  return error instanceof ProviderError && (error.status === 400 || error.status === 422);
}
