// Owns one completion of the Converse protocol, from the posted body to the last part.
import { parseJson } from '../../kernel/json.ts';
import type { ProviderRequest, StreamPart } from '../contract/completions.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import type { CallOptions } from '../contract/target.ts';
import { AnswerBody } from '../shared/answer-body.ts';
import { providerRequestId } from '../shared/answer-faults.ts';
import { inOneRead, readAnswer } from '../shared/answer-stream.ts';
import { BedrockConverseDecoder } from './decode.ts';
import { encodeRequest } from './encode.ts';
import { faultOfBody, faultOfFrame } from './errors.ts';
import { readEventFrames } from './frames.ts';
import { answerSchema } from './wire.ts';

/** `post` sends the body to a path under the base URL, and gives an answer of status 200. */
export async function* streamAnswer(
  post: (path: string, body: string) => Promise<UpstreamResponse>,
  request: ProviderRequest,
  options: CallOptions,
): AsyncGenerator<StreamPart[]> {
  const { target } = request;
  const { path, body: content, outputTool } = encodeRequest(request);
  const response = await post(path, JSON.stringify(content));
  const { headers } = response;
  const requestId = providerRequestId(headers);
  const decoder = new BedrockConverseDecoder({
    faultOf: (frame) => faultOfFrame(frame, headers, target.secret),
    ...(requestId === undefined ? {} : { providerRequestId: requestId }),
    ...(outputTool === undefined ? {} : { outputTool }),
  });
  const body = new AnswerBody(response, options);
  // A frame never begins like JSON or a page: its length would have to be more than a gigabyte.
  const form = await body.form();
  if (form !== 'json' && form !== 'page') {
    yield* readAnswer(body, readEventFrames(body), decoder);
    return;
  }
  const text = await body.text();
  const answer = answerSchema.safeParse(parseJson(text));
  if (!answer.success) throw faultOfBody(response, text, target.secret);
  yield* inOneRead((parts) => decoder.readWhole(answer.data, parts));
}
