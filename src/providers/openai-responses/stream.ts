// Owns one completion of the Responses API, from the encoded body to the last part.
import type { ProviderRequest, StreamPart } from '../contract/completions.ts';
import type { UpstreamHttp, UpstreamRequest } from '../contract/http.ts';
import type { CallOptions } from '../contract/target.ts';
import { AnswerBody } from '../shared/answer-body.ts';
import { inOneRead, readAnswer } from '../shared/answer-stream.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { readServerSentEvents } from '../shared/sse.ts';
import { sendStreamed } from '../shared/stream-refusal.ts';
import { OpenAiResponsesDecoder } from './decode.ts';
import { encodeRequest } from './encode.ts';
import { faultOfAnswer, faultOfPage } from './errors.ts';

const PAGE_BYTES = 64 * 1024;

export async function* streamAnswer(
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
  const decoder = new OpenAiResponsesDecoder(response.headers);
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
