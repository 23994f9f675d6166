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
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { readServerSentEvents, type ServerSentEvent } from '../shared/sse.ts';
import { withBetas } from './betas.ts';
import { AnswerReader, eventsOfMessage } from './decode.ts';
import { encodeRequest } from './encode.ts';
import { faultOfAnswer, faultOfEvent, protocolFault } from './errors.ts';
import { readModelPages } from './models.ts';
import { MESSAGES_OPTION_RULES } from './option-rules.ts';
import { anthropicQuirks } from './quirks.ts';
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
    optionRules: MESSAGES_OPTION_RULES,
    async *stream(request, options) {
      const { body, betas, outputTool } = encodeRequest(request);
      const content = { body: JSON.stringify(body), betas };
      const response = await send(request.target, '/messages', options, content);
      yield* readAnswer(request, response, outputTool);
    },
    unsupported: (request) => [...encodeRequest(request).refused],
    async listModels(target, options) {
      if (!anthropicQuirks(target).listsModels) {
        throw new ProviderError('CAPABILITY_MISSING', 'This provider does not list its models.');
      }
      return readModelPages((query) => fetchModels(target, query, options));
    },
    async check(target, options) {
      if (anthropicQuirks(target).listsModels) await fetchModels(target, '?limit=1', options);
      else await checkWithoutList(target, options);
    },
  };

  /** A request that lacks everything is refused as such only to who may ask. */
  async function checkWithoutList(target: ProviderTarget, options: CallOptions): Promise<void> {
    try {
      const response = await send(target, '/messages', options, { body: '{}', betas: [] });
      await response.text();
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

/** `betas` of a completion; absent where nothing is posted. */
function headersFor(target: ProviderTarget, betas?: readonly string[]): Record<string, string> {
  const headers = {
    'anthropic-version': API_VERSION,
    ...(betas
      ? { accept: 'text/event-stream, application/json', 'content-type': 'application/json' }
      : { accept: 'application/json' }),
    ...authHeaders(target),
  };
  return withBetas(headers, betas ?? anthropicQuirks(target).betas);
}

function isRefusedAsInvalid(error: unknown): boolean {
  return error instanceof ProviderError && (error.status === 400 || error.status === 422);
}
