// Owns the protocol `openai-responses`: OpenAI's Responses API, used without its store.

import { ProviderError } from '../../kernel/errors.ts';
import { parseJson } from '../../kernel/json.ts';
import type {
  Adapter,
  CallOptions,
  ListedModel,
  ProviderRequest,
  ProviderTarget,
  StreamPart,
  UpstreamHttp,
  UpstreamResponse,
} from '../contract/adapter.ts';
import { AnswerBody } from '../shared/answer-body.ts';
import { errorText } from '../shared/answer-faults.ts';
import { isLacking, isPage, noApi } from '../shared/check-answer.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { faultsIn } from '../shared/quirks.ts';
import { readServerSentEvents, type ServerSentEvent } from '../shared/sse.ts';
import { ResponseDecoder } from './decode.ts';
import { encodeRequest, unsupportedBy } from './encode.ts';
import { faultOfAnswer, faultOfPage, faultWithin, protocolFault } from './errors.ts';
import { quirksOf, quirksSchema } from './quirks.ts';
import { modelListSchema } from './wire.ts';

const OPENING_BRACE = 0x7b;
const OPENING_ANGLE = 0x3c;
const PAGE_BYTES = 64 * 1024;
const WHOLE_ANSWER_BYTES = 64 * 1024 * 1024;

export function createOpenAiResponsesAdapter(http: UpstreamHttp): Adapter {
  return {
    protocol: 'openai-responses',
    stream: (request, options) => streamParts(http, request, options),
    faultsOfQuirks: faultsIn(quirksSchema),
    unsupported: unsupportedBy,
    listModels: (target, options) => listModels(http, target, options),
    check: (target, options) => check(http, target, options),
  };
}

async function* streamParts(
  http: UpstreamHttp,
  request: ProviderRequest,
  { signal }: CallOptions,
): AsyncGenerator<StreamPart[]> {
  const response = await http.send({
    method: 'POST',
    url: `${request.target.baseUrl}/responses`,
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...authHeaders(request.target),
    },
    body: encodeRequest(request),
    signal,
    ...connectionOf(request.target),
  });
  if (response.status !== 200) throw await faultOfAnswer(response, request.target.secret);
  const decoder = new ResponseDecoder(response.headers);
  const body = new AnswerBody(response);
  const firstByte = await body.firstByte();
  if (firstByte === OPENING_ANGLE) throw faultOfPage(await body.text(PAGE_BYTES), response.headers);
  if (firstByte === OPENING_BRACE) {
    yield decoder.whole(await body.text(WHOLE_ANSWER_BYTES));
    return;
  }
  for await (const events of readServerSentEvents(body)) {
    const { parts, fault } = partsOf(events, decoder, response);
    body.complete = decoder.finished;
    if (parts.length > 0) yield parts;
    if (fault !== undefined) throw fault;
    if (decoder.finished) return;
  }
  throw protocolFault('The stream ended before the response was complete.');
}

/** What came before a fault in the same read is kept, to be shown first. */
function partsOf(
  events: readonly ServerSentEvent[],
  decoder: ResponseDecoder,
  { headers }: UpstreamResponse,
): { parts: StreamPart[]; fault?: unknown } {
  const parts: StreamPart[] = [];
  try {
    for (const { data, event, errorField } of events) {
      if (errorField !== undefined) throw faultWithin({ message: errorText(errorField).message }, headers);
      for (const part of decoder.event(data, event)) parts.push(part);
    }
    return { parts };
  } catch (fault) {
    return { parts, fault };
  }
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
