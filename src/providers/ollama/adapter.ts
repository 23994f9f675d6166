// Owns Ollama's own chat protocol: newline-delimited JSON, with arguments of tools as objects.

import { type NewId, newId } from '../../kernel/ids.ts';
import type { CompletionAdapter } from '../contract/adapter.ts';
import type { ProviderRequest, StreamPart } from '../contract/completions.ts';
import type { UpstreamHttp } from '../contract/http.ts';
import type { CallOptions } from '../contract/target.ts';
import { AnswerBody } from '../shared/answer-body.ts';
import { readAnswer } from '../shared/answer-stream.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { readLines } from '../shared/ndjson.ts';
import { withProviderOptions } from '../shared/provider-options.ts';
import { faultsIn } from '../shared/quirks.ts';
import { OllamaDecoder } from './decode.ts';
import { encodeRequest } from './encode.ts';
import { faultOfAnswer } from './errors.ts';
import { apiUrl, checkVersion, listOllamaModels } from './models.ts';
import { OLLAMA_OPTION_RULES } from './option-rules.ts';
import { ollamaQuirksSchema } from './quirks.ts';
import { unsupportedByOllama } from './unsupported.ts';

export interface OllamaAdapterOptions {
  readonly http: UpstreamHttp;
  /** Mints ids of calls that came without one. */
  readonly newId?: NewId;
}

export function createOllamaAdapter({ http, newId: mint = newId }: OllamaAdapterOptions): CompletionAdapter {
  return {
    protocol: 'ollama',
    completions: {
      optionRules: OLLAMA_OPTION_RULES,
      unsupported: unsupportedByOllama,
      stream: (request, options) => streamAnswer(http, mint, request, options),
    },
    models: { list: (target, options) => listOllamaModels(http, target, options) },
    health: { check: (target, options) => checkVersion(http, target, options) },
    faultsOfQuirks: faultsIn(ollamaQuirksSchema),
  };
}

/** An answer in one piece is one line, so there is no second way to read it. */
async function* streamAnswer(
  http: UpstreamHttp,
  mint: NewId,
  request: ProviderRequest,
  options: CallOptions,
): AsyncGenerator<StreamPart[]> {
  const { target } = request;
  const response = await http.send({
    method: 'POST',
    url: apiUrl(target, 'chat'),
    headers: { 'content-type': 'application/json', ...authHeaders(target) },
    body: JSON.stringify(
      withProviderOptions(encodeRequest(request), request.providerOptions, OLLAMA_OPTION_RULES),
    ),
    signal: options.signal,
    ...connectionOf(target),
  });
  if (response.status < 200 || response.status >= 300) throw await faultOfAnswer(response, target.secret);
  const body = new AnswerBody(response, options);
  yield* readAnswer(body, readLines(body), new OllamaDecoder(mint));
}
