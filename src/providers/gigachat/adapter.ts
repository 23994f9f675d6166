// Owns the protocol `gigachat`: the API v1 of Sber's GigaChat.

import { newId as freshId, type NewId } from '../../kernel/ids.ts';
import { parseJson } from '../../kernel/json.ts';
import type {
  Adapter,
  CallOptions,
  ListedModel,
  ProviderRequest,
  ProviderTarget,
  StreamPart,
  TokenCache,
  UpstreamHttp,
} from '../contract/adapter.ts';
import { AnswerBody } from '../shared/answer-body.ts';
import { errorText } from '../shared/answer-faults.ts';
import { faultsIn } from '../shared/quirks.ts';
import { readServerSentEvents, type ServerSentEvent } from '../shared/sse.ts';
import { GigaChatDecoder } from './decode.ts';
import { encodeRequest, unsupportedBy } from './encode.ts';
import { faultOfAnswer, faultOfPage, faultWithin, protocolFault } from './errors.ts';
import { uploadImages } from './images.ts';
import { quirksSchema } from './settings.ts';
import { createGigaChatSignIn, type GigaChatSignIn } from './sign-in.ts';
import { timeLimit } from './time-limit.ts';
import { modelListSchema } from './wire.ts';

export interface GigaChatAdapterOptions {
  readonly http: UpstreamHttp;
  readonly tokens: TokenCache;
  readonly newId?: NewId;
  /** How long a token may take. Default 15,000. */
  readonly tokenLimitMs?: number;
  /** How long a check may take. Default 5,000. */
  readonly checkLimitMs?: number;
}

const OPENING_BRACE = 0x7b;
const OPENING_ANGLE = 0x3c;
const PAGE_BYTES = 64 * 1024;
const WHOLE_ANSWER_BYTES = 64 * 1024 * 1024;

export function createGigaChatAdapter(options: GigaChatAdapterOptions): Adapter {
  const signIn = createGigaChatSignIn(options);
  const { newId = freshId, checkLimitMs = 5000 } = options;
  return {
    protocol: 'gigachat',
    stream: (request, { signal }) => streamParts(signIn, request, signal, newId),
    faultsOfQuirks: faultsIn(quirksSchema),
    unsupported: unsupportedBy,
    listModels: (target, { signal }) => listModels(signIn, target, signal),
    async check(target, { signal }: CallOptions) {
      using limit = timeLimit(signal, checkLimitMs, `GigaChat did not answer within ${checkLimitMs} ms.`);
      if (target.auth.type === 'gigachat') await signIn.prove(target, limit.signal);
      else await listModels(signIn, target, limit.signal);
    },
  };
}

async function* streamParts(
  signIn: GigaChatSignIn,
  request: ProviderRequest,
  signal: AbortSignal,
  newId: NewId,
): AsyncGenerator<StreamPart[]> {
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
  const body = new AnswerBody(response);
  const firstByte = await body.firstByte();
  if (firstByte === OPENING_ANGLE) throw faultOfPage(await body.text(PAGE_BYTES), response.headers);
  if (firstByte === OPENING_BRACE) {
    const parts = decoder.chunk(await body.text(WHOLE_ANSWER_BYTES));
    yield [...parts, decoder.finish()];
    return;
  }
  for await (const events of readServerSentEvents(body)) {
    const { parts, fault, ended } = partsOf(events, decoder, response.headers);
    body.complete = ended;
    if (parts.length > 0) yield parts;
    if (fault !== undefined) throw fault;
    if (ended) return;
  }
  yield [decoder.finish()];
}

interface Read {
  readonly parts: StreamPart[];
  readonly ended: boolean;
  readonly fault?: unknown;
}

/** What came before a fault in the same read is kept, to be shown first. */
function partsOf(
  events: readonly ServerSentEvent[],
  decoder: GigaChatDecoder,
  headers: Readonly<Record<string, string>>,
): Read {
  const parts: StreamPart[] = [];
  try {
    for (const { data, errorField } of events) {
      if (errorField !== undefined) throw faultWithin(errorText(errorField), headers);
      if (data === '[DONE]') {
        parts.push(decoder.finish());
        return { parts, ended: true };
      }
      parts.push(...decoder.chunk(data));
    }
    return { parts, ended: false };
  } catch (fault) {
    return { parts, ended: false, fault };
  }
}

async function listModels(
  signIn: GigaChatSignIn,
  target: ProviderTarget,
  signal: AbortSignal,
): Promise<ListedModel[]> {
  const headers = { accept: 'application/json' };
  const response = await signIn.send(target, { method: 'GET', path: '/models', headers, signal });
  if (response.status !== 200) throw await faultOfAnswer(response, target.secret);
  const result = modelListSchema.safeParse(parseJson(await response.text()));
  if (!result.success) throw protocolFault('The answer is no list of models.', result.error);
  return result.data.data.map(({ id, type }) => {
    const output = OUTPUTS[type ?? ''];
    return { key: id, ...(output ? { outputModalities: output } : {}) };
  });
}

/** Checkers and filters have no modality of their own. */
const OUTPUTS: Readonly<Record<string, readonly string[]>> = { chat: ['text'], embedder: ['embedding'] };
