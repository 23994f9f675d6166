// Owns the protocol `gigachat`: the API v1 of Sber's GigaChat.

import { newId as freshId, type NewId } from '../../kernel/ids.ts';
import { parseJson } from '../../kernel/json.ts';
import type { TokenCache } from '../../kernel/token-cache.ts';
import type { CompletionAdapter } from '../contract/adapter.ts';
import type { ProviderRequest, StreamPart } from '../contract/completions.ts';
import type { UpstreamHttp } from '../contract/http.ts';
import type { ListedModel } from '../contract/models.ts';
import type { CallOptions, ProviderTarget } from '../contract/target.ts';
import { AnswerBody } from '../shared/answer-body.ts';
import { protocolFault } from '../shared/answer-faults.ts';
import { inOneRead, readAnswer } from '../shared/answer-stream.ts';
import { faultsIn } from '../shared/quirks.ts';
import { readServerSentEvents } from '../shared/sse.ts';
import { GigaChatDecoder } from './decode.ts';
import { encodeRequest, unsupportedBy } from './encode.ts';
import { faultOfAnswer, faultOfPage } from './errors.ts';
import { uploadImages } from './images.ts';
import { GIGACHAT_OPTION_RULES } from './option-rules.ts';
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

const PAGE_BYTES = 64 * 1024;

export function createGigaChatAdapter(options: GigaChatAdapterOptions): CompletionAdapter {
  const signIn = createGigaChatSignIn(options);
  const { newId = freshId, checkLimitMs = 5000 } = options;
  return {
    protocol: 'gigachat',
    completions: {
      optionRules: GIGACHAT_OPTION_RULES,
      unsupported: unsupportedBy,
      stream: (request, callOptions) => streamParts(signIn, request, callOptions, newId),
    },
    models: { list: (target, { signal }) => listModels(signIn, target, signal) },
    health: {
      async check(target, { signal }) {
        using limit = timeLimit(signal, checkLimitMs, `GigaChat did not answer within ${checkLimitMs} ms.`);
        if (target.auth.type === 'gigachat') await signIn.prove(target, limit.signal);
        else await listModels(signIn, target, limit.signal);
      },
    },
    faultsOfQuirks: faultsIn(quirksSchema),
  };
}

async function* streamParts(
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
