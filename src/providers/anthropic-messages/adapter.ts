// Owns the conversation with a Messages API: addresses, headers, and the one way in which its answers are read.

import { ProviderError } from '../../kernel/errors.ts';
import { parseJson } from '../../kernel/json.ts';
import type {
  Adapter,
  CallOptions,
  ProviderRequest,
  ProviderTarget,
  StreamPart,
  UpstreamHttp,
  UpstreamResponse,
} from '../contract/adapter.ts';
import { AnswerBody } from '../shared/answer-body.ts';
import { faultOfRedirect, providerRequestId } from '../shared/answer-faults.ts';
import { isLacking, isPage, requireJson } from '../shared/check-answer.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { faultsIn } from '../shared/quirks.ts';
import { readServerSentEvents, type ServerSentEvent } from '../shared/sse.ts';
import { AnswerReader, eventsOfMessage } from './decode.ts';
import { encodeRequest } from './encode.ts';
import { faultOfAnswer, faultOfEvent, protocolFault } from './errors.ts';
import { readModelPages } from './models.ts';
import { anthropicQuirks, anthropicQuirksSchema } from './quirks.ts';
import { messageSchema } from './wire.ts';

const API_VERSION = '2023-06-01';
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const OPENING_BRACE = 0x7b;
const LESS_THAN = 0x3c;

export function createAnthropicMessagesAdapter(http: UpstreamHttp): Adapter {
  async function send(
    target: ProviderTarget,
    path: string,
    { signal }: CallOptions,
    content?: { readonly body: string; readonly modelKey: string },
  ): Promise<UpstreamResponse> {
    const response = await http.send({
      method: content ? 'POST' : 'GET',
      url: `${apiRoot(target)}${path}`,
      headers: headersFor(target, content?.modelKey),
      ...(content ? { body: content.body } : {}),
      signal,
      ...connectionOf(target),
    });
    const { status, headers } = response;
    if (status >= 300 && status < 400) throw faultOfRedirect(status, headers);
    if (status !== 200) throw faultOfAnswer(target, status, headers, await response.text());
    return response;
  }

  async function fetchModels(target: ProviderTarget, query: string, options: CallOptions): Promise<string> {
    const response = await send(target, `/models${query}`, options);
    return response.text();
  }

  return {
    protocol: 'anthropic-messages',
    async *stream(request, options) {
      const { body, outputTool } = encodeRequest(request);
      const content = { body: JSON.stringify(body), modelKey: request.model.key };
      const response = await send(request.target, '/messages', options, content);
      yield* readAnswer(request, response, outputTool);
    },
    faultsOfQuirks: faultsIn(anthropicQuirksSchema),
    unsupported: (request) => [...encodeRequest(request).refused],
    async listModels(target, options) {
      if (!anthropicQuirks(target).listsModels) {
        throw new ProviderError('CAPABILITY_MISSING', 'This provider does not list its models.');
      }
      return readModelPages((query) => fetchModels(target, query, options));
    },
    async check(target, options) {
      if (!anthropicQuirks(target).listsModels || target.hasModelList === false) {
        return checkWithoutList(target, options);
      }
      try {
        requireJson(await fetchModels(target, '?limit=1', options), `${apiRoot(target)}/models`);
      } catch (error) {
        // Compatible servers serve their models without listing them.
        if (!isLacking(error)) throw error;
        await checkWithoutList(target, options);
      }
    },
  };

  /** A request that lacks everything is refused as such only to who may ask. */
  async function checkWithoutList(target: ProviderTarget, options: CallOptions): Promise<void> {
    try {
      const response = await send(target, '/messages', options, { body: '{}', modelKey: '' });
      const text = await response.text();
      if (isPage(response)) requireJson(text, `${apiRoot(target)}/messages`);
    } catch (error) {
      if (!isRefusedAsInvalid(error)) throw error;
    }
  }
}

export async function* readAnswer(
  { target }: ProviderRequest,
  response: UpstreamResponse,
  outputTool: string | undefined,
): AsyncGenerator<StreamPart[]> {
  const { headers } = response;
  const requestId = providerRequestId(headers);
  const reader = new AnswerReader({
    faultOf: (event) => faultOfEvent(target, headers, event),
    ...(requestId === undefined ? {} : { providerRequestId: requestId }),
    ...(outputTool === undefined ? {} : { outputTool }),
  });
  const body = new AnswerBody(response);
  const first = await body.firstByte();
  if (first === OPENING_BRACE || first === LESS_THAN) {
    yield readWhole(target, response, await body.text(MAX_ANSWER_BYTES), reader);
    return;
  }
  for await (const events of readServerSentEvents(body)) {
    const { parts, fault } = partsOf(events, reader);
    body.complete = reader.finished;
    if (parts.length > 0) yield parts;
    if (fault !== undefined) throw fault;
    if (reader.finished) return;
  }
  throw protocolFault('The stream ended before the answer was complete.');
}

/** What came before a fault in the same read is shown first. */
function partsOf(
  events: readonly ServerSentEvent[],
  reader: AnswerReader,
): { parts: StreamPart[]; fault?: unknown } {
  const parts: StreamPart[] = [];
  try {
    for (const { data } of events) if (data !== '') parts.push(...reader.readData(data));
    return { parts };
  } catch (fault) {
    return { parts, fault };
  }
}

function readWhole(
  target: ProviderTarget,
  { status, headers }: UpstreamResponse,
  text: string,
  reader: AnswerReader,
): StreamPart[] {
  const message = messageSchema.safeParse(parseJson(text));
  if (!message.success) throw faultOfAnswer(target, status, headers, text);
  return [...eventsOfMessage(message.data)].flatMap((event) => reader.read(event));
}

/** Base URLs of compatible servers are written with and without the version. */
function apiRoot({ baseUrl }: ProviderTarget): string {
  return baseUrl.endsWith('/v1') ? baseUrl : `${baseUrl}/v1`;
}

function headersFor(target: ProviderTarget, modelKey: string | undefined): Record<string, string> {
  const { 'anthropic-beta': ownBetas, ...own } = authHeaders(target);
  const betas = [...anthropicQuirks(target, modelKey).betas, ...(ownBetas ? [ownBetas] : [])];
  return {
    'anthropic-version': API_VERSION,
    ...(modelKey === undefined
      ? { accept: 'application/json' }
      : { accept: 'text/event-stream, application/json', 'content-type': 'application/json' }),
    ...own,
    ...(betas.length > 0 ? { 'anthropic-beta': betas.join(',') } : {}),
  };
}

function isRefusedAsInvalid(error: unknown): boolean {
  return error instanceof ProviderError && (error.status === 400 || error.status === 422);
}
