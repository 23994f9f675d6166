// Owns the protocol `openai-responses`: OpenAI's Responses API, used without its store.

import { ProviderError } from '../../kernel/errors.ts';
import { parseJson } from '../../kernel/json.ts';
import type { CompletionAdapter } from '../contract/adapter.ts';
import type { ProviderRequest, StreamPart } from '../contract/completions.ts';
import type { UpstreamHttp, UpstreamRequest } from '../contract/http.ts';
import type { ListedModel } from '../contract/models.ts';
import type { CallOptions, ProviderTarget } from '../contract/target.ts';
import { AnswerBody } from '../shared/answer-body.ts';
import { protocolFault } from '../shared/answer-faults.ts';
import { inOneRead, readAnswer } from '../shared/answer-stream.ts';
import { isLacking, isPage, noApi } from '../shared/check-answer.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { faultsIn } from '../shared/quirks.ts';
import { readServerSentEvents } from '../shared/sse.ts';
import { sendStreamed } from '../shared/stream-refusal.ts';
import { ResponseDecoder } from './decode.ts';
import { encodeRequest, unsupportedBy } from './encode.ts';
import { faultOfAnswer, faultOfPage } from './errors.ts';
import { RESPONSES_OPTION_RULES } from './option-rules.ts';
import { quirksOf, quirksSchema } from './quirks.ts';
import { modelListSchema } from './wire.ts';

const PAGE_BYTES = 64 * 1024;

export function createOpenAiResponsesAdapter(http: UpstreamHttp): CompletionAdapter {
  return {
    protocol: 'openai-responses',
    completions: {
      optionRules: RESPONSES_OPTION_RULES,
      unsupported: unsupportedBy,
      stream: (request, options) => streamParts(http, request, options),
    },
    models: { list: (target, options) => listModels(http, target, options) },
    health: { check: (target, options) => check(http, target, options) },
    faultsOfQuirks: faultsIn(quirksSchema),
  };
}

async function* streamParts(
  http: UpstreamHttp,
  request: ProviderRequest,
  options: CallOptions,
): AsyncGenerator<StreamPart[]> {
  const { target } = request;
  const response = await sendStreamed(
    {
      send: (streamed) => http.send(completionOf(request, streamed, options)),
      faultOf: (refusal) => faultOfAnswer(refusal, target.secret),
    },
    options,
  );
  const decoder = new ResponseDecoder(response.headers);
  const body = new AnswerBody(response, options);
  const form = await body.form();
  if (form === 'page') throw faultOfPage(await body.text(PAGE_BYTES), response.headers);
  if (form === 'json') {
    const text = await body.text();
    yield* inOneRead((parts) => decoder.readWhole(text, parts));
  } else yield* readAnswer(body, readServerSentEvents(body), decoder);
}

function completionOf(request: ProviderRequest, streamed: boolean, { signal }: CallOptions): UpstreamRequest {
  return {
    method: 'POST',
    url: `${request.target.baseUrl}/responses`,
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...authHeaders(request.target),
    },
    body: encodeRequest(request, streamed),
    signal,
    ...connectionOf(request.target),
  };
}

async function check(http: UpstreamHttp, target: ProviderTarget, options: CallOptions): Promise<void> {
  const { modelsPath, checkPath } = quirksOf(target.quirks);
  const lists = modelsPath !== null && target.hasModelList !== false;
  if (checkPath === null || (checkPath === undefined && !lists)) {
    await checkByEmptyRequest(http, target, options.signal);
  } else if (checkPath === undefined) {
    await listModels(http, target, options).catch((error: unknown) => {
      // Many servers serve their models without listing them.
      if (!isLacking(error)) throw error;
      return checkByEmptyRequest(http, target, options.signal);
    });
  } else if (parseJson(await get(http, target, checkPath, options.signal)) === undefined) {
    throw protocolFault(`The answer at ${checkPath} is not JSON.`);
  }
}

/** It is refused as invalid only if address and credential are right. */
async function checkByEmptyRequest(
  http: UpstreamHttp,
  target: ProviderTarget,
  signal: AbortSignal,
): Promise<void> {
  const url = `${target.baseUrl}/responses`;
  const response = await http.send({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', ...authHeaders(target) },
    body: '{}',
    signal,
    ...connectionOf(target),
  });
  if (isPage(response)) {
    await response.text();
    throw noApi(url);
  }
  const fault = await faultOfAnswer(response, target.secret);
  if (response.status !== 400 && response.status !== 422) throw fault;
  if (fault.code === 'PROVIDER_AUTHENTICATION') throw fault;
}

async function listModels(
  http: UpstreamHttp,
  target: ProviderTarget,
  { signal }: CallOptions,
): Promise<ListedModel[]> {
  const { modelsPath } = quirksOf(target.quirks);
  if (modelsPath === null) {
    throw new ProviderError(
      'CAPABILITY_MISSING',
      `The provider ${target.providerKey} has no list of models.`,
    );
  }
  const json = parseJson(await get(http, target, modelsPath, signal));
  const result = modelListSchema.safeParse(json);
  if (!result.success) throw protocolFault('The answer is no list of models.', result.error);
  return result.data.data.map(({ id }) => ({ key: id }));
}

/** The text at a path under the base URL. */
async function get(
  http: UpstreamHttp,
  target: ProviderTarget,
  path: string,
  signal: AbortSignal,
): Promise<string> {
  const response = await http.send({
    method: 'GET',
    url: `${target.baseUrl}${path}`,
    headers: { accept: 'application/json', ...authHeaders(target) },
    signal,
    ...connectionOf(target),
  });
  if (response.status !== 200) throw await faultOfAnswer(response, target.secret);
  return response.text();
}
