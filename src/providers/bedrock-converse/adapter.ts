// Owns the calls of Amazon Bedrock: addresses, signatures, and the one way in which its answers are read.

import { ProviderError } from '../../kernel/errors.ts';
import type { AdapterDependencies, CompletionAdapter } from '../contract/adapter.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import type { CallOptions, ProviderTarget } from '../contract/target.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { faultsIn } from '../shared/quirks.ts';
import { controlPlaneUrl, regionOf } from './addresses.ts';
import { awsCredential } from './credentials.ts';
import { faultOfAnswer } from './errors.ts';
import { listModels } from './models.ts';
import { OPTION_RULES } from './option-rules.ts';
import { quirksSchema } from './quirks-schema.ts';
import { signedHeaders } from './sign.ts';
import { streamAnswer } from './stream.ts';
import { unsupportedBy } from './unsupported.ts';

/** A model that does not exist. Bedrock says that it does not exist only to callers with a good credential. */
const NO_MODEL = 'modelgraph.check';
const IDENTITY_KNOWN = /is not authorized to perform/i;

export function createBedrockConverseAdapter({ http, clock }: AdapterDependencies): CompletionAdapter {
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
    if (response.status === 200) return response;
    throw await faultOfAnswer(response, target.secret);
  }

  return {
    protocol: 'bedrock-converse',
    completions: {
      optionRules: OPTION_RULES,
      unsupported: unsupportedBy,
      stream: (request, options) => {
        const { target } = request;
        const post = (path: string, body: string) => send(target, `${target.baseUrl}${path}`, options, body);
        return streamAnswer(post, request, options);
      },
    },
    models: {
      list: (target, options) =>
        listModels(async (path) => {
          const response = await send(target, `${controlPlaneUrl(target)}${path}`, options);
          return response.text();
        }),
    },
    health: { check },
    faultsOfQuirks: faultsIn(quirksSchema),
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

/** True if Bedrock has looked for the made-up model, or has refused it by a policy that allows certain models only: both prove the credential. */
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
