// Owns one completion of GigaChat, from the upload of its images to the last part.
import type { NewId } from '../../kernel/ids.ts';
import type { ProviderRequest, StreamPart } from '../contract/completions.ts';
import type { CallOptions } from '../contract/target.ts';
import { AnswerBody } from '../shared/answer-body.ts';
import { inOneRead, readAnswer } from '../shared/answer-stream.ts';
import { readServerSentEvents } from '../shared/sse.ts';
import { GigaChatDecoder } from './decode.ts';
import { encodeRequest } from './encode.ts';
import { faultOfAnswer, faultOfPage } from './errors.ts';
import { uploadImages } from './images.ts';
import type { GigaChatSignIn } from './sign-in.ts';

const PAGE_BYTES = 64 * 1024;

export async function* streamAnswer(
  signIn: GigaChatSignIn,
  request: ProviderRequest,
  options: CallOptions,
  newId: NewId,
): AsyncGenerator<StreamPart[]> {
  const { signal } = options;
  const { target, messages, tools } = request;
  const fileIds = await uploadImages(signIn, target, messages, signal);
  const response = await signIn.send(target, {
    method: 'POST',
    path: '/chat/completions',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: encodeRequest(request, fileIds),
    signal,
  });
  if (response.status !== 200) throw await faultOfAnswer(response, target.secret);
  const decoder = new GigaChatDecoder({ headers: response.headers, tools, newId });
  const body = new AnswerBody(response, options);
  const form = await body.form();
  if (form === 'page') throw faultOfPage(await body.text(PAGE_BYTES), response.headers);
  if (form === 'json') {
    const text = await body.text();
    yield* inOneRead((parts) => decoder.readWhole(text, parts));
  } else yield* readAnswer(body, readServerSentEvents(body), decoder);
}
