// Owns one completion of the Messages protocol, from the posted body to the last part, at Anthropic and on Vertex.
import { parseJson } from '../../kernel/json.ts';
import type { ProviderRequest, StreamPart } from '../contract/completions.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import type { CallOptions } from '../contract/target.ts';
import { AnswerBody } from '../shared/answer-body.ts';
import { providerRequestId } from '../shared/answer-faults.ts';
import { inOneRead, readAnswer } from '../shared/answer-stream.ts';
import { readServerSentEvents } from '../shared/sse.ts';
import { AnthropicMessagesDecoder } from './decode.ts';
import type { EncodedRequest } from './encode.ts';
import { faultOfBody, faultOfEvent } from './errors.ts';
import { messageSchema } from './wire.ts';

/** `post` sends the body to the address of the protocol, and gives an answer of status 200. */
export async function* streamAnswer(
  post: (encoded: EncodedRequest) => Promise<UpstreamResponse>,
  encoded: EncodedRequest,
  { target }: ProviderRequest,
  options: CallOptions,
): AsyncGenerator<StreamPart[]> {
  const { outputTool } = encoded;
  const response = await post(encoded);
  const { headers } = response;
  const requestId = providerRequestId(headers);
  const decoder = new AnthropicMessagesDecoder({
    faultOf: (event) => faultOfEvent(event, headers, target.secret),
    ...(requestId === undefined ? {} : { providerRequestId: requestId }),
    ...(outputTool === undefined ? {} : { outputTool }),
  });
  const body = new AnswerBody(response, options);
  const form = await body.form();
  if (form !== 'json' && form !== 'page') {
    yield* readAnswer(body, readServerSentEvents(body), decoder);
    return;
  }
  const text = await body.text();
  const message = messageSchema.safeParse(parseJson(text));
  if (!message.success) throw faultOfBody(response, text, target.secret);
  yield* inOneRead((parts) => decoder.readWhole(message.data, parts));
}
