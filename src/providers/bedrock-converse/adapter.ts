// Owns the conversation with Amazon Bedrock: addresses, signatures, and the one way in which its answers are read.

import { type Clock, systemClock } from '../../kernel/clock.ts';
import { ProviderError } from '../../kernel/errors.ts';
import { parseJson } from '../../kernel/json.ts';
import type { CompletionAdapter } from '../contract/adapter.ts';
import type { ProviderRequest, StreamPart } from '../contract/completions.ts';
import type { UpstreamHttp, UpstreamResponse } from '../contract/http.ts';
import type { CallOptions, ProviderTarget } from '../contract/target.ts';
import { AnswerBody } from '../shared/answer-body.ts';
import { faultOfRedirect, providerRequestId } from '../shared/answer-faults.ts';
import { inOneRead, readAnswer } from '../shared/answer-stream.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { faultsIn } from '../shared/quirks.ts';
import { controlPlaneUrl, regionOf } from './addresses.ts';
import { awsCredential } from './credentials.ts';
import { AnswerReader } from './decode.ts';
import { encodeRequest } from './encode.ts';
import { faultOfAnswer, faultOfFrame } from './errors.ts';
import { readEventFrames } from './frames.ts';
import { readModelLists } from './models.ts';
import { CONVERSE_OPTION_RULES } from './option-rules.ts';
import { bedrockQuirksSchema } from './quirks-schema.ts';
import { signedHeaders } from './sign.ts';
import { answerSchema } from './wire.ts';

/** A model that cannot be: Bedrock says so only to who may ask. */
const NO_MODEL = 'modelgraph.check';
const IDENTITY_KNOWN = /is not authorized to perform/i;

export function createBedrockConverseAdapter(
  http: UpstreamHttp,
  clock: Clock = systemClock,
): CompletionAdapter {
  async function send(
    target: ProviderTarget,
    url: string,
    { signal }: CallOptions,
    body?: string,
  ): Promise<UpstreamResponse> {
    const method = body === undefined ? 'GET' : 'POST';
    const response = await http.send({
      method,
      url,
      headers: await headersFor(target, method, url, body, clock.now()),
      ...(body === undefined ? {} : { body }),
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

  return {
    protocol: 'bedrock-converse',
    completions: {
      optionRules: CONVERSE_OPTION_RULES,
      unsupported: (request) => [...encodeRequest(request).refused],
      async *stream(request, options) {
        const { path, body, outputTool } = encodeRequest(request);
        const url = `${request.target.baseUrl}${path}`;
        const response = await send(request.target, url, options, JSON.stringify(body));
        yield* readConversation(request, response, outputTool, options);
      },
    },
    models: {
      list: (target, options) =>
        readModelLists(async (path) => {
          const response = await send(target, `${controlPlaneUrl(target)}${path}`, options);
          return response.text();
        }),
    },
    health: { check },
    faultsOfQuirks: faultsIn(bedrockQuirksSchema),
  };

  async function check(target: ProviderTarget, options: CallOptions): Promise<void> {
    const body = JSON.stringify({ messages: [{ role: 'user', content: [{ text: 'Hello' }] }] });
    try {
      const response = await send(target, `${target.baseUrl}/model/${NO_MODEL}/converse`, options, body);
      await response.text();
    } catch (error) {
      if (!provesCredential(error)) throw error;
    }
  }
}

/** The made-up model was looked for, or a policy that allows only some models was looked at: the credential was good. */
function provesCredential(error: unknown): boolean {
  if (!(error instanceof ProviderError)) return false;
  const { status, code, message } = error;
  if (status === 400 || status === 404) return code !== 'PROVIDER_AUTHENTICATION';
  return status === 403 && IDENTITY_KNOWN.test(message);
}

async function headersFor(
  target: ProviderTarget,
  method: 'GET' | 'POST',
  url: string,
  body: string | undefined,
  date: Date,
): Promise<Record<string, string>> {
  const accept =
    body === undefined ? 'application/json' : 'application/vnd.amazon.eventstream, application/json';
  const content = body === undefined ? undefined : { 'content-type': 'application/json' };
  if (target.auth.type !== 'aws') return { accept, ...content, ...authHeaders(target) };
  const own = authHeaders({ ...target, auth: { type: 'none' } });
  const credential = awsCredential(target);
  if (credential.type === 'bearer') {
    return { accept, ...content, authorization: `Bearer ${credential.key}`, ...own };
  }
  const signed = await signedHeaders({
    method,
    url: new URL(url),
    headers: { ...content },
    ...(body === undefined ? {} : { body }),
    credential,
    region: regionOf(target),
    date,
  });
  return { accept, ...signed, ...own };
}

async function* readConversation(
  { target }: ProviderRequest,
  response: UpstreamResponse,
  outputTool: string | undefined,
  options: CallOptions,
): AsyncGenerator<StreamPart[]> {
  const { status, headers } = response;
  const requestId = providerRequestId(headers);
  const reader = new AnswerReader({
    faultOf: (frame) => faultOfFrame(target, headers, frame),
    ...(requestId === undefined ? {} : { providerRequestId: requestId }),
    ...(outputTool === undefined ? {} : { outputTool }),
  });
  const body = new AnswerBody(response, options);
  // No frame begins as JSON or a page does: its length would be more than a gigabyte.
  const form = await body.form();
  if (form !== 'json' && form !== 'page') {
    yield* readAnswer(body, readEventFrames(body), reader);
    return;
  }
  const text = await body.text();
  const answer = answerSchema.safeParse(parseJson(text));
  if (!answer.success) throw faultOfAnswer(target, status, headers, text);
  yield* inOneRead((parts) => reader.readWhole(answer.data, parts));
}
