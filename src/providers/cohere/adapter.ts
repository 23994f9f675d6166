// Owns the protocol of Cohere's chat call, version 2.
import { parseJson } from '../../kernel/json.ts';
import type {
  Adapter,
  CallOptions,
  ProviderRequest,
  ProviderTarget,
  StreamPart,
  UpstreamHttp,
  UpstreamResponse,
} from '../contract.ts';
import { authHeaders } from '../credentials.ts';
import { withProviderOptions } from '../provider-options.ts';
import { readServerSentEvents } from '../sse.ts';
import { CohereDecoder, type Read } from './decode.ts';
import { encodeRequest } from './encode.ts';
import { faultOfAnswer } from './errors.ts';
import { listCohereModels, rootOf } from './models.ts';
import { unsupportedByCohere } from './unsupported.ts';

export function createCohereAdapter({ http }: { readonly http: UpstreamHttp }): Adapter {
  return {
    protocol: 'cohere',
    stream: (request, options) => streamAnswer(http, request, options),
    unsupported: unsupportedByCohere,
    listModels: (target, options) => listCohereModels(http, target, options),
    check: async (target: ProviderTarget, options) => {
      await listCohereModels(http, target, options, { pageSize: 1, pages: 1 });
    },
  };
}

async function* streamAnswer(
  http: UpstreamHttp,
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
    connectTimeoutMs: target.connectTimeoutMs,
  });
  if (response.status < 200 || response.status >= 300) throw await faultOfAnswer(response, target.secret);
  const decoder = new CohereDecoder();
  const whole = response.headers['content-type']?.includes('application/json') ?? false;
  yield* whole ? decodeWhole(response, decoder) : decodeStream(response, decoder);
  yield decoder.end();
}

async function* decodeStream(
  response: UpstreamResponse,
  decoder: CohereDecoder,
): AsyncGenerator<StreamPart[]> {
  for await (const events of readServerSentEvents(response.body)) {
    const parts: StreamPart[] = [];
    let fault: Read['fault'];
    for (const { data } of events) {
      if (data === '[DONE]') continue;
      const read = decoder.readEvent(data);
      parts.push(...read.parts);
      fault = read.fault;
      if (fault) break;
    }
    if (parts.length > 0) yield parts;
    if (fault) throw fault;
  }
}

async function* decodeWhole(
  response: UpstreamResponse,
  decoder: CohereDecoder,
): AsyncGenerator<StreamPart[]> {
  const { parts, fault } = decoder.readAnswer(parseJson(await response.text()));
  if (parts.length > 0) yield parts;
  if (fault) throw fault;
}
