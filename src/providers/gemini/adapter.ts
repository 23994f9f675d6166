// Owns the Gemini protocol at Google's two doors: the Gemini API, and Vertex with its own addresses and credentials.
import { type Clock, systemClock } from '../../kernel/clock.ts';
import type { ProviderError } from '../../kernel/errors.ts';
import { parseJson } from '../../kernel/json.ts';

import type {
  Adapter,
  CallOptions,
  ProviderRequest,
  ProviderTarget,
  StreamPart,
  TokenCache,
  UpstreamHttp,
  UpstreamResponse,
} from '../contract.ts';
import { authHeaders } from '../credentials.ts';
import { withProviderOptions } from '../provider-options.ts';
import { readServerSentEvents } from '../sse.ts';
import { vertexModelUrl } from '../vertex-address.ts';
import { createVertexSignIn } from '../vertex-sign-in.ts';
import { BodyTail } from './body-tail.ts';
import { GeminiDecoder, protocolFault } from './decode.ts';
import { encodeRequest } from './encode.ts';
import { faultOfAnswer, faultOfBareJson } from './errors.ts';
import { listGeminiModels } from './models.ts';
import { quirksOfTarget } from './quirks.ts';
import { unsupportedByGemini } from './unsupported.ts';

/** How one of the doors is found and entered. */
interface Door {
  modelUrl(target: ProviderTarget, modelKey: string, method: string): string;
  /** Sends with the credential's headers; with a token that is refused, once more with a fresh one. */
  call(
    target: ProviderTarget,
    options: CallOptions,
    send: (headers: Record<string, string>) => Promise<UpstreamResponse>,
  ): Promise<UpstreamResponse>;
}

export interface GeminiAdapterOptions {
  readonly http: UpstreamHttp;
}

export interface GeminiVertexAdapterOptions extends GeminiAdapterOptions {
  readonly tokens: TokenCache;
  readonly clock?: Clock;
}

export function createGeminiAdapter({ http }: GeminiAdapterOptions): Adapter {
  const door: Door = {
    modelUrl: (target, key, method) => `${target.baseUrl}/${modelPath(key)}:${method}`,
    call: (target, _options, send) => send(authHeaders(target)),
  };
  return {
    protocol: 'gemini',
    stream: (request, options) => streamAnswer(http, door, request, options),
    unsupported: unsupportedByGemini,
    listModels: (target, options) => listGeminiModels(http, target, options),
    check: async (target, options) => {
      await listGeminiModels(http, target, options, { pageSize: 1, pages: 1 });
    },
  };
}

export function createGeminiVertexAdapter({ http, tokens, clock }: GeminiVertexAdapterOptions): Adapter {
  const signIn = createVertexSignIn({ http, tokens, clock: clock ?? systemClock });
  const door: Door = {
    modelUrl: (target, key, method) =>
      vertexModelUrl(target, {
        apiVersion: quirksOfTarget(target).apiVersion,
        publisher: 'google',
        modelKey: key,
        method,
      }),
    call: (target, options, send) => signIn(target, options, send),
  };
  return {
    protocol: 'gemini-vertex',
    stream: (request, options) => streamAnswer(http, door, request, options),
    unsupported: unsupportedByGemini,
    check: (target, options) => checkByCounting(http, door, target, options),
  };
}

/** `gemini-2.5-flash`, or a name with its own collection: `tunedModels/mine`. */
function modelPath(key: string): string {
  const name = key.split('/').map(encodeURIComponent).join('/');
  return key.includes('/') ? name : `models/${name}`;
}

async function* streamAnswer(
  http: UpstreamHttp,
  door: Door,
  request: ProviderRequest,
  options: CallOptions,
): AsyncGenerator<StreamPart[]> {
  const { target } = request;
  // Without `alt=sse` the stream is one growing JSON array.
  const url = `${door.modelUrl(target, request.model.key, 'streamGenerateContent')}?alt=sse`;
  const body = JSON.stringify(withProviderOptions(encodeRequest(request), request.providerOptions));
  const response = await door.call(target, options, (headers) =>
    post(http, target, url, headers, body, options),
  );
  if (response.status < 200 || response.status >= 300) throw await faultOfAnswer(response, target.secret);
  const whole = response.headers['content-type']?.includes('application/json') ?? false;
  yield* whole ? decodeWhole(response) : decodeStream(response);
}

function post(
  http: UpstreamHttp,
  target: ProviderTarget,
  url: string,
  headers: Record<string, string>,
  body: string,
  { signal }: CallOptions,
): Promise<UpstreamResponse> {
  return http.send({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', ...headers },
    body,
    signal,
    connectTimeoutMs: target.connectTimeoutMs,
  });
}

async function* decodeStream(response: UpstreamResponse): AsyncGenerator<StreamPart[]> {
  const decoder = new GeminiDecoder();
  const tail = new BodyTail();
  for await (const events of readServerSentEvents(tail.watch(response.body))) {
    // Gemini ends without a mark, but what stands between may add the usual one.
    const pieces = events.filter(({ data }) => data !== '[DONE]').map(({ data }) => parseJson(data));
    yield* decodePieces(decoder, pieces);
  }
  if (!decoder.finished) {
    const fault = faultOfBareJson(tail.bareJson() ?? '');
    if (fault) throw fault;
  }
  yield decoder.end();
}

/** A server or proxy that does not stream answers in one piece, or in an array of them. */
async function* decodeWhole(response: UpstreamResponse): AsyncGenerator<StreamPart[]> {
  const decoder = new GeminiDecoder();
  const json = parseJson(await response.text());
  if (json === undefined) throw protocolFault('Gemini announced JSON and sent something else.');
  yield* decodePieces(decoder, Array.isArray(json) ? json : [json]);
  yield decoder.end();
}

/** The parts of one upstream read, and then the fault that it ended with, if it did. */
function* decodePieces(decoder: GeminiDecoder, pieces: readonly unknown[]): Generator<StreamPart[]> {
  const parts: StreamPart[] = [];
  let fault: ProviderError | undefined;
  for (const piece of pieces) {
    const read = decoder.read(piece);
    parts.push(...read.parts);
    fault = read.fault;
    if (fault) break;
  }
  if (parts.length > 0) yield parts;
  if (fault) throw fault;
}

/** Counting tokens is free. That the model is unknown is said only to someone who may ask. */
async function checkByCounting(
  http: UpstreamHttp,
  door: Door,
  target: ProviderTarget,
  options: CallOptions,
): Promise<void> {
  const url = door.modelUrl(target, quirksOfTarget(target).checkModel, 'countTokens');
  const body = JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] });
  const response = await door.call(target, options, (headers) =>
    post(http, target, url, headers, body, options),
  );
  const fault =
    response.status >= 200 && response.status < 300
      ? undefined
      : await faultOfAnswer(response, target.secret);
  if (!fault) await response.text();
  else if (fault.code !== 'MODEL_UNAVAILABLE' || fault.providerCode !== 'NOT_FOUND') throw fault;
}
