// Owns the conversation with a Messages API: addresses, headers, and the one way in which its answers are read.

import { ProviderError } from '../../kernel/errors.ts';
import { parseJson } from '../../kernel/json.ts';
import type { CompletionAdapter } from '../contract/adapter.ts';
import type { ProviderRequest, StreamPart } from '../contract/completions.ts';
import type { UpstreamHttp, UpstreamResponse } from '../contract/http.ts';
import type { CallOptions, ProviderTarget } from '../contract/target.ts';
import { AnswerBody } from '../shared/answer-body.ts';
import { faultOfRedirect, providerRequestId } from '../shared/answer-faults.ts';
import { inOneRead, readAnswer } from '../shared/answer-stream.ts';
import { isLacking, isPage, requireJson } from '../shared/check-answer.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { faultsIn } from '../shared/quirks.ts';
import { readServerSentEvents } from '../shared/sse.ts';
import { withBetas } from './betas.ts';
import { AnswerReader } from './decode.ts';
import { encodeRequest } from './encode.ts';
import { faultOfAnswer, faultOfEvent } from './errors.ts';
import { readModelPages } from './models.ts';
import { MESSAGES_OPTION_RULES } from './option-rules.ts';
import { anthropicQuirks, anthropicQuirksSchema } from './quirks.ts';
import { messageSchema } from './wire.ts';

const API_VERSION = '2023-06-01';

export function createAnthropicMessagesAdapter(http: UpstreamHttp): CompletionAdapter {
  async function send(
    target: ProviderTarget,
    path: string,
    { signal }: CallOptions,
    content?: { readonly body: string; readonly betas: readonly string[] },
  ): Promise<UpstreamResponse> {
    const response = await http.send({
      method: content ? 'POST' : 'GET',
      url: `${apiRoot(target)}${path}`,
      headers: headersFor(target, content?.betas),
      ...(content ? { body: content.body } : {}),
      signal,
      ...connectionOf(target),
    });
    const { status, headers } = response;
    if (status === 200) return response;
    const text = await response.text();
    throw status >= 300 && status < 400
      ? faultOfRedirect(status, headers)
      : faultOfAnswer(target, status, headers, text);
  }

  async function fetchModels(target: ProviderTarget, query: string, options: CallOptions): Promise<string> {
    const response = await send(target, `/models${query}`, options);
    return response.text();
  }

  return {
    protocol: 'anthropic-messages',
    completions: {
      optionRules: MESSAGES_OPTION_RULES,
      unsupported: (request) => [...encodeRequest(request).refused],
      async *stream(request, options) {
        const { body, betas, outputTool } = encodeRequest(request);
        const content = { body: JSON.stringify(body), betas };
        const response = await send(request.target, '/messages', options, content);
        yield* readMessages(request, response, outputTool, options);
      },
    },
    models: {
      async list(target, options) {
        if (!anthropicQuirks(target).listsModels) {
          throw new ProviderError('CAPABILITY_MISSING', 'This provider does not list its models.');
        }
        return readModelPages((query) => fetchModels(target, query, options));
      },
    },
    health: { check },
    faultsOfQuirks: faultsIn(anthropicQuirksSchema),
  };

  async function check(target: ProviderTarget, options: CallOptions): Promise<void> {
    if (!anthropicQuirks(target).listsModels || target.hasModelList === false) {
      return checkWithoutList(target, options);
    }
    try {
      requireJson(await fetchModels(target, '?limit=1', options), `${apiRoot(target)}/models`);
    } catch (error) {
      // Compatible servers serve their models without listing them.
      if (!isLacking(error)) throw error;
      await checkWithoutList(target, options);
    }
  }

  /** A request that lacks everything is refused as such only to who may ask. */
  async function checkWithoutList(target: ProviderTarget, options: CallOptions): Promise<void> {
    try {
      const response = await send(target, '/messages', options, { body: '{}', betas: [] });
      const text = await response.text();
      if (isPage(response)) requireJson(text, `${apiRoot(target)}/messages`);
    } catch (error) {
      if (!isRefusedAsInvalid(error)) throw error;
    }
  }
}

export async function* readMessages(
  { target }: ProviderRequest,
  response: UpstreamResponse,
  outputTool: string | undefined,
  options: CallOptions,
): AsyncGenerator<StreamPart[]> {
  const { status, headers } = response;
  const requestId = providerRequestId(headers);
  const reader = new AnswerReader({
    faultOf: (event) => faultOfEvent(target, headers, event),
    ...(requestId === undefined ? {} : { providerRequestId: requestId }),
    ...(outputTool === undefined ? {} : { outputTool }),
  });
  const body = new AnswerBody(response, options);
  const form = await body.form();
  if (form !== 'json' && form !== 'page') {
    yield* readAnswer(body, readServerSentEvents(body), reader);
    return;
  }
  const text = await body.text();
  const message = messageSchema.safeParse(parseJson(text));
  if (!message.success) throw faultOfAnswer(target, status, headers, text);
  yield* inOneRead((parts) => reader.readWhole(message.data, parts));
}

/** Base URLs of compatible servers are written with and without the version. */
function apiRoot({ baseUrl }: ProviderTarget): string {
  return baseUrl.endsWith('/v1') ? baseUrl : `${baseUrl}/v1`;
}

/** `betas` of a completion; absent where nothing is posted. */
function headersFor(target: ProviderTarget, betas?: readonly string[]): Record<string, string> {
  const headers = {
    'anthropic-version': API_VERSION,
    ...(betas
      ? { accept: 'text/event-stream, application/json', 'content-type': 'application/json' }
      : { accept: 'application/json' }),
    ...authHeaders(target),
  };
  return withBetas(headers, betas ?? anthropicQuirks(target).betas);
}

function isRefusedAsInvalid(error: unknown): boolean {
  return error instanceof ProviderError && (error.status === 400 || error.status === 422);
}
