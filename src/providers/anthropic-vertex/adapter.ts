// Owns Claude on Vertex: the Messages protocol at Google's addresses and with Google's credentials.

import type { ProviderError } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { withBetas } from '../anthropic-messages/betas.ts';
import type { EncodedRequest } from '../anthropic-messages/encode.ts';
import { OPTION_RULES } from '../anthropic-messages/option-rules.ts';
import { quirksOf, quirksSchema } from '../anthropic-messages/quirks.ts';
import { streamAnswer } from '../anthropic-messages/stream.ts';
import type { AdapterDependencies, CompletionAdapter } from '../contract/adapter.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import type { CallOptions, ProviderTarget } from '../contract/target.ts';
import { connectionOf } from '../shared/credentials.ts';
import { faultsIn } from '../shared/quirks.ts';
import { vertexModelUrl } from '../vertex/address.ts';
import { createVertexSignIn } from '../vertex/sign-in.ts';
import { encodeRequest, VERSION } from './encode.ts';
import { faultOfAnswer } from './errors.ts';
import { unsupportedBy } from './unsupported.ts';

interface Call {
  readonly modelKey: string;
  readonly method: 'rawPredict' | 'streamRawPredict';
  readonly body: JsonObject;
  readonly betas: readonly string[];
}

/** The model that the check names; it need not exist. */
const CHECK_MODEL = 'claude-sonnet-4-5';

/** Has no `models`: Vertex lists the models of its catalogue, not those that a project may call. */
export function createAnthropicVertexAdapter({
  http,
  tokens,
  clock,
}: AdapterDependencies): CompletionAdapter {
  const signIn = createVertexSignIn({ http, tokens, clock });

  async function call(
    target: ProviderTarget,
    { modelKey, method, body, betas }: Call,
    callOptions: CallOptions,
  ): Promise<UpstreamResponse> {
    const url = vertexModelUrl(target, { apiVersion: 'v1', publisher: 'anthropic', modelKey, method });
    const response = await signIn(target, callOptions, (headers) =>
      http.send({
        method: 'POST',
        url,
        headers: withBetas({ 'content-type': 'application/json', ...headers }, betas),
        body: JSON.stringify(body),
        signal: callOptions.signal,
        ...connectionOf(target),
      }),
    );
    if (response.status !== 200) throw await faultOfAnswer(response, target.secret);
    return response;
  }

  return {
    protocol: 'anthropic-vertex',
    completions: {
      optionRules: OPTION_RULES,
      unsupported: unsupportedBy,
      async *stream(request, callOptions) {
        const { target, model } = request;
        const post = ({ body, betas }: EncodedRequest) =>
          call(target, { modelKey: model.key, method: 'streamRawPredict', body, betas }, callOptions);
        yield* streamAnswer(post, encodeRequest(request), request, callOptions);
      },
    },
    health: { check },
    faultsOfQuirks: faultsIn(quirksSchema),
  };

  async function check(target: ProviderTarget, callOptions: CallOptions): Promise<void> {
    const asked: Call = {
      modelKey: CHECK_MODEL,
      method: 'rawPredict',
      body: { anthropic_version: VERSION },
      betas: quirksOf(target, CHECK_MODEL).betas,
    };
    try {
      const response = await call(target, asked, callOptions);
      await response.text();
    } catch (error) {
      if (!isRefusalToKnownCaller(error as ProviderError)) throw error;
    }
  }
}

/** True for refusals that only a caller with a good credential gets: the request is empty, or the model is not offered. */
function isRefusalToKnownCaller({ code, providerCode }: ProviderError): boolean {
  return (
    code === 'PROVIDER_INVALID_REQUEST' || (code === 'MODEL_UNAVAILABLE' && providerCode === 'NOT_FOUND')
  );
}
