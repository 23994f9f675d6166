// Owns one call of the protocol, from the encoded body to the last part, for every adapter that uses it.
import type { NewId } from '../../kernel/ids.ts';
import type { StreamPart } from '../contract/completions.ts';
import type { UpstreamHttp, UpstreamRequest } from '../contract/http.ts';
import type { CallOptions, ProviderTarget } from '../contract/target.ts';
import { AnswerBody } from '../shared/answer-body.ts';
import { inOneRead, readAnswer } from '../shared/answer-stream.ts';
import { readServerSentEvents } from '../shared/sse.ts';
import { sendStreamed } from '../shared/stream-refusal.ts';
import { OpenAiChatDecoder } from './decode.ts';
import { faultOfAnswer } from './errors.ts';
import type { ChatQuirks } from './quirks.ts';

export interface ChatCall {
  readonly http: UpstreamHttp;
  /** Builds the request, for an answer that is streamed or in one piece; an error that it raises reaches the reader of the stream. */
  prepare(quirks: ChatQuirks, streamed: boolean): UpstreamRequest;
  readonly target: ProviderTarget;
  quirks(): ChatQuirks;
  readonly newId: NewId;
  readonly options: CallOptions;
}

export async function* streamAnswer(call: ChatCall): AsyncGenerator<StreamPart[]> {
  const { http, target, newId, options } = call;
  const quirks = call.quirks();
  const response = await sendStreamed(
    {
      send: (streamed) => http.send(call.prepare(quirks, streamed)),
      faultOf: (refusal) => faultOfAnswer(refusal, target.secret),
    },
    options,
  );
  const { status, headers } = response;
  const decoder = new OpenAiChatDecoder({ status, headers, secret: target.secret }, quirks, newId);
  const body = new AnswerBody(response, options);
  // Some servers answer with JSON although a stream was requested, and label it wrongly; no event begins like JSON or a page.
  if ((await body.form()) === 'stream') yield* readAnswer(body, readServerSentEvents(body), decoder);
  else {
    const text = await body.text();
    yield* inOneRead((parts) => decoder.readWhole(text, parts));
  }
}
