// Owns one completion of Ollama's chat call, from the encoded body to the last part.
import { type NewId } from '../../kernel/ids.ts';
import type { ProviderRequest, StreamPart } from '../contract/completions.ts';
import type { UpstreamHttp } from '../contract/http.ts';
import type { CallOptions } from '../contract/target.ts';
import { AnswerBody } from '../shared/answer-body.ts';
import { readAnswer } from '../shared/answer-stream.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { readLines } from '../shared/ndjson.ts';
import { withProviderOptions } from '../shared/provider-options.ts';
import { OllamaDecoder } from './decode.ts';
import { encodeRequest } from './encode.ts';
import { faultOfAnswer } from './errors.ts';
import { apiUrl } from './models.ts';
import { OPTION_RULES } from './option-rules.ts';

/** An answer in one piece is a single line, so it is read in the same way. */
export async function* streamAnswer(
  http: UpstreamHttp,
  newId: NewId,
  request: ProviderRequest,
  options: CallOptions,
): AsyncGenerator<StreamPart[]> {
  const { target } = request;
  const response = await http.send({
    method: 'POST',
    url: apiUrl(target, 'chat'),
    headers: { 'content-type': 'application/json', ...authHeaders(target) },
    body: JSON.stringify(withProviderOptions(encodeRequest(request), request.providerOptions, OPTION_RULES)),
    signal: options.signal,
    ...connectionOf(target),
  });
  if (response.status < 200 || response.status >= 300) throw await faultOfAnswer(response, target.secret);
  const body = new AnswerBody(response, options);
  yield* readAnswer(body, readLines(body), new OllamaDecoder(newId));
}
