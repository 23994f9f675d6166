// Owns one call of the protocol, from the encoded body to the last part, for every adapter that speaks it.
import type { NewId } from '../../kernel/ids.ts';
import type { ProviderTarget, StreamPart, UpstreamHttp, UpstreamRequest } from '../contract/adapter.ts';
import { AnswerBody } from '../shared/answer-body.ts';
import { readServerSentEvents } from '../shared/sse.ts';
import { ChatDecoder } from './decode.ts';
import { faultOfAnswer } from './errors.ts';
import type { Quirks } from './quirks.ts';

export interface ChatCall {
  readonly http: UpstreamHttp;
  /** Builds the request; what it raises is raised to the reader of the stream. */
  prepare(quirks: Quirks): UpstreamRequest;
  readonly target: ProviderTarget;
  quirks(): Quirks;
  readonly newId: NewId;
}

/** A whole answer of more characters than this is refused. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const OPENING_BRACE = 0x7b;
const OPENING_BRACKET = 0x5b;
const LESS_THAN = 0x3c;

export async function* streamChat(call: ChatCall): AsyncGenerator<StreamPart[]> {
  const { http, target, newId } = call;
  const quirks = call.quirks();
  const response = await http.send(call.prepare(quirks));
  const { status, headers } = response;
  if (status < 200 || status >= 300) throw await faultOfAnswer(response, target.secret);
  const decoder = new ChatDecoder({ status, headers, secret: target.secret }, quirks, newId);
  const body = new AnswerBody(response);
  if (await isWhole(body)) {
    const parts: StreamPart[] = [];
    decoder.whole(await body.text(MAX_ANSWER_BYTES), parts);
    yield parts;
  } else {
    yield* decodeEvents(body, decoder);
  }
}

/** Servers answer with JSON to a request for a stream, and label it wrongly; no event begins with these characters. */
async function isWhole(body: AnswerBody): Promise<boolean> {
  const byte = await body.firstByte();
  return byte === undefined || byte === OPENING_BRACE || byte === OPENING_BRACKET || byte === LESS_THAN;
}

/** What a read completed before a fault is still given out. */
async function* decodeEvents(body: AnswerBody, decoder: ChatDecoder): AsyncGenerator<StreamPart[]> {
  for await (const events of readServerSentEvents(body)) {
    const parts: StreamPart[] = [];
    let fault: { readonly reason: unknown } | undefined;
    try {
      body.complete = events.some((event) => decoder.event(event, parts));
      if (body.complete) decoder.finish(parts);
    } catch (reason) {
      fault = { reason };
    }
    if (parts.length > 0) yield parts;
    if (fault) throw fault.reason;
    if (body.complete) return;
  }
  const last: StreamPart[] = [];
  decoder.finish(last);
  yield last;
}
