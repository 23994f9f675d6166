// Owns the protocol of Cohere's chat call, version 2.

import { type NewId, newId } from '../../kernel/ids.ts';
import { parseJson } from '../../kernel/json.ts';
import type { Adapter, CallOptions, ProviderRequest, StreamPart, UpstreamHttp } from '../contract/adapter.ts';
import { AnswerBody } from '../shared/answer-body.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { withProviderOptions } from '../shared/provider-options.ts';
import { faultsIn, NO_QUIRKS } from '../shared/quirks.ts';
import { readServerSentEvents } from '../shared/sse.ts';
import { CohereDecoder, type Read } from './decode.ts';
import { encodeRequest } from './encode.ts';
import { faultOfAnswer } from './errors.ts';
import { listCohereModels, rootOf } from './models.ts';
import { unsupportedByCohere } from './unsupported.ts';

export interface CohereAdapterOptions {
  readonly http: UpstreamHttp;
  /** Mints ids of calls that came without one. */
  readonly newId?: NewId;
}

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const OPENING_BRACE = 0x7b;

export function createCohereAdapter({ http, newId: mint = newId }: CohereAdapterOptions): Adapter {
  return {
    protocol: 'cohere',
    stream: (request, options) => streamAnswer(http, mint, request, options),
    faultsOfQuirks: faultsIn(NO_QUIRKS),
    unsupported: unsupportedByCohere,
    listModels: (target, options) => listCohereModels(http, target, options),
    check: async (target, options) => {
      await listCohereModels(http, target, options, { pageSize: 1, pages: 1 });
    },
  };
}

async function* streamAnswer(
  http: UpstreamHttp,
  mint: NewId,
  request: ProviderRequest,
  { signal }: CallOptions,
): AsyncGenerator<StreamPart[]> {
  const { target } = request;
  const response = await http.send({
    method: 'POST',
    url: `${rootOf(target)}/v2/chat`,
    headers: { 'content-type': 'application/json', ...authHeaders(target) },
    body: JSON.stringify(withProviderOptions(encodeRequest(request), request.providerOptions)),
    signal,
    ...connectionOf(target),
  });
  if (response.status < 200 || response.status >= 300) throw await faultOfAnswer(response, target.secret);
  const decoder = new CohereDecoder(mint);
  const body = new AnswerBody(response);
  if ((await body.firstByte()) === OPENING_BRACE) {
    yield* given(decoder.readAnswer(parseJson(await body.text(MAX_ANSWER_BYTES))));
  } else {
    yield* decodeStream(body, decoder);
  }
  yield decoder.end();
}

async function* decodeStream(body: AnswerBody, decoder: CohereDecoder): AsyncGenerator<StreamPart[]> {
  for await (const events of readServerSentEvents(body)) {
    const parts: StreamPart[] = [];
    let fault: Read['fault'];
    for (const { data } of events) {
      if (data === '[DONE]') continue;
      const read = decoder.readEvent(data);
      parts.push(...read.parts);
      fault = read.fault;
      if (fault) break;
    }
    yield* given(fault ? { parts, fault } : { parts });
    body.complete = decoder.finished;
    if (body.complete) return;
  }
}

/** What was read, and then the fault that it ended with, if it did. */
function* given({ parts, fault }: Read): Generator<StreamPart[]> {
  if (parts.length > 0) yield parts;
  if (fault) throw fault;
}
