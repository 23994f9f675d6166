// Owns one completion of Cohere's chat call, from the encoded body to the last part.
import { type NewId } from '../../kernel/ids.ts';
import type { ProviderRequest, StreamPart } from '../contract/completions.ts';
import type { UpstreamHttp } from '../contract/http.ts';
import type { CallOptions } from '../contract/target.ts';
import { AnswerBody } from '../shared/answer-body.ts';
import { inOneRead, readAnswer } from '../shared/answer-stream.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { withProviderOptions } from '../shared/provider-options.ts';
import { readServerSentEvents } from '../shared/sse.ts';
import { CohereDecoder } from './decode.ts';
import { encodeRequest } from './encode.ts';
import { faultOfAnswer } from './errors.ts';
import { rootOf } from './models.ts';
import { OPTION_RULES } from './option-rules.ts';

export async function* streamAnswer(
  http: UpstreamHttp,
  newId: NewId,
  request: ProviderRequest,
  options: CallOptions,
): AsyncGenerator<StreamPart[]> {
  const { target } = request;
  const response = await http.send({
    method: 'POST',
    url: `${rootOf(target)}/v2/chat`,
    headers: { 'content-type': 'application/json', ...authHeaders(target) },
    body: JSON.stringify(withProviderOptions(encodeRequest(request), request.providerOptions, OPTION_RULES)),
    signal: options.signal,
    ...connectionOf(target),
  });
  if (response.status < 200 || response.status >= 300) throw await faultOfAnswer(response, target.secret);
  const decoder = new CohereDecoder(newId);
  const body = new AnswerBody(response, options);
  if ((await body.form()) === 'json') {
    const text = await body.text();
    yield* inOneRead((parts) => decoder.readWhole(text, parts));
  } else yield* readAnswer(body, readServerSentEvents(body), decoder);
}
