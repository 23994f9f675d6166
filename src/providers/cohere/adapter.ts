// Owns the protocol of Cohere's chat call, version 2.

import { type NewId, newId } from '../../kernel/ids.ts';
import type { CompletionAdapter } from '../contract/adapter.ts';
import type { ProviderRequest, StreamPart } from '../contract/completions.ts';
import type { UpstreamHttp } from '../contract/http.ts';
import type { CallOptions } from '../contract/target.ts';
import { AnswerBody } from '../shared/answer-body.ts';
import { inOneRead, readAnswer } from '../shared/answer-stream.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { withProviderOptions } from '../shared/provider-options.ts';
import { faultsIn, NO_QUIRKS } from '../shared/quirks.ts';
import { readServerSentEvents } from '../shared/sse.ts';
import { CohereDecoder } from './decode.ts';
import { encodeRequest } from './encode.ts';
import { faultOfAnswer } from './errors.ts';
import { listCohereModels, rootOf } from './models.ts';
import { COHERE_OPTION_RULES } from './option-rules.ts';
import { unsupportedByCohere } from './unsupported.ts';

export interface CohereAdapterOptions {
  readonly http: UpstreamHttp;
  /** Mints ids of calls that came without one. */
  readonly newId?: NewId;
}

export function createCohereAdapter({ http, newId: mint = newId }: CohereAdapterOptions): CompletionAdapter {
  return {
    protocol: 'cohere',
    completions: {
      optionRules: COHERE_OPTION_RULES,
      unsupported: unsupportedByCohere,
      stream: (request, options) => streamAnswer(http, mint, request, options),
    },
    models: { list: (target, options) => listCohereModels(http, target, options) },
    health: {
      check: async (target, options) => {
        await listCohereModels(http, target, options, { pageSize: 1, pages: 1 });
      },
    },
    faultsOfQuirks: faultsIn(NO_QUIRKS),
  };
}

async function* streamAnswer(
  http: UpstreamHttp,
  mint: NewId,
  request: ProviderRequest,
  options: CallOptions,
): AsyncGenerator<StreamPart[]> {
  const { target } = request;
  const response = await http.send({
    method: 'POST',
    url: `${rootOf(target)}/v2/chat`,
    headers: { 'content-type': 'application/json', ...authHeaders(target) },
    body: JSON.stringify(
      withProviderOptions(encodeRequest(request), request.providerOptions, COHERE_OPTION_RULES),
    ),
    signal: options.signal,
    ...connectionOf(target),
  });
  if (response.status < 200 || response.status >= 300) throw await faultOfAnswer(response, target.secret);
  const decoder = new CohereDecoder(mint);
  const body = new AnswerBody(response, options);
  if ((await body.form()) === 'json') {
    const text = await body.text();
    yield* inOneRead((parts) => decoder.readWhole(text, parts));
  } else yield* readAnswer(body, readServerSentEvents(body), decoder);
}
