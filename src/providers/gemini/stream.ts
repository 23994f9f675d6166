// Owns one call of the Gemini protocol at either of Google's hosts, from the encoded body to the last part.
import type { NewId } from '../../kernel/ids.ts';
import { parseJson } from '../../kernel/json.ts';
import type { ProviderRequest, StreamPart } from '../contract/completions.ts';
import type { UpstreamHttp, UpstreamResponse } from '../contract/http.ts';
import type { CallOptions, ProviderTarget } from '../contract/target.ts';
import { AnswerBody } from '../shared/answer-body.ts';
import { type AnswerDecoder, inOneRead, readAnswer } from '../shared/answer-stream.ts';
import { connectionOf } from '../shared/credentials.ts';
import { withProviderOptions } from '../shared/provider-options.ts';
import { readServerSentEvents } from '../shared/sse.ts';
import { BodyTail } from './body-tail.ts';
import { GeminiDecoder } from './decode.ts';
import { encodeRequest } from './encode.ts';
import { faultOfAnswer, faultOfBareJson } from './errors.ts';
import { OPTION_RULES } from './option-rules.ts';
import { quirksOf } from './quirks.ts';

/** A host of the protocol: how the address of a model is built, and how a call is signed in. */
export interface GeminiHost {
  readonly http: UpstreamHttp;
  readonly newId: NewId;
  modelUrl(target: ProviderTarget, modelKey: string, method: string): string;
  /** Sends with the credential's headers; if a token is refused, once more with a new one. */
  signIn(
    target: ProviderTarget,
    options: CallOptions,
    send: (headers: Record<string, string>) => Promise<UpstreamResponse>,
  ): Promise<UpstreamResponse>;
}

export async function* streamAnswer(
  host: GeminiHost,
  request: ProviderRequest,
  options: CallOptions,
): AsyncGenerator<StreamPart[]> {
  const { target, model, providerOptions } = request;
  // Without `alt=sse` the stream would be one JSON array that grows.
  const url = `${host.modelUrl(target, model.key, 'streamGenerateContent')}?alt=sse`;
  const body = JSON.stringify(withProviderOptions(encodeRequest(request), providerOptions, OPTION_RULES));
  const response = await post(host, target, url, body, options);
  if (response.status < 200 || response.status >= 300) throw await faultOfAnswer(response, target.secret);
  const decoder = new GeminiDecoder(host.newId);
  const answer = new AnswerBody(response, options);
  if ((await answer.form()) === 'json') {
    // An endpoint that does not stream answers in one piece, or in an array of pieces.
    const json = parseJson(await answer.text());
    yield* inOneRead((parts) => {
      for (const piece of Array.isArray(json) ? json : [json]) decoder.read(piece, parts);
      decoder.end(parts);
    });
  } else {
    const tail = new BodyTail();
    yield* readAnswer(answer, readPieces(tail.watch(answer)), withTail(decoder, tail));
  }
}

/** Gemini's stream has no end mark, but a proxy may add the usual one. */
async function* readPieces(body: AsyncIterable<Uint8Array>): AsyncIterable<unknown[]> {
  for await (const events of readServerSentEvents(body)) {
    yield events.filter(({ data }) => data !== '[DONE]').map(({ data }) => parseJson(data));
  }
}

/** Gemini reports a fault within a stream as plain JSON after the events. */
function withTail(decoder: GeminiDecoder, tail: BodyTail): AnswerDecoder<unknown> {
  return {
    get over() {
      return decoder.over;
    },
    get whole() {
      return decoder.whole;
    },
    read: (piece, parts) => decoder.read(piece, parts),
    end(parts) {
      const fault = decoder.over ? undefined : faultOfBareJson(tail.bareJson() ?? '');
      if (fault) throw fault;
      decoder.end(parts);
    },
  };
}

/** Counting tokens is free. Only a caller with a good credential is told that a model is unknown. */
export async function checkByCounting(
  host: GeminiHost,
  target: ProviderTarget,
  options: CallOptions,
): Promise<void> {
  const url = host.modelUrl(target, quirksOf(target).checkModel, 'countTokens');
  const body = JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] });
  const response = await post(host, target, url, body, options);
  if (response.status >= 200 && response.status < 300) {
    await response.text();
    return;
  }
  const fault = await faultOfAnswer(response, target.secret);
  // This is Google's own code for an unknown model; a 404 from elsewhere means a wrong address.
  if (fault.code !== 'MODEL_UNAVAILABLE' || fault.providerCode !== 'NOT_FOUND') throw fault;
}

function post(
  host: GeminiHost,
  target: ProviderTarget,
  url: string,
  body: string,
  options: CallOptions,
): Promise<UpstreamResponse> {
  return host.signIn(target, options, (headers) =>
    host.http.send({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', ...headers },
      body,
      signal: options.signal,
      ...connectionOf(target),
    }),
  );
}
