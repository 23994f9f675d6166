// Owns the protocol `openai-responses`: OpenAI's Responses API, used without its store.
import type {
  Adapter,
  CallOptions,
  ListedModel,
  ProviderRequest,
  ProviderTarget,
  StreamPart,
  UpstreamHttp,
  UpstreamResponse,
} from '../contract.ts';
import { authHeaders } from '../credentials.ts';
import { errorText } from '../faults.ts';
import { readServerSentEvents, type ServerSentEvent } from '../sse.ts';
import { ResponseDecoder } from './decode.ts';
import { encodeRequest, unsupportedBy } from './encode.ts';
import { faultOfAnswer, faultWithin, protocolFault } from './errors.ts';
import { modelListSchema } from './wire.ts';

export function createOpenAiResponsesAdapter(http: UpstreamHttp): Adapter {
  return {
    protocol: 'openai-responses',
    stream: (request, options) => streamParts(http, request, options),
    unsupported: unsupportedBy,
    listModels: (target, options) => listModels(http, target, options),
    async check(target, options) {
      await listModels(http, target, options);
    },
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
    connectTimeoutMs: request.target.connectTimeoutMs,
  });
  if (response.status !== 200) throw await faultOfAnswer(response);
  const decoder = new ResponseDecoder(response.headers);
  if (!isEventStream(response)) {
    yield decoder.whole(await response.text());
    return;
  }
  for await (const events of readServerSentEvents(response.body)) {
    const { parts, fault } = partsOf(events, decoder, response);
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

function isEventStream({ headers }: UpstreamResponse): boolean {
  return !/^application\/(?:[\w.-]+\+)?json\b/i.test(headers['content-type'] ?? '');
}

async function listModels(
  http: UpstreamHttp,
  target: ProviderTarget,
  { signal }: CallOptions,
): Promise<ListedModel[]> {
  const response = await http.send({
    method: 'GET',
    url: `${target.baseUrl}/models`,
    headers: { accept: 'application/json', ...authHeaders(target) },
    signal,
    connectTimeoutMs: target.connectTimeoutMs,
  });
  if (response.status !== 200) throw await faultOfAnswer(response);
  let json: unknown;
  try {
    json = JSON.parse(await response.text());
  } catch (cause) {
    throw protocolFault('The list of models is not JSON.', cause);
  }
  const result = modelListSchema.safeParse(json);
  if (!result.success) throw protocolFault('The answer is no list of models.', result.error);
  return result.data.data.map(({ id }) => ({ key: id }));
}
